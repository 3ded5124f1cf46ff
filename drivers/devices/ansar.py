"""Ivy 450C and kin (ANSAR-B): HR, respiration, EtCO2, SpO2, pulse, NIBP, temperature, pleth.

::

    FF | "ANSAR-B " | 400 wave bytes | lines, each ended 0D | FE         once a second
    NAME=n;v1;..;vn;LABEL;ALARM                                          an empty value is missing

One way, no checksum: the form of the text is what shows a damaged frame. A cuff reading is repeated
each second without a time: it is told when its numbers change, and not as a sure one when it stood
there already as we came. Without a CO2 value the respiration is that of the chest wall, which
moves on in an obstruction: told as questionable.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from drivers.contract import (
    NO_OPTIONS,
    Driver,
    Evidence,
    Options,
    TransportKind,
    Vector,
)
from drivers.options import CommonOptions, read_options
from drivers.parts.ansar_monitor import (
    MARK,
    PLETH_AT,
    PLETH_RATE_HZ,
    PLETH_SIZE,
    PLETH_ZERO,
    TEXT_AT,
    AnsarDevice,
    AnsarSplitter,
    encode,
)
from drivers.parts.ansar_text import Field, Text, alarm_of, read_text
from drivers.reading import UnknownFields, read
from monitor.model.event import (
    DeviceAlarm,
    DeviceEvent,
    DeviceNotice,
    FrameRejected,
    GenerationMode,
    NoticeKind,
    Observation,
    Validity,
    WaveformSegment,
    reject,
)
from monitor.model.instant import OPENING, Instant, between, seconds
from monitor.model.metric import NIBP, Metric

_PAUSE_MAX: Final = seconds(0.9)
_HEAD_SIZE_MAX: Final = 600
_MMHG_PER_KPA: Final = 7.50062
_NO_FIELD: Final = Field((None, None, None, None), "", "", has_decimals=False)


class AnsarOptions(CommonOptions, frozen=True, kw_only=True):
    """`co2_unit`: as set on the monitor, which does not send it; `ambient_mmhg` turns % to mmHg."""

    co2_unit: Literal["mmHg", "kPa", "%"] = "mmHg"
    ambient_mmhg: Annotated[float, Meta(ge=400, le=850)] = 760.0


class AnsarProtocol:
    """The monitor only talks."""

    wake_at: Instant | None = None

    def __init__(self, options: Options = NO_OPTIONS) -> None:
        chosen = read_options(options, AnsarOptions)
        self._unit = chosen.co2_unit
        self._scale = {"mmHg": 1.0, "kPa": _MMHG_PER_KPA, "%": chosen.ambient_mmhg / 100}[
            self._unit
        ]
        self._frames = AnsarSplitter()
        self._heard_at = OPENING
        self._head: bytes | None = b""  # the first bytes, for `finish`; None once a frame came
        self._unknown = UnknownFields()
        self._states: dict[NoticeKind | str, DeviceNotice | DeviceAlarm] = {}
        self._pressures: tuple[float | None, ...] | None = None  # None before the first frame
        self._had_temp = False
        self._names: frozenset[str] = frozenset()  # of the lines in the last frame
        self._missing: frozenset[str] = frozenset()  # of them, in the frame refused just now
        self._is_unit_told = self._unit == "mmHg"

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take bytes; tell what the frames completed by them say."""
        events: list[DeviceEvent] = []
        if between(self._heard_at, now) > _PAUSE_MAX:
            events += [reject(flaw, frame, now) for frame, flaw in self._frames.give_up()]
        self._heard_at = now
        if self._head is not None and len(self._head) <= _HEAD_SIZE_MAX:
            self._head += data[: _HEAD_SIZE_MAX + 1]
        for frame, flaw in self._frames.feed(data):
            events += [reject(flaw, frame, now)] if flaw else self._read(frame, now)
        return events

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Nothing depends on time alone."""
        del now
        return ()

    def take_outgoing(self) -> Sequence[bytes]:
        """Return nothing: this output has no ears."""
        return ()

    def finish(self, now: Instant) -> Sequence[DeviceEvent]:
        """Tell the lines of an input that was text alone, marked questionable."""
        if not self._head or len(self._head) > _HEAD_SIZE_MAX:
            return ()
        text = read_text(self._head, is_whole=False)
        if isinstance(text, str) or not text.fields:
            return ()
        return [
            msgspec.structs.replace(each, validity=Validity.QUESTIONABLE)
            if isinstance(each, Observation) and each.validity is Validity.VALID
            else each
            for each in self._tell(text, now)
        ]

    def _read(self, frame: bytes, now: Instant) -> list[DeviceEvent]:
        self._head = None
        text = read_text(frame[TEXT_AT:])
        if isinstance(text, str):
            return [reject(text, frame, now)]
        missing = self._names - text.fields.keys()
        if missing and missing != self._missing:  # every line comes each time; twice is no damage
            self._missing = missing
            return [reject(f"line {min(missing)} is missing", frame, now)]
        self._names, self._missing = frozenset(text.fields), frozenset()
        start = len(MARK) + PLETH_AT
        samples = tuple(float(byte - PLETH_ZERO) for byte in frame[start : start + PLETH_SIZE])
        events = self._tell(text, now)
        events.append(WaveformSegment(Metric.PLETH, now, PLETH_RATE_HZ, samples))
        if b"DEMO" in frame[TEXT_AT:].upper():
            events = [
                each
                if isinstance(each, FrameRejected)
                else msgspec.structs.replace(each, mode=GenerationMode.DEMO)
                for each in events
            ]
        return events

    def _tell(self, text: Text, now: Instant) -> list[DeviceEvent]:
        events: list[DeviceEvent] = []
        for name in text.unknown:
            events += self._unknown.meet(f"line {name}", now)
        if not self._is_unit_told:
            self._is_unit_told = True
            detail = f"CO2 is set to {self._unit} and is told in mmHg"
            events.append(DeviceNotice(NoticeKind.UNIT_CONVERTED, now, detail=detail))
        events += self._read_alarms(text, now)
        events += self._read_vitals(text, now)
        events += self._read_pressures(text, now)
        return events

    def _read_alarms(self, text: Text, now: Instant) -> list[DeviceEvent]:
        """Tell what began and what ended since the last frame."""
        present: dict[NoticeKind | str, DeviceNotice | DeviceAlarm] = {}
        for name, field in text.fields.items():
            if not field.alarm:
                continue
            says = alarm_of(name, field.alarm)
            if isinstance(says, NoticeKind):
                present[says] = DeviceNotice(says, now, detail=field.alarm)
            else:
                present[says[0]] = DeviceAlarm(says[0], now, metric=says[1], detail=field.alarm)
        ended = [
            msgspec.structs.replace(each, at=now, present=False, detail="")
            for key, each in self._states.items()
            if key not in present
        ]
        begun = [each for key, each in present.items() if key not in self._states]
        self._states = present
        return [*ended, *begun]

    def _read_vitals(self, text: Text, now: Instant) -> list[DeviceEvent]:
        told: list[DeviceEvent] = []
        heart, breath, co2, oximeter = (
            text.fields.get(name) for name in ("HR", "RR", "ETCO2", "SPO2")
        )
        if heart is not None:
            is_ecg = heart.label.startswith("ECG") or not heart.label
            trust = Validity.VALID if is_ecg else Validity.QUESTIONABLE
            if not is_ecg:
                told += self._unknown.meet(f"HR label {heart.label}", now)
            told.append(read(Metric.HEART_RATE, heart.values[0], now, validity=trust))
        if co2 is not None:
            told += self._read_co2(co2, now)
        if breath is not None:
            by_co2 = co2 is not None and co2.values[0]
            trust = Validity.VALID if by_co2 else Validity.QUESTIONABLE
            told.append(read(Metric.RESP_RATE, breath.values[0], now, validity=trust))
        if oximeter is not None:
            is_off = NoticeKind.SENSOR_OFF in self._states
            trust = Validity.VALID
            if NoticeKind.SEARCHING in self._states:
                trust = Validity.QUESTIONABLE
            for metric, value in zip(
                (Metric.SPO2, Metric.PULSE_RATE), oximeter.values, strict=True
            ):
                told.append(read(metric, None if is_off else value or None, now, validity=trust))
        return told + self._read_temp(text, now)

    def _read_co2(self, field: Field, now: Instant) -> list[DeviceEvent]:
        value = field.values[0]
        if field.has_decimals and self._unit == "mmHg":
            words = "ETCO2 has decimals, so it is not in mmHg: set co2_unit"
            return [*self._unknown.meet(words, now), read(Metric.ETCO2, None, now)]
        trust = Validity.QUESTIONABLE if self._unit == "%" else Validity.VALID
        scaled = None if value is None else round(value * self._scale, 2)
        return [read(Metric.ETCO2, scaled, now, validity=trust)]

    def _read_temp(self, text: Text, now: Instant) -> list[DeviceEvent]:
        """Tell the first temperature that has a value; nothing where there never was one."""
        values = [text.fields.get(name, _NO_FIELD).values[0] for name in ("T1", "T2")]
        value = next((each for each in values if each is not None), None)
        self._had_temp |= value is not None
        return [read(Metric.TEMP, value, now)] if self._had_temp else []

    def _read_pressures(self, text: Text, now: Instant) -> list[DeviceEvent]:
        """Tell a cuff reading when its numbers change."""
        is_first, before = self._pressures is None, self._pressures
        field = text.fields.get("NIBP", _NO_FIELD)
        self._pressures = field.values
        if field.values == before or all(each is None for each in field.values):
            return []
        trust = Validity.QUESTIONABLE if is_first else Validity.VALID
        return [
            read(metric, value or None, now, taken=now, validity=trust)
            for metric, value in zip((*NIBP, Metric.NIBP_PULSE), field.values, strict=True)
        ]


_OWN: Final = "put together by hand from the fields of an open parser"
_TEXT: Final = (
    b"HR=1;72;ECG-II-DIAG;\rRR=1;14;;\rETCO2=1;38;;\rSPO2=1;97;PR=72 ;\r"
    b"NIBP=4;118;76;90;72;;\rP1=3;;;;;\rP2=3;;;;NO TRANSDUCER;\rT1=1;37.0;;\rT2=1;;;\r"
)
_START: Final = bytes.fromhex("FF414E5341522D4220")
_WAVES: Final = (
    bytes.fromhex("64") * 200
    + bytes.fromhex("00") * 50
    + bytes.fromhex("56") * 50
    + bytes.fromhex("50") * 50
    + bytes.fromhex("FB") * 50
)
_QUIET: Final = (
    (Metric.HEART_RATE, 72.0),
    (Metric.ETCO2, 38.0),
    (Metric.RESP_RATE, 14.0),
    (Metric.SPO2, 97.0),
    (Metric.PULSE_RATE, 72.0),
    (Metric.TEMP, 37.0),
    (Metric.NIBP_SYS, 118.0),
    (Metric.NIBP_DIA, 76.0),
    (Metric.NIBP_MEAN, 90.0),
    (Metric.NIBP_PULSE, 72.0),
)

DRIVER: Final = Driver(
    name="ansar",
    title="Ivy 450C bedside monitor (ANSAR-B)",
    reference="ANSAR-B serial output, as read by an open implementation",
    evidence=Evidence.OPEN_IMPLEMENTATION,
    transports=frozenset({TransportKind.SERIAL, TransportKind.TCP}),
    metrics=frozenset({*(metric for metric, _ in _QUIET), Metric.PLETH}),
    silence_limit=seconds(3),
    detects_corruption=False,
    frames_lost_after_cut_max=0,
    open_protocol=AnsarProtocol,
    encode=encode,
    open_device=AnsarDevice,
    round_trip={
        Metric.HEART_RATE: (1, 250, 1),
        Metric.RESP_RATE: (1, 120, 1),
        Metric.ETCO2: (1, 140, 1),
        Metric.SPO2: (1, 100, 1),
        Metric.PULSE_RATE: (10, 250, 1),
        Metric.NIBP_SYS: (150, 280, 1),
        Metric.NIBP_DIA: (30, 100, 1),
        Metric.NIBP_MEAN: (101, 149, 1),
        Metric.NIBP_PULSE: (30, 250, 1),
        Metric.TEMP: (20, 45, 0.5),
    },
    vectors=(
        Vector(_START + _WAVES + _TEXT + b"\xfe", _QUIET, _OWN),
        Vector(_TEXT, _QUIET, _OWN),
        Vector(
            b"SPO2=1;84;PR=72 ;SPO2 LOW\r",
            ((Metric.SPO2, 84.0), (Metric.PULSE_RATE, 72.0)),
            _OWN,
        ),
    ),
    doubts=(
        "there is no checksum: a digit garbled into another digit is another reading",
        "the wording of alarms is not known but for SPO2 LOW: others are told by their text",
        "two cuff readings with the same numbers are one to us",
        "the CO2 curve has no known scale and is not told",
    ),
)
