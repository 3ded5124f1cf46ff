"""The displayed values of a DRI record, basic class: groups to values, states and notices.

Every group begins with a status word and a label; what a group says counts only while its module is
there (bit 0) and measures (bit 1): the ambient pressure, for one, stays valid without a CO2 module.

Left alone, because no metric of ours holds them: ST, invasive pressures, O2, N2O, agents, flow and
volume, cardiac output, NMT, SvO2; of T1 to T4 the first that measures is told.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Final

from drivers.reading import Flag, StatusWord, read
from monitor.model.event import DeviceEvent, DeviceNotice, NoticeKind, Observation, Validity
from monitor.model.instant import Instant
from monitor.model.metric import Metric

SUBRECORD_SIZE: Final = 278
DATA_AT: Final = 4  # after the time stamp
CLASS_AT: Final = 276
DATA_SIZE: Final = 270

ECG_AT, NIBP_AT, SPO2_AT, CO2_AT, ECG_EXTRA_AT = 0, 72, 118, 132, 226
TEMPS_AT: Final = (86, 94, 102, 110)
PRESENT, ACTIVE = 1, 2
NO_DATA: Final = -32767
NOT_UPDATED: Final = -32766
UNDER, OVER, NOT_CALIBRATED = -32764, -32763, -32762
_LAST_SENTINEL: Final = -32001
_LEVEL_RR_IS_CO2: Final = 8
RR_FROM_CO2, RR_FROM_IMPEDANCE = 1, 2
_ECG_SOURCES: Final = frozenset({1, 9})
_NO_SOURCE: Final = 0
SOURCE_SHIFT: Final = 3
AMBIENT_MMHG: Final = 760.0
_AMBIENT_PLAUSIBLE: Final = (400.0, 850.0)

_GROUP: Final = Struct("<IH")
_WORD: Final = Struct("<h")

ECG_FLAGS: Final = (
    Flag(0x04, "asystole", Metric.HEART_RATE),
    Flag(0x3800, "ecg_channel_off", Metric.HEART_RATE),
)
SPO2_OFF: Final = 0x100  # our own bit: the module is there and measures nothing
SPO2_FLAGS: Final = (Flag(SPO2_OFF, NoticeKind.SENSOR_OFF, detail="SpO2 is not measured"),)
ZEROING: Final = 0x18
CO2_FLAGS: Final = (
    Flag(0x04, "no_breath", Metric.RESP_RATE),
    Flag(0x80, "apnoea", Metric.RESP_RATE),
    Flag(ZEROING, NoticeKind.AUTO_ZERO),
    Flag(0x20, NoticeKind.OCCLUSION),
    Flag(0x40, NoticeKind.SAMPLE_LINE_OFF, detail="air leak"),
    Flag(0x100, NoticeKind.AUDIO_PAUSED_AT_DEVICE, detail="apnoea alarm off"),
    Flag(0x200, NoticeKind.CO2_FAULT, detail="gas measurement wet"),
)


def word(data: bytes, at: int) -> int:
    """Return the signed word at a place."""
    number: int = _WORD.unpack_from(data, at)[0]
    return number


def number_at(data: bytes, at: int) -> int | None:
    """Return the number at a place, None where the monitor has none."""
    number = word(data, at)
    return None if number <= _LAST_SENTINEL else number


def observe_at(
    metric: Metric,
    data: bytes,
    at: int,
    now: Instant,
    *,
    scale: float = 1.0,
    validity: Validity = Validity.VALID,
) -> Observation:
    """Return what the word at a place says of `metric`; sentinels keep their meaning."""
    number = word(data, at)
    if number in {UNDER, OVER}:
        out = Validity.OVERFLOW if number == OVER else Validity.UNDERFLOW
        return Observation(metric, None, out, now)
    if number <= _LAST_SENTINEL:
        return Observation(metric, None, Validity.NOT_AVAILABLE, now)
    return read(metric, round(number * scale, 4), now, validity=validity)


class DisplayedReader:
    """Reads the displayed values of one monitor, all but the cuff."""

    def __init__(self) -> None:
        self._ecg = StatusWord(ECG_FLAGS)
        self._spo2 = StatusWord(SPO2_FLAGS)
        self._co2 = StatusWord(CO2_FLAGS)
        self._told: set[Metric] = set()  # whose loss is worth telling
        self._has_co2 = False
        self._scale_words = ""
        self._label_told = False
        self.ambient_mmhg: float | None = None
        """What the monitor says the air weighs; None where it says nothing believable."""

    def read(self, data: bytes, level: int, now: Instant) -> Sequence[DeviceEvent]:
        """Return what the class data say; at least `DATA_SIZE` bytes. `level` is the DRI level."""
        events: list[DeviceEvent] = []
        self._read_ecg(data, events, now)
        self._read_temps(data, events, now)
        self._read_spo2(data, events, now)
        self._read_co2(data, level, events, now)
        return events

    def co2_scale(self) -> tuple[float, Validity]:
        """Return mmHg for each 0.01 Vol%, and how far it can be trusted."""
        trust = Validity.QUESTIONABLE if self.ambient_mmhg is None else Validity.VALID
        return (self.ambient_mmhg or AMBIENT_MMHG) / 10_000, trust

    def tell_scale(self, now: Instant) -> Sequence[DeviceEvent]:
        """Return the notice that CO2 is converted, when what it is converted with has changed."""
        source = "stated by the monitor" if self.ambient_mmhg is not None else "UNCERTAIN: assumed"
        pressure = self.ambient_mmhg or AMBIENT_MMHG
        words = f"CO2 comes in Vol% and is told in mmHg; ambient {source}"
        if words == self._scale_words:
            return ()
        self._scale_words = words
        detail = f"{words}, {pressure:g} mmHg"
        return [DeviceNotice(NoticeKind.UNIT_CONVERTED, now, detail=detail)]

    def _tell(self, events: list[DeviceEvent], observation: Observation, *, counts: bool) -> None:
        """Tell a value of a module that measures; else, once there was one, that there is none."""
        metric = observation.metric
        if counts:
            self._told.add(metric)
            events.append(observation)
        elif metric in self._told:
            events.append(Observation(metric, None, Validity.NOT_AVAILABLE, observation.at))

    def _read_ecg(self, data: bytes, events: list[DeviceEvent], now: Instant) -> None:
        status, _ = _GROUP.unpack_from(data, ECG_AT)
        is_on = status & 3 == 3
        events += self._ecg.read(status if is_on else 0, now)
        self._tell(events, _heart_rate(data, status >> SOURCE_SHIFT & 0xF, now), counts=is_on)
        co2_status, _ = _GROUP.unpack_from(data, CO2_AT)
        self._has_co2 = self._has_co2 or bool(co2_status & PRESENT)
        if not self._has_co2:
            impedance = observe_at(Metric.RESP_RATE, data, ECG_AT + 14, now)
            self._tell(events, impedance, counts=is_on)

    def _read_temps(self, data: bytes, events: list[DeviceEvent], now: Instant) -> None:
        for at in TEMPS_AT:
            if data[at] & 3 == 3 and number_at(data, at + 6) is not None:
                self._tell(
                    events, observe_at(Metric.TEMP, data, at + 6, now, scale=0.01), counts=True
                )
                return
        nothing = Observation(Metric.TEMP, None, Validity.NOT_AVAILABLE, now)
        self._tell(events, nothing, counts=False)

    def _read_spo2(self, data: bytes, events: list[DeviceEvent], now: Instant) -> None:
        status, label = _GROUP.unpack_from(data, SPO2_AT)
        if label & 3 > 1:  # the same module can show venous saturation
            if status & PRESENT and not self._label_told:
                self._label_told = True
                detail = f"SpO2 group labelled {label & 3}: not arterial, not told"
                events.append(DeviceNotice(NoticeKind.UNKNOWN_FIELD, now, detail=detail))
            return
        is_on = status & 3 == 3
        has_value = is_on and number_at(data, SPO2_AT + 6) is not None
        is_off = bool(status & PRESENT) and not has_value
        events += self._spo2.read(SPO2_OFF if is_off else 0, now)
        places = (
            (Metric.SPO2, SPO2_AT + 6, 0.01),
            (Metric.PULSE_RATE, SPO2_AT + 8, 1.0),
            (Metric.PERFUSION_INDEX, SPO2_AT + 10, 0.01),
        )
        for metric, at, scale in places:
            self._tell(events, observe_at(metric, data, at, now, scale=scale), counts=is_on)

    def _read_co2(self, data: bytes, level: int, events: list[DeviceEvent], now: Instant) -> None:
        status, label = _GROUP.unpack_from(data, CO2_AT)
        ambient = number_at(data, CO2_AT + 12)
        low, high = _AMBIENT_PLAUSIBLE
        is_stated = ambient is not None and low <= ambient / 10 <= high
        self.ambient_mmhg = ambient / 10 if is_stated and ambient is not None else None
        is_on = status & 3 == 3
        events += self._co2.read(status if status & PRESENT else 0, now)
        if is_on:
            events += self.tell_scale(now)
        scale, trust = self.co2_scale()
        for metric, at in ((Metric.ETCO2, CO2_AT + 6), (Metric.FICO2, CO2_AT + 8)):
            raw = observe_at(metric, data, at, now, scale=scale)
            if raw.value is not None:
                raw = Observation(metric, round(raw.value, 1), trust, now)
            self._tell(events, _unless(raw, is_zeroing=bool(status & ZEROING)), counts=is_on)
        if not self._has_co2:
            return
        is_co2_rate = level >= _LEVEL_RR_IS_CO2 or label & 7 != RR_FROM_IMPEDANCE
        rate_trust = Validity.VALID if is_co2_rate else Validity.QUESTIONABLE
        rate = observe_at(Metric.RESP_RATE, data, CO2_AT + 10, now, validity=rate_trust)
        is_zeroing = bool(status & ZEROING) and is_co2_rate
        self._tell(events, _unless(rate, is_zeroing=is_zeroing), counts=is_on)


def _heart_rate(data: bytes, source: int, now: Instant) -> Observation:
    """Return the rate of the ECG: the one shown where the ECG is its source, else its own field.

    That field is young: an old interface may leave it empty, and name no source of what it shows.
    """
    shown = observe_at(Metric.HEART_RATE, data, ECG_AT + 6, now)
    if source in _ECG_SOURCES and shown.value is not None:
        return shown
    own = observe_at(Metric.HEART_RATE, data, ECG_EXTRA_AT, now)
    if own.value is None and source == _NO_SOURCE and shown.value is not None:
        return Observation(Metric.HEART_RATE, shown.value, Validity.QUESTIONABLE, now)
    return own


def _unless(observation: Observation, *, is_zeroing: bool) -> Observation:
    """Return a value of a module that zeroes itself as being measured: its 0 is no apnoea."""
    if not is_zeroing:
        return observation
    return Observation(observation.metric, None, Validity.MEASURING, observation.at)
