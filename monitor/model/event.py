"""What a device tells us: observations, waveforms, notices, its own alarms, and refused bytes."""

from enum import StrEnum
from math import isfinite
from typing import Final, TypeAlias

import msgspec

from monitor.model.instant import Instant
from monitor.model.metric import Metric


class Validity(StrEnum):
    """How far one value can be trusted (after IEEE 11073-10207 MeasurementValidity)."""

    VALID = "valid"
    QUESTIONABLE = "questionable"
    MEASURING = "measuring"
    NOT_AVAILABLE = "not_available"
    OVERFLOW = "overflow"
    UNDERFLOW = "underflow"


class GenerationMode(StrEnum):
    """Where data come from. Shown always; no option hides it (hazard H21)."""

    REAL = "real"
    TEST = "test"
    DEMO = "demo"


WITH_VALUE: Final = frozenset({Validity.VALID, Validity.QUESTIONABLE})


class Observation(msgspec.Struct, frozen=True, tag="observation", omit_defaults=True):
    """One determined value of one metric, in that metric's unit.

    `at` is when we heard it. `taken` is when the device determined it, where the device says so
    (a cuff reading repeated in ten messages has one `taken`); it is what "new" means.

    Raises:
        ValueError: a value without a trustworthy validity, or the reverse, or not a finite number.
    """

    metric: Metric
    value: float | None
    validity: Validity
    at: Instant
    taken: Instant | None = None
    mode: GenerationMode = GenerationMode.REAL

    def __post_init__(self) -> None:
        """Refuse the lie: a value that is not there, or a number that is none."""
        if (self.value is None) == (self.validity in WITH_VALUE):
            raise ValueError(f"{self.metric}: value {self.value!r} cannot be {self.validity}")
        if self.value is not None and not isfinite(self.value):
            raise ValueError(f"{self.metric}: {self.value!r} is not a number")


class OtherReading(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a device says of a metric for which another device is judged, in the metric's unit.

    Not recorded by itself: the observation behind it is. None: that device has no value now.
    """

    metric: Metric
    link: str
    value: float | None
    at: Instant


class WaveformSegment(msgspec.Struct, frozen=True, tag="waveform", omit_defaults=True):
    """Consecutive samples of a waveform in its metric's unit; `None` marks a lost sample.

    `at` is when the last sample was heard; the first lies `(n - 1) / rate_hz` before.
    """

    metric: Metric
    at: Instant
    rate_hz: float
    samples: tuple[float | None, ...]
    mode: GenerationMode = GenerationMode.REAL


class NoticeKind(StrEnum):
    """A state of the device itself, which explains what its numbers are worth."""

    SENSOR_OFF = "sensor_off"
    SENSOR_FAULT = "sensor_fault"
    SEARCHING = "searching"
    ARTEFACT = "artefact"
    LOW_PERFUSION = "low_perfusion"
    OCCLUSION = "occlusion"
    AUTO_ZERO = "auto_zero"
    PURGING = "purging"
    STANDBY = "standby"
    WARMING_UP = "warming_up"
    SAMPLE_LINE_OFF = "sample_line_off"
    CO2_FAULT = "co2_fault"
    CO2_UNMEASURED = "co2_unmeasured"
    CHECK_CALIBRATION = "check_calibration"
    CUFF_INFLATING = "cuff_inflating"
    CUFF_FAILED = "cuff_failed"
    LOW_BATTERY = "low_battery"
    AUDIO_PAUSED_AT_DEVICE = "audio_paused_at_device"
    MESSAGES_LOST = "messages_lost"
    CLOCK_DIFFERS = "clock_differs"
    DEVICE_FAULT = "device_fault"
    UNIT_CONVERTED = "unit_converted"
    UNKNOWN_FIELD = "unknown_field"
    NOT_THIS_DEVICE = "not_this_device"
    DEVICE_IDENTITY = "device_identity"
    DEVICE_GONE = "device_gone"
    REQUEST_REFUSED = "request_refused"
    HOST_MESSAGE = "host_message"


class DeviceNotice(msgspec.Struct, frozen=True, tag="notice", omit_defaults=True):
    """The device says that a state began (`present`) or ended; told once at each edge.

    States that have no end (a failed cuff reading) are told once for each occurrence.
    """

    notice: NoticeKind
    at: Instant
    present: bool = True
    detail: str = ""
    mode: GenerationMode = GenerationMode.REAL


class DeviceAlarm(msgspec.Struct, frozen=True, tag="device_alarm", omit_defaults=True):
    """The device's own alarm began or ended. `alarm` is a stable word of ours, e.g. "no_breath"."""

    alarm: str
    at: Instant
    present: bool = True
    metric: Metric | None = None
    priority: str = ""
    detail: str = ""
    mode: GenerationMode = GenerationMode.REAL


class FrameRejected(msgspec.Struct, frozen=True, tag="rejected", omit_defaults=True):
    """Bytes that were refused, and why. Counted, shown and replayable like any other event.

    `frame` holds at most the first 64 bytes.
    """

    reason: str
    frame: bytes
    at: Instant


DeviceEvent: TypeAlias = Observation | WaveformSegment | DeviceNotice | DeviceAlarm | FrameRejected

REJECTED_BYTES_KEPT_MAX: Final = 64


def reject(reason: str, frame: bytes, now: Instant) -> FrameRejected:
    """Return the refusal of `frame`, keeping no more of it than is useful."""
    return FrameRejected(reason, bytes(frame[:REJECTED_BYTES_KEPT_MAX]), now)


def observe(metric: Metric, value: float | None, now: Instant) -> Observation:
    """Return a valid observation, or one that is not available where `value` is None."""
    validity = Validity.NOT_AVAILABLE if value is None else Validity.VALID
    return Observation(metric, value, validity, now)
