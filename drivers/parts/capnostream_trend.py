"""The trend that a Capnostream has stored: what it measured while nobody listened.

::

    37: counter, unit, N x (time (4), EtCO2, FiCO2, RR, SpO2, pulse)      FF missing
        all nine bytes FE: end of a patient; EtCO2 FD: events follow, FC: alarms follow

A download goes through the patients one after the other. Nothing says which of them lies here, so
only what stands behind the last end of a patient counts, and of that only what was stored since our
session opened. All of it is old: it carries the moment it was taken and is questionable.

In a record of events or alarms the four bytes behind the mark are read as their numbers: UNCERTAIN.
"""

from collections.abc import Sequence
from typing import Final

from drivers.parts.capnostream_events import EventNames
from drivers.parts.capnostream_numerics import KPA, MISSING, MMHG, MMHG_PER_KPA, VOL_PERCENT
from drivers.reading import read
from monitor.model.event import DeviceEvent, DeviceNotice, NoticeKind, Validity, reject
from monitor.model.instant import OPENING, Instant, in_seconds, instant_at
from monitor.model.metric import Metric

RECORD_SIZE: Final = 9
RECORDS_MAX: Final = 2000  # kept of one patient; the oldest go first
END_OF_PATIENT: Final = b"\xfe" * RECORD_SIZE
EVENTS_FOLLOW, ALARMS_FOLLOW = 0xFD, 0xFC
_METRICS: Final = (
    Metric.ETCO2,
    Metric.FICO2,
    Metric.RESP_RATE,
    Metric.SPO2,
    Metric.PULSE_RATE,
)
_CO2: Final = frozenset({Metric.ETCO2, Metric.FICO2})
ALARMS: Final = {
    1: "no breath",
    2: "EtCO2 high",
    3: "EtCO2 low",
    4: "respiration high",
    5: "respiration low",
    6: "SpO2 high",
    7: "SpO2 low",
    8: "pulse high",
    9: "pulse low",
    10: "FiCO2 high",
    13: "battery low",
    50: "CO2 not available",
    51: "SpO2 not available",
}


class TrendReader:
    """Collects the records of one download, and tells those of the last patient at its end."""

    def __init__(self, opened_utc_s: float | None, ambient_mmhg: float, names: EventNames) -> None:
        self._opened_utc_s = opened_utc_s
        self._ambient_mmhg = ambient_mmhg
        self._names = names
        self.begin()

    def begin(self) -> None:
        """Forget what came so far: a download begins, or was broken off."""
        self._records: list[tuple[bytes, float]] = []  # with what a unit of CO2 is in mmHg
        self._counter: int | None = None

    def take(self, body: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take one message; tells lost ones and those without their form."""
        scale = {MMHG: 1.0, KPA: MMHG_PER_KPA / 10, VOL_PERCENT: self._ambient_mmhg / 1000}.get(
            body[1] if len(body) > 1 else 0
        )
        if scale is None or (len(body) - 2) % RECORD_SIZE:
            return [reject("trend without its form", body, now)]
        lost = 0 if self._counter is None else (body[0] - self._counter - 1) & 0xFF
        self._counter = body[0]
        for at in range(2, len(body), RECORD_SIZE):
            record = body[at : at + RECORD_SIZE]
            if record == END_OF_PATIENT:
                self._records.clear()
            else:
                self._records.append((record, scale))
        del self._records[:-RECORDS_MAX]
        if not lost:
            return ()
        return [DeviceNotice(NoticeKind.MESSAGES_LOST, now, detail=f"{lost} trend messages")]

    def tell(self, now: Instant, device_s: float | None) -> list[DeviceEvent]:
        """Return what the last patient's records say; the download is over.

        `device_s` is the monitor's clock of now where that is known: it places the records best.
        """
        times = [int.from_bytes(record[:4], "big") for record, _ in self._records]
        if not times:
            return []
        if device_s is None:
            is_known = self._opened_utc_s is not None
            device_s = (self._opened_utc_s or 0) + in_seconds(now) if is_known else max(times)
        events: list[DeviceEvent] = []
        for (record, scale), time in zip(self._records, times, strict=True):
            taken = Instant(now - instant_at(round(device_s - time, 3)))
            if taken <= now and (taken >= OPENING or self._opened_utc_s is None):
                events += self._tell_record(record[4:], scale, taken, now)
        self.begin()
        return events

    def _tell_record(
        self, values: bytes, scale: float, taken: Instant, now: Instant
    ) -> list[DeviceEvent]:
        ago = f"{in_seconds(Instant(now - taken)):.0f} s ago"
        if values[0] in {EVENTS_FOLLOW, ALARMS_FOLLOW}:
            is_alarm = values[0] == ALARMS_FOLLOW
            names = [
                ALARMS.get(each, f"alarm {each}") if is_alarm else self._names.name_of(each)
                for each in values[1:]
                if each and not (is_alarm and each == MISSING)
            ]
            kind = "alarm" if is_alarm else "mark"
            words = [f"stored {kind} of {ago}: {name}" for name in names]
            return [DeviceNotice(NoticeKind.HOST_MESSAGE, now, detail=each) for each in words]
        trust = Validity.QUESTIONABLE
        return [
            read(
                metric,
                round(raw * scale, 2) if metric in _CO2 else raw,
                now,
                taken=taken,
                validity=trust,
            )
            for metric, raw in zip(_METRICS, values, strict=True)
            if raw != MISSING
        ]
