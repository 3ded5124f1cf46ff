"""Datex-Ohmeda S/5, CARESCAPE and B-series monitors: DRI records on the computer interface.

::

    7E | record | CHK | 7E      a record is a header of 40 bytes and up to eight subrecords

The monitor sends nothing until asked. We ask for displayed values each `interval_s`, for the pleth
and CO2 waves, for the auxiliary record (when the cuff measured) and, where the interface is new
enough, for the alarm lines; and ask again when what we asked for stops. No setting of the monitor
is changed, and no measurement is started.

CO2 comes in Vol% and is told in mmHg with the ambient pressure that the monitor states. The heart
rate is told from the ECG alone: what the monitor shows as HR may be the pulse of the oximeter.
"""

from collections.abc import Sequence
from typing import Annotated, Final

from msgspec import Meta

from drivers.clock import DeviceClock
from drivers.contract import (
    NO_OPTIONS,
    Driver,
    Evidence,
    Options,
    SerialLine,
    TransportKind,
)
from drivers.options import CommonOptions, read_options
from drivers.parts.datex_cuff import CuffReader
from drivers.parts.datex_displayed import (
    CLASS_AT,
    DATA_AT,
    SUBRECORD_SIZE,
    DisplayedReader,
)
from drivers.parts.datex_monitor import DatexDevice, encode
from drivers.parts.datex_record import (
    ALARM,
    AUXILIARY,
    DISPLAYED,
    PHYSIOLOGICAL,
    TREND_10_S,
    TREND_60_S,
    WAVE,
    Record,
    RecordSplitter,
    ask_alarms,
    ask_values,
    ask_waves,
    describe_request,
    open_record,
)
from drivers.parts.datex_vectors import VECTORS
from drivers.parts.datex_waves import CO2_KIND, PLETH_KIND, AlarmReader, WaveReader
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    Observation,
    Validity,
    reject,
)
from monitor.model.instant import OPENING, Duration, Instant, later, seconds
from monitor.model.metric import NIBP, Metric

_REQUESTS_APART: Final = seconds(0.2)
_ANSWER_WITHIN: Final = seconds(6)
_INTERVALS_LOST: Final = 3
_WAVE_SILENCE: Final = seconds(5)
_WAVES_AGAIN: Final = seconds(30)  # a monitor without these modules answers nothing
_AUXILIARY_EVERY_S: Final = 10
_ALARMS_FROM_LEVEL: Final = 10
_LOOKS_WRONG_AFTER: Final = 2048  # bytes without a record
_CLASSES: Final = ("basic", "ext1", "ext2", "ext3")
_TRENDS: Final = frozenset({TREND_10_S, TREND_60_S})
_WAVES_LEFT_ALONE: Final = frozenset({*range(1, 24), 32, 35, 38, 39})
_LEFT_ALONE: Final = frozenset({5, 8})  # network records, events


class DatexOptions(CommonOptions, frozen=True, kw_only=True):
    """`interval_s` of displayed values: the maker names 5 as the least; some monitors keep 1."""

    interval_s: Annotated[int, Meta(ge=1, le=5)] = 5
    waves: bool = True


class DatexProtocol:
    """Ask, listen, and ask again when an answer stops."""

    def __init__(self, options: Options = NO_OPTIONS) -> None:
        chosen = read_options(options, DatexOptions)
        self._interval_s = chosen.interval_s
        self._wants_waves = chosen.waves
        self._frames = RecordSplitter()
        self._displayed = DisplayedReader()
        self._cuff = CuffReader()
        self._waves = WaveReader()
        self._alarms = AlarmReader()
        self._clock = DeviceClock(chosen.opened_utc_s)
        self._outgoing: list[bytes] = []
        self._due: dict[int | str, Instant] = {DISPLAYED: OPENING}
        self._sent_at: Instant | None = None
        self._is_shown = False  # displayed values came since they were last asked for
        self._was_shown = False  # they ever came
        self._auxiliary_asked = False
        self._auxiliary_came = False
        self._may_ask_auxiliary = True
        self._numbers: dict[int, int] = {}  # the last running number: -1 of all, else of a type
        self._level = 0
        self._strange: set[str] = set()
        self._bytes_before_record: int | None = 0

    @property
    def wake_at(self) -> Instant | None:
        """When the next request is due."""
        due = min(self._due.values())
        return due if self._sent_at is None else max(due, later(self._sent_at, _REQUESTS_APART))

    def take_outgoing(self) -> Sequence[bytes]:
        """Return the next request."""
        sent, self._outgoing = self._outgoing, []
        return sent

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Send the request that is due longest."""
        due_at = self.wake_at
        if due_at is None or now < due_at:
            return ()
        wanted = min(self._due, key=self._due.__getitem__)
        self._sent_at = now
        if wanted == DISPLAYED:
            self._ask_displayed(now)
        elif wanted == "waves":
            self._outgoing = [ask_waves((PLETH_KIND, CO2_KIND))]
            self._due["waves"] = later(now, _WAVES_AGAIN)
        elif wanted == "alarms":
            self._outgoing = [ask_alarms()]
            del self._due["alarms"]
        else:
            self._outgoing = [ask_values(AUXILIARY, _AUXILIARY_EVERY_S)]
            self._auxiliary_asked = True
            del self._due[AUXILIARY]
        return [reject(flaw, frame, now) for frame, flaw in self._frames.give_up(now) if flaw]

    def _ask_displayed(self, now: Instant) -> None:
        """Begin (again): a monitor that fell silent has forgotten all that was asked."""
        if self._was_shown and self._auxiliary_asked and not self._auxiliary_came:
            # Perhaps this monitor keeps one request only, and the second ended the first.
            self._may_ask_auxiliary = False
        self._is_shown = False
        self._outgoing = [ask_values(DISPLAYED, self._interval_s)]
        self._due = {DISPLAYED: later(now, _ANSWER_WITHIN)}

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take bytes; tell what the records completed by them say."""
        events: list[DeviceEvent] = []
        for frame, flaw in self._frames.feed(data, now):
            record = flaw or open_record(frame)
            if isinstance(record, Record):
                self._bytes_before_record = None
                self._read(record, events, now)
            else:
                events.append(reject(record, frame, now))
        if self._bytes_before_record is not None:
            self._bytes_before_record += len(data)
            if self._bytes_before_record > _LOOKS_WRONG_AFTER:
                self._bytes_before_record = None
                detail = f"{_LOOKS_WRONG_AFTER} bytes and no DRI record: not a Datex monitor?"
                events.append(DeviceNotice(NoticeKind.NOT_THIS_DEVICE, now, detail=detail))
        return events

    def _read(self, record: Record, events: list[DeviceEvent], now: Instant) -> None:
        asked = describe_request(record)
        if asked:
            self._remark(NoticeKind.HOST_MESSAGE, asked, events, now)
            return
        self._meet(record, events, now)
        for kind, body in record.subrecords:
            if record.main_type == PHYSIOLOGICAL:
                self._read_values(record, kind, body, events, now)
            elif record.main_type == WAVE:
                self._read_wave(kind, body, events, now)
            elif record.main_type == ALARM and kind == 1:
                events += self._alarms.read(body, now)
            elif record.main_type not in _LEFT_ALONE:
                words = f"record of main type {record.main_type}, subtype {kind}"
                self._remark(NoticeKind.UNKNOWN_FIELD, words, events, now)

    def _meet(self, record: Record, events: list[DeviceEvent], now: Instant) -> None:
        """Note what the header says: the level, the clock, and whether a record is missing."""
        if record.level != self._level:
            self._level = record.level
            detail = f"DRI level {record.level}"
            events.append(DeviceNotice(NoticeKind.DEVICE_IDENTITY, now, detail=detail))
            if record.level >= _ALARMS_FROM_LEVEL and self._is_shown:
                self._due["alarms"] = now
        events += self._clock.hear(record.time_s, now)
        # Whether the number runs over all records or over each kind is not known.
        counts = [
            (record.number - last) & 0xFF
            for key in (-1, record.main_type)
            if (last := self._numbers.get(key)) is not None
        ]
        self._numbers[-1] = record.number
        if 0 <= record.main_type < 16:
            self._numbers[record.main_type] = record.number
        if len(counts) == 2 and min(counts) > 1:
            detail = f"running number jumped by {counts[0]}"
            events.append(DeviceNotice(NoticeKind.MESSAGES_LOST, now, detail=detail))

    def _read_values(
        self, record: Record, kind: int, body: bytes, events: list[DeviceEvent], now: Instant
    ) -> None:
        if kind == AUXILIARY and len(body) >= 4:
            self._auxiliary_came = True
            self._cuff.hear_time(int.from_bytes(body[:4], "little"), record.time_s, now)
            return
        if kind != DISPLAYED and kind not in _TRENDS:
            words = f"physiological record {kind}"
            self._remark(NoticeKind.UNKNOWN_FIELD, words, events, now)
            return
        if len(body) < SUBRECORD_SIZE:
            events.append(reject("displayed values too short", body, now))
            return
        level_word = int.from_bytes(body[CLASS_AT : CLASS_AT + 2], "little") >> 8 & 0xF
        if level_word:
            words = f"class {_CLASSES[level_word] if level_word < 4 else level_word} not read"
            self._remark(NoticeKind.UNKNOWN_FIELD, words, events, now)
            return
        data = body[DATA_AT:]
        if kind == DISPLAYED:
            self._shown(now)
            events += self._displayed.read(data, record.level, now)
            events += self._cuff.read(data, now)
        elif not self._was_shown:  # an average, and late: only where there is nothing better
            averages = self._displayed.read(data, record.level, now)
            events += map(_doubted, [*averages, *self._cuff.read(data, now)])

    def _shown(self, now: Instant) -> None:
        """Displayed values came: ask for what goes with them, and wait for the next."""
        lost: Duration = max(_ANSWER_WITHIN, seconds(_INTERVALS_LOST * self._interval_s))
        self._due[DISPLAYED] = later(now, lost)
        if self._is_shown:
            return
        self._is_shown = self._was_shown = True
        if self._wants_waves:
            self._due["waves"] = now
        if self._may_ask_auxiliary:
            self._due[AUXILIARY] = now
        if self._level >= _ALARMS_FROM_LEVEL:
            self._due["alarms"] = now

    def _read_wave(self, kind: int, body: bytes, events: list[DeviceEvent], now: Instant) -> None:
        if kind in {PLETH_KIND, CO2_KIND}:
            if "waves" in self._due:
                self._due["waves"] = later(now, _WAVE_SILENCE)
            if kind == CO2_KIND:
                events += self._displayed.tell_scale(now)
            events += self._waves.read(kind, body, now, self._displayed.co2_scale()[0])
        elif kind not in _WAVES_LEFT_ALONE:
            self._remark(NoticeKind.UNKNOWN_FIELD, f"wave type {kind}", events, now)

    def _remark(
        self, kind: NoticeKind, words: str, events: list[DeviceEvent], now: Instant
    ) -> None:
        """Tell something strange once."""
        if words not in self._strange and len(self._strange) < 64:
            self._strange.add(words)
            events.append(DeviceNotice(kind, now, detail=words))


def _doubted(event: DeviceEvent) -> DeviceEvent:
    if isinstance(event, Observation) and event.value is not None:
        return Observation(event.metric, event.value, Validity.QUESTIONABLE, event.at)
    return event


DRIVER: Final = Driver(
    name="datex",
    title="GE / Datex-Ohmeda S/5, CARESCAPE, B-series monitor (DRI)",
    reference="S/5 computer interface specification M1017617; record specification 8005313",
    evidence=Evidence.VENDOR_TABLE,
    transports=frozenset({TransportKind.SERIAL, TransportKind.TCP}),
    metrics=frozenset(
        {
            *NIBP,
            Metric.NIBP_PULSE,
            Metric.HEART_RATE,
            Metric.SPO2,
            Metric.PULSE_RATE,
            Metric.PERFUSION_INDEX,
            Metric.ETCO2,
            Metric.FICO2,
            Metric.RESP_RATE,
            Metric.TEMP,
            Metric.PLETH,
            Metric.CO2_WAVE,
        }
    ),
    silence_limit=seconds(15),
    detects_corruption=True,
    frames_lost_after_cut_max=0,
    open_protocol=DatexProtocol,
    encode=encode,
    open_device=DatexDevice,
    round_trip={
        Metric.SPO2: (1, 100, 1),
        Metric.PULSE_RATE: (10, 250, 1),
        Metric.PERFUSION_INDEX: (0, 20, 0.25),
        Metric.HEART_RATE: (10, 250, 1),
        Metric.ETCO2: (0, 150, 1),
        Metric.FICO2: (0, 150, 1),
        Metric.RESP_RATE: (0, 150, 1),
        Metric.TEMP: (20, 45, 0.25),
        Metric.NIBP_SYS: (150, 280, 1),
        Metric.NIBP_DIA: (30, 100, 1),
        Metric.NIBP_MEAN: (101, 149, 1),
        Metric.NIBP_PULSE: (30, 250, 1),
    },
    vectors=VECTORS,
    serial=SerialLine(baud=19200, parity="E", rtscts=True),
    doubts=(
        "Vol% becomes mmHg with 760 mmHg where the monitor states no ambient pressure: UNCERTAIN",
        "whether a request for the auxiliary record leaves the displayed values running: UNCERTAIN",
        "whether the running number counts all records or each kind: UNCERTAIN",
        "the time zone of the monitor's clock: UNCERTAIN; whole quarters of an hour are left out",
        "the oximeter's amplitude is told as perfusion index",
        "without a CO2 module the respiration rate is the ECG's impedance rate",
    ),
)
