"""The Datex monitor's own side: silent until asked; then displayed values, waves, times, alarms."""

from collections.abc import Mapping, Sequence
from struct import Struct, pack_into
from typing import Final

from drivers.bedside import Said
from drivers.parts.datex_cuff import IS_OLD, MEASURING
from drivers.parts.datex_displayed import (
    AMBIENT_MMHG,
    CLASS_AT,
    CO2_AT,
    CO2_FLAGS,
    DATA_AT,
    DATA_SIZE,
    ECG_AT,
    ECG_EXTRA_AT,
    NIBP_AT,
    NO_DATA,
    RR_FROM_CO2,
    SOURCE_SHIFT,
    SPO2_AT,
    SUBRECORD_SIZE,
    TEMPS_AT,
)
from drivers.parts.datex_record import (
    ALARM,
    AUXILIARY,
    DISPLAYED,
    PHYSIOLOGICAL,
    WAVE,
    Record,
    RecordSplitter,
    describe_request,
    frame_of,
    open_record,
    record_of,
)
from drivers.parts.datex_waves import (
    ALARM_HEAD_SIZE,
    ALARM_SIZE,
    CO2_KIND,
    COLOUR_AT,
    LINE_SIZE,
    LINES,
    PAUSE_AT,
    PLETH_KIND,
    PLETH_ZERO,
    PRIORITIES,
    RATES_HZ,
    SOUND_AT,
)
from monitor.model.event import DeviceEvent, NoticeKind, WaveformSegment
from monitor.model.instant import Duration, Instant, between, in_seconds, later, seconds
from monitor.model.metric import NIBP, Metric

LEVEL: Final = 10
CLOCK_AT_OPENING: Final = 86_400  # a clock that was never set: nobody compares it with ours
_PRESENT_AND_ON: Final = 3
_ECG_SOURCE: Final = 1
_LEVEL_10: Final = 0xA1
_WAVE_EVERY: Final = seconds(1)
_OLD_AFTER: Final = seconds(60)
_AUXILIARY_SIZE: Final = 114
_CO2_SCALE: Final = AMBIENT_MMHG / 10_000  # mmHg for each 0.01 Vol%
_METRICS: Final = {PLETH_KIND: Metric.PLETH, CO2_KIND: Metric.CO2_WAVE}
_REQUEST: Final = Struct("<BhI")

# Place in the class data and how many of the metric's unit one of the wire's is.
_VALUES: Final[Mapping[Metric, tuple[int, float]]] = {
    Metric.HEART_RATE: (ECG_EXTRA_AT, 1),
    Metric.NIBP_SYS: (NIBP_AT + 6, 0.01),
    Metric.NIBP_DIA: (NIBP_AT + 8, 0.01),
    Metric.NIBP_MEAN: (NIBP_AT + 10, 0.01),
    Metric.NIBP_PULSE: (NIBP_AT + 12, 1),
    Metric.TEMP: (TEMPS_AT[0] + 6, 0.01),
    Metric.SPO2: (SPO2_AT + 6, 0.01),
    Metric.PULSE_RATE: (SPO2_AT + 8, 1),
    Metric.PERFUSION_INDEX: (SPO2_AT + 10, 0.01),
    Metric.ETCO2: (CO2_AT + 6, _CO2_SCALE),
    Metric.FICO2: (CO2_AT + 8, _CO2_SCALE),
    Metric.RESP_RATE: (CO2_AT + 10, 1),
}
_GROUPS: Final = {
    ECG_AT: (Metric.HEART_RATE,),
    NIBP_AT: (*NIBP, Metric.NIBP_PULSE),
    TEMPS_AT[0]: (Metric.TEMP,),
    SPO2_AT: (Metric.SPO2, Metric.PULSE_RATE, Metric.PERFUSION_INDEX),
    CO2_AT: (Metric.ETCO2, Metric.FICO2, Metric.RESP_RATE),
}
_WORDS: Final = (  # the status and label words among the values
    *(at for at in (0, 16, 30, 44, 58, 72, 86, 94, 102, 110, 118, 132, 146, 156)),
    *(at for at in (166, 178, 200, 214, 232, 240, 254)),
)


def _raw(value: float | None, scale: float) -> int:
    return NO_DATA if value is None else max(-32_000, min(32_767, round(value / scale)))


def clock_s(now: Instant) -> int:
    """Return the monitor's clock at an instant."""
    return CLOCK_AT_OPENING + int(in_seconds(now))


def displayed(said: Said, now: Instant) -> bytes:
    """Return the displayed subrecord, basic class, of a level-10 monitor."""
    data = bytearray(Struct("<h").pack(NO_DATA) * (DATA_SIZE // 2))
    for at in _WORDS:
        data[at : at + 6] = bytes(6)
    for at, metrics in _GROUPS.items():
        if any(metric in said.observations for metric in metrics):
            data[at] = _PRESENT_AND_ON
    for metric, (at, scale) in _VALUES.items():
        if metric in said.observations:
            pack_into("<h", data, at, _raw(said.value(metric), scale))
    _mark_states(data, said, now)
    subrecord = bytearray(SUBRECORD_SIZE)
    subrecord[:DATA_AT] = clock_s(now).to_bytes(4, "little")
    subrecord[DATA_AT : DATA_AT + DATA_SIZE] = data
    pack_into("<H", subrecord, CLASS_AT, _LEVEL_10)
    return bytes(subrecord)


def _mark_states(data: bytearray, said: Said, now: Instant) -> None:
    data[ECG_AT] |= (_ECG_SOURCE << SOURCE_SHIFT) if data[ECG_AT] else 0
    pack_into("<h", data, ECG_AT + 6, _raw(said.value(Metric.HEART_RATE), 1))
    pack_into("<H", data, NIBP_AT + 4, _cuff_label(said, now))
    if NoticeKind.SENSOR_OFF in said.notices:
        for metric in _GROUPS[SPO2_AT]:
            pack_into("<h", data, _VALUES[metric][0], NO_DATA)
    if data[CO2_AT]:
        status = _PRESENT_AND_ON
        for flag in CO2_FLAGS:
            if flag.says in said.notices or flag.says in said.alarms:
                status |= flag.mask & -flag.mask
        pack_into("<IH", data, CO2_AT, status, RR_FROM_CO2)
        pack_into("<h", data, CO2_AT + 12, round(AMBIENT_MMHG * 10))


def _cuff_label(said: Said, now: Instant) -> int:
    reading = said.observations.get(NIBP[0])
    label = MEASURING if NoticeKind.CUFF_INFLATING in said.notices else 0
    is_old = reading is not None and between(reading.taken or reading.at, now) > _OLD_AFTER
    return label | (IS_OLD if is_old else 0)


def wave_block(kind: int, samples: Sequence[float | None]) -> bytes:
    """Return a wave subrecord of samples in the metric's unit."""
    if kind == PLETH_KIND:
        raw = [NO_DATA if each is None else _raw(each - PLETH_ZERO, 1) for each in samples]
    else:
        raw = [_raw(each, _CO2_SCALE) for each in samples]
    return Struct(f"<hHH{len(raw)}h").pack(len(raw), 0, 0, *raw)


def alarm_lines(said: Said) -> bytes:
    """Return the alarm subrecord: the first five alarms that are present."""
    body = bytearray(ALARM_SIZE)
    pack_into("<h", body, SOUND_AT, 1)
    if NoticeKind.AUDIO_PAUSED_AT_DEVICE in said.notices:
        pack_into("<h", body, PAUSE_AT, 5)
    colours = {name: colour for colour, name in PRIORITIES.items()}
    for place, alarm in enumerate(list(said.alarms.values())[:LINES]):
        at = ALARM_HEAD_SIZE + place * LINE_SIZE
        text = alarm.alarm.replace("_", " ").upper().encode("latin-1", "replace")[:79]
        body[at : at + len(text)] = text
        pack_into("<h", body, at + COLOUR_AT, colours.get(alarm.priority, 2))
    return bytes(body)


def encode(events: Sequence[DeviceEvent]) -> bytes:
    """Return the records that say `events`: a wave record, then one of displayed values."""
    said = Said()
    said.hear(events)
    now = max((each.at for each in events), default=Instant(0))
    number = int(in_seconds(now))
    sent = b""
    waves = [each for each in events if isinstance(each, WaveformSegment)]
    kinds = {metric: kind for kind, metric in _METRICS.items()}
    blocks = [(kinds[each.metric], wave_block(kinds[each.metric], each.samples)) for each in waves]
    if blocks:
        record = record_of(WAVE, blocks, number=number, level=LEVEL, time_s=clock_s(now))
        sent += frame_of(record)
    if said.observations or said.notices or said.alarms:
        listed = [(DISPLAYED, displayed(said, now))]
        record = record_of(PHYSIOLOGICAL, listed, number=number, level=LEVEL, time_s=clock_s(now))
        sent += frame_of(record)
    return sent


class DatexDevice:
    """The monitor: each request starts, changes or stops one kind of record."""

    def __init__(self) -> None:
        self._said = Said(
            **{metric: RATES_HZ[kind] for kind, metric in _METRICS.items()},
        )
        self._frames = RecordSplitter()
        self._outgoing: list[bytes] = []
        self._number = 0
        self._every: dict[int, Duration] = {}  # of physiological records, by type
        self._due: dict[int, Instant] = {}
        self._kinds: tuple[int, ...] = ()
        self._wave_due: Instant | None = None
        self._tells_alarms = False
        self._lines = b""

    @property
    def wake_at(self) -> Instant | None:
        """When the next record is due; None while nothing is asked for."""
        due = [*self._due.values(), *([self._wave_due] if self._wave_due is not None else [])]
        return min(due, default=None)

    def say(self, events: Sequence[DeviceEvent], now: Instant) -> None:
        """Take what the patient is like now; a changed alarm is sent at once."""
        self._said.hear(events)
        if self._tells_alarms:
            self._tell_alarms(now)

    def receive(self, data: bytes, now: Instant) -> None:
        """Obey the host's requests."""
        for frame, flaw in self._frames.feed(data, now):
            record = flaw or open_record(frame)
            if isinstance(record, Record) and describe_request(record):
                self._obey(record, now)

    def wake(self, now: Instant) -> None:
        """Send the records that are due; a long sleep is not made up for."""
        for kind, due in list(self._due.items()):
            if now < due:
                continue
            self._send_values(kind, now)
            every = self._every.get(kind)
            if every is None:
                del self._due[kind]
            else:
                self._due[kind] = _next(due, every, now)
        if self._wave_due is not None and now >= self._wave_due:
            blocks = [(kind, self._block(kind)) for kind in self._kinds]
            self._send(WAVE, blocks, now)
            self._wave_due = _next(self._wave_due, _WAVE_EVERY, now)

    def take_outgoing(self) -> Sequence[bytes]:
        """Return what is sent."""
        sent, self._outgoing = self._outgoing, []
        return sent

    def _obey(self, record: Record, now: Instant) -> None:
        body = record.subrecords[0][1]
        if record.main_type == PHYSIOLOGICAL:
            kind, interval_s, _ = _REQUEST.unpack_from(body)
            self._every.pop(kind, None)
            self._due.pop(kind, None)
            if interval_s:
                self._due[kind] = now
            if interval_s > 0:
                self._every[kind] = seconds(interval_s)
        elif record.main_type == WAVE:
            starts = body[0] == 0
            asked = body[4:12].split(b"\xff")[0]
            self._kinds = tuple(each for each in asked if each in _METRICS) if starts else ()
            self._wave_due = later(now, _WAVE_EVERY) if self._kinds else None
        else:
            self._tells_alarms = body[0] == 2
            self._lines = b""
            self._tell_alarms(now)

    def _block(self, kind: int) -> bytes:
        tape = self._said.tapes[_METRICS[kind]]
        return wave_block(kind, [tape.take() for _ in range(RATES_HZ[kind])])

    def _send_values(self, kind: int, now: Instant) -> None:
        if kind == DISPLAYED:
            self._send(PHYSIOLOGICAL, [(DISPLAYED, displayed(self._said, now))], now)
        elif kind == AUXILIARY:
            reading = self._said.observations.get(NIBP[0])
            time_s = 0 if reading is None else clock_s(reading.taken or reading.at)
            body = time_s.to_bytes(4, "little").ljust(_AUXILIARY_SIZE, b"\x00")
            self._send(PHYSIOLOGICAL, [(AUXILIARY, body)], now)

    def _tell_alarms(self, now: Instant) -> None:
        lines = alarm_lines(self._said)
        if lines != self._lines:
            self._lines = lines
            self._send(ALARM, [(1, lines)], now)

    def _send(self, main_type: int, parts: Sequence[tuple[int, bytes]], now: Instant) -> None:
        record = record_of(main_type, parts, number=self._number, level=LEVEL, time_s=clock_s(now))
        self._number += 1
        self._outgoing.append(frame_of(record))


def _next(due: Instant, every: Duration, now: Instant) -> Instant:
    following = later(due, every)
    return following if following > now else later(now, every)
