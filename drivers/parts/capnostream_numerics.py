"""The Capnostream's numerics message, one a second: values, states, alarms, the CO2 unit."""

from collections.abc import Sequence
from typing import Final

from drivers.parts.capnostream_events import EventNames
from drivers.reading import Flag, StatusWord, read
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    Observation,
    Validity,
    reject,
)
from monitor.model.instant import OPENING, Instant, between, in_seconds
from monitor.model.metric import Metric

NUMERICS_SIZE: Final = 28  # code included
MISSING: Final = 0xFF
MMHG, KPA, VOL_PERCENT = 1, 2, 3
MMHG_PER_KPA: Final = 7.50062
CLOCK_STEP_S_MAX: Final = 86_400

# Places in the message after its code, counted from 0.
ETCO2_AT, FICO2_AT, RESP_RATE_AT, SPO2_AT, PULSE_AT = 4, 5, 6, 7, 8
SLOW_STATUS_AT, CO2_ALARMS_AT, SPO2_ALARMS_AT, NO_BREATH_S_AT = 9, 13, 14, 15
LIMITS_AT, UNIT_AT, EXTENDED_AT = 16, 25, 26

NEONATAL: Final = 0x01
NO_BREATH: Final = 0x01
SENSOR_OFF: Final = 0x60
SLOW_FLAGS: Final = (Flag(0x06, NoticeKind.AUDIO_PAUSED_AT_DEVICE),)
CO2_ALARM_FLAGS: Final = (
    Flag(NO_BREATH, "no_breath", Metric.RESP_RATE),
    Flag(0x02, "etco2_high", Metric.ETCO2),
    Flag(0x04, "etco2_low", Metric.ETCO2),
    Flag(0x08, "resp_rate_high", Metric.RESP_RATE),
    Flag(0x10, "resp_rate_low", Metric.RESP_RATE),
    Flag(0x20, "fico2_high", Metric.FICO2),
)
SPO2_ALARM_FLAGS: Final = (
    Flag(0x01, "pulse_not_found", Metric.PULSE_RATE),
    Flag(0x02, "spo2_high", Metric.SPO2),
    Flag(0x04, "spo2_low", Metric.SPO2),
    Flag(0x08, "pulse_rate_high", Metric.PULSE_RATE),
    Flag(0x10, "pulse_rate_low", Metric.PULSE_RATE),
    Flag(SENSOR_OFF, NoticeKind.SENSOR_OFF),
)
EXTENDED_FLAGS: Final = (
    Flag(0x01, NoticeKind.CHECK_CALIBRATION),
    Flag(0x02, NoticeKind.DEVICE_FAULT, detail="check flow"),
    Flag(0x04, NoticeKind.DEVICE_FAULT, detail="pump off"),
    Flag(0x80, NoticeKind.LOW_BATTERY),
)
_SOUNDS: Final = ((0x08, "high priority"), (0x10, "low priority"), (0x20, "advisory"))


class NumericsReader:
    """Reads the messages of one monitor; knows the CO2 unit and the edges of its states."""

    def __init__(self, ambient_mmhg: float, names: EventNames) -> None:
        self._ambient_mmhg = ambient_mmhg
        self._names = names
        self._set_up = b""
        self._heard_at = OPENING
        self._slow = StatusWord(SLOW_FLAGS)
        self._co2_alarms = StatusWord(CO2_ALARM_FLAGS)
        self._spo2_alarms = StatusWord(SPO2_ALARM_FLAGS)
        self._extended = StatusWord(EXTENDED_FLAGS)
        self._unit = 0
        self._clock: int | None = None  # the monitor's own, seconds since 1970
        self._clock_refused: int | None = None
        self.co2_scale: float | None = None
        """What a whole unit of CO2 in a message is in mmHg; None until the unit was told."""

    def read(self, body: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Return what the message says; one shifted by a byte is refused, checksum or not."""
        flaw = self._flaw(body)
        if flaw:
            return [reject(flaw, body, now)]
        self._heard_at = now
        events = [*self._read_unit(body[UNIT_AT], now)]
        events += self._names.read(body, now)
        events += self._read_limits(body, now)
        events += self._read_states(body, now)
        events += self._read_values(body, now)
        return events

    def clock_s(self, now: Instant) -> float | None:
        """Return the monitor's clock of now, None where it was never told."""
        since_s = in_seconds(between(self._heard_at, now))
        return None if self._clock is None else self._clock + since_s

    def _read_limits(self, body: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Tell the monitor's own limits once, and when somebody changed them there."""
        is_neonatal = body[SLOW_STATUS_AT] & NEONATAL
        set_up = bytes([is_neonatal, body[UNIT_AT]]) + body[LIMITS_AT:UNIT_AT]
        if set_up == self._set_up:
            return ()
        self._set_up = set_up
        unit = {KPA: " kPa", VOL_PERCENT: " Vol%"}.get(body[UNIT_AT], " mmHg")
        tenths = 1 if body[UNIT_AT] == MMHG else 10
        etco2_high, etco2_low, rr_high, rr_low, fico2, spo2_high, spo2_low, high, low = set_up[2:]
        words = (
            f"set for {'a newborn' if is_neonatal else 'an adult'}; its alarm limits: "
            f"EtCO2 {etco2_low / tenths:g} to {etco2_high / tenths:g}{unit}, "
            f"FiCO2 {fico2 / tenths:g}{unit}, respiration {rr_low} to {rr_high}, "
            f"SpO2 {spo2_low} to {spo2_high}, pulse {low} to {high}"
        )
        return [DeviceNotice(NoticeKind.HOST_MESSAGE, now, detail=words)]

    def _flaw(self, body: bytes) -> str:
        """Return why this message is not to be believed; empty if it is.

        A clock that jumps by more than a day is how a shifted message shows. A clock that was set
        anew looks the same once: the next message, in step with the refused one, is believed.
        """
        if body[UNIT_AT] not in {MMHG, KPA, VOL_PERCENT}:
            return "unit is none of 1, 2, 3: shifted message"
        clock = int.from_bytes(body[:4], "big")
        known = [each for each in (self._clock, self._clock_refused) if each is not None]
        if known and all(abs(clock - each) > CLOCK_STEP_S_MAX for each in known):
            self._clock_refused = clock
            return "clock jumped: shifted message"
        self._clock, self._clock_refused = clock, None
        return ""

    def _read_unit(self, unit: int, now: Instant) -> Sequence[DeviceEvent]:
        if unit == self._unit:
            return ()
        was, self._unit = self._unit, unit
        per_tenth = {KPA: MMHG_PER_KPA / 10, VOL_PERCENT: self._ambient_mmhg / 1000}
        self.co2_scale = per_tenth.get(unit, 1.0)
        if unit == MMHG:
            return [DeviceNotice(NoticeKind.UNIT_CONVERTED, now, present=False)] if was else ()
        detail = "CO2 comes in kPa and is told in mmHg"
        if unit == VOL_PERCENT:
            detail = f"CO2 comes in Vol% and is told in mmHg at {self._ambient_mmhg:g} mmHg ambient"
        return [DeviceNotice(NoticeKind.UNIT_CONVERTED, now, detail=detail)]

    def _read_states(self, body: bytes, now: Instant) -> Sequence[DeviceEvent]:
        sounds = [name for mask, name in _SOUNDS if body[SLOW_STATUS_AT] & mask]
        more = f"monitor sounds {', '.join(sounds)}" if sounds else ""
        if body[CO2_ALARMS_AT] & NO_BREATH:
            no_breath = f"no breath for {body[NO_BREATH_S_AT]} s"
            more = f"{no_breath}; {more}" if more else no_breath
        return [
            *self._slow.read(body[SLOW_STATUS_AT], now),
            *self._co2_alarms.read(body[CO2_ALARMS_AT], now, more),
            *self._spo2_alarms.read(body[SPO2_ALARMS_AT], now),
            *self._extended.read(body[EXTENDED_AT], now),
        ]

    def _read_values(self, body: bytes, now: Instant) -> Sequence[Observation]:
        scale = self.co2_scale or 1.0
        trust = Validity.QUESTIONABLE if self._unit == VOL_PERCENT else Validity.VALID
        is_off = bool(body[SPO2_ALARMS_AT] & SENSOR_OFF)  # a number still printed is an old one
        told = []
        for metric, at in ((Metric.ETCO2, ETCO2_AT), (Metric.FICO2, FICO2_AT)):
            raw = body[at]
            value = None if raw == MISSING else round(raw * scale, 2)
            told.append(read(metric, value, now, validity=trust))
        raw = body[RESP_RATE_AT]
        told.append(read(Metric.RESP_RATE, None if raw == MISSING else raw, now))
        for metric, at in ((Metric.SPO2, SPO2_AT), (Metric.PULSE_RATE, PULSE_AT)):
            raw = body[at]
            told.append(read(metric, None if raw == MISSING or is_off else raw, now))
        return told
