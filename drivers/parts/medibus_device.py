"""The MEDIBUS device's own side: it begins by itself, answers, and wants to be answered."""

from collections.abc import Sequence
from typing import Final

from drivers.bedside import Beat, Said
from drivers.clock import SOME_OPENING_S, calendar_of
from drivers.framing import Piece
from drivers.parts.medibus_codes import ALARMS_1, NIBP_AGE, NIBP_CODES, PLAIN, TEMP_CODES
from drivers.parts.medibus_curves import Curve, item, record
from drivers.parts.medibus_frames import Code, Frame, MedibusSplitter, RealTime, answer, command
from monitor.model.event import DeviceEvent, Observation
from monitor.model.instant import Instant, between, in_seconds, later, seconds
from monitor.model.metric import NIBP, Metric

IDENTITY: Final = b"8300'Capnosat'01.00:03.00"
_GERMAN: Final = "JAN FEB MAR APR MAI JUN JUL AUG SEP OKT NOV DEZ"
_INIT_EVERY: Final = seconds(3)
_SILENCE: Final = seconds(3)
_ANSWER_DELAY: Final = seconds(0.05)
_EMBED_EVERY: Final = 10  # each tenth answer carries a NOP inside
_CURVE_RATE_HZ: Final = 50
_CURVES: Final = (
    Curve(0x00, 20_000, -10, 100, 0x370),
    Curve(0x06, 20_000, -20, 100, 0x460),
    Curve(0x02, 20_000, 0, 255, 0xFF),
)
_OFFER: Final = b"".join(item(each) for each in _CURVES)
_CURVE_METRICS: Final = {0x06: Metric.CO2_WAVE, 0x02: Metric.PLETH}
_UNITS_TEXT: Final = b"22" + bytes([0x30 + 8]) + b"CO2 mmHg" + b"\x03"
_FIXED: Final[dict[int, bytes]] = {
    Code.TEXT: _UNITS_TEXT,
    Code.IDENTITY: IDENTITY,
    Code.REAL_TIME_SETTING: _OFFER,
}
_SENT: Final = (
    *PLAIN,
    (0xD5, Metric.RESP_RATE),
    (0xE6, Metric.ETCO2),
    (0xE5, Metric.FICO2),
    (TEMP_CODES[0], Metric.TEMP),
)


def measured(said: Said, now: Instant) -> bytes:
    """Return the items of what has a value; what has none is not sent."""
    data = b""
    for code, metric in (*_SENT, *NIBP_CODES):
        value = said.value(metric)
        if value is None:
            continue
        text = f"{value:.1f}" if metric is Metric.TEMP else f"{value:.0f}"
        data += b"%02X" % code + text.rjust(3).ljust(4)[:4].encode("ascii")
    pressure = said.observations.get(NIBP[0])
    if pressure is not None and pressure.value is not None:
        age_min = max(0, int(in_seconds(between(_moment(pressure), now)) // 60))
        data += b"%02X" % NIBP_AGE + f"{min(999, age_min):>3} ".encode("ascii")
    return data


def _moment(pressure: Observation) -> Instant:
    return pressure.at if pressure.taken is None else pressure.taken


def _alarms(said: Said) -> bytes:
    """Return the items of the alarms and states of now, one for each."""
    data, told = b"", set()
    for code, (says, _, _) in ALARMS_1.items():
        if says in told or (says not in said.alarms and says not in said.notices):
            continue
        told.add(says)
        priority = 31 if says == "no_breath" else 18
        data += (
            bytes([0x30 + priority]) + b"%02X" % code + str(says).upper()[:12].ljust(12).encode()
        )
    return data


def _date(now: Instant) -> bytes:
    year, month, day, hour, minute, second = calendar_of(SOME_OPENING_S + in_seconds(now))
    name = _GERMAN.split()[month - 1]
    return f"{hour:02d}:{minute:02d}:{second:02d}{day:02d}-{name}-{year % 100:02d}".encode("ascii")


def encode(events: Sequence[DeviceEvent]) -> bytes:
    """Return the answers that say `events`: alarms where there are any, then measured data."""
    said = Said()
    said.hear(events)
    now = max((each.at for each in events), default=Instant(0))
    states = answer(Code.ALARMS_1, _alarms(said)) if said.alarms or said.notices else b""
    return states + answer(Code.MEASURED_1, measured(said, now))


class MedibusDevice:
    """A Capnosat: calls every three seconds until answered; then answers what it is asked."""

    def __init__(self) -> None:
        self._said = Said(co2_wave=_CURVE_RATE_HZ, pleth=_CURVE_RATE_HZ)
        self._chosen: list[Curve] = []
        self._curve_beat = Beat(_CURVE_RATE_HZ)
        self._frames = MedibusSplitter()
        self._is_on = False
        self._heard_at = Instant(0)
        self._call_at = Instant(0)
        self._count = 0
        self._answer_at: Instant | None = None
        self._outgoing: list[bytes] = []

    @property
    def wake_at(self) -> Instant | None:
        """When an answer is due, the host counts as silent, or is called."""
        due = later(self._heard_at, _SILENCE) if self._is_on else self._call_at
        others = (self._answer_at, self._curve_beat.at)
        return min([due, *(each for each in others if each is not None)])

    def say(self, events: Sequence[DeviceEvent], now: Instant) -> None:
        """Take what the patient is like now."""
        del now
        self._said.hear(events)

    def receive(self, data: bytes, now: Instant) -> None:
        """Answer commands; an answered call means that the host is there."""
        for found in self._frames.feed(data):
            if isinstance(found, RealTime):
                self._switch(found.data, now)
            elif isinstance(found, Piece):
                self._outgoing.append(answer(Code.NAK))
            elif isinstance(found, Frame):
                self._heard_at = now
                self._answer_at = later(now, _ANSWER_DELAY)
                if found.code in {Code.INIT, Code.STOP}:
                    self._stop_curves()
                if found.is_command:
                    self._obey(found, now)
                elif found.code == Code.INIT:
                    self._is_on = True

    def _obey(self, asked: Frame, now: Instant) -> None:
        if asked.code == Code.INIT:
            self._is_on = True
            self._outgoing += [answer(Code.INIT), command(Code.IDENTITY)]
        elif asked.code == Code.STOP:
            self._is_on = False
            self._call_at = later(now, _INIT_EVERY)
            self._outgoing.append(answer(Code.STOP))
        elif self._is_on:
            if asked.code == Code.REAL_TIME_CHOICE:
                self._choose(asked.data)
            self._outgoing.append(self._answer(asked.code, now))

    def _choose(self, argument: bytes) -> None:
        codes = [int(argument[at : at + 2], 16) for at in range(0, len(argument), 4)]
        self._chosen = [each for code in codes for each in _CURVES if each.code == code]

    def _switch(self, data: bytes, now: Instant) -> None:
        """Send what was chosen once it is switched on."""
        if data[:2] == b"\xd0\xc1" and self._chosen and self._curve_beat.at is None:
            for tape in self._said.tapes.values():
                tape.rewind()
            self._curve_beat.start(now)

    def _stop_curves(self) -> None:
        """Forget what was chosen, as at each start."""
        self._chosen.clear()
        self._curve_beat.stop()

    def _record(self) -> bytes:
        raws = []
        for curve in self._chosen:
            metric = _CURVE_METRICS.get(curve.code)
            sample = self._said.tapes[metric].take() if metric is not None else None
            share = ((sample or 0) - curve.low) / (curve.high - curve.low)
            raws.append(max(0, min(curve.bins, round(share * curve.bins))))
        return record(raws)

    def _answer(self, code: int, now: Instant) -> bytes:
        sent = answer(code, self._data(code, now))
        self._count += 1
        if self._count % _EMBED_EVERY == 0:
            return sent[:2] + command(Code.NOP) + sent[2:]
        return sent

    def _data(self, code: int, now: Instant) -> bytes:
        match code:
            case Code.MEASURED_1:
                return measured(self._said, now)
            case Code.ALARMS_1:
                return _alarms(self._said)
            case Code.DATE:
                return _date(now)
            case _:
                return _FIXED.get(code, b"")

    def wake(self, now: Instant) -> None:
        """Call the host; one that fell silent is called again."""
        if self._answer_at is not None and now >= self._answer_at:
            self._answer_at = None
        if self._is_on and between(self._heard_at, now) >= _SILENCE:
            self._is_on = False
            self._stop_curves()
            self._call_at = now
        if not self._is_on and now >= self._call_at:
            self._call_at = later(now, _INIT_EVERY)
            self._outgoing.append(command(Code.INIT))
        while self._curve_beat.is_due(now):
            self._outgoing.append(self._record())

    def take_outgoing(self) -> Sequence[bytes]:
        """Return what is sent."""
        sent, self._outgoing = self._outgoing, []
        return sent
