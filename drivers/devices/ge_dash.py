"""GE Dash 4000 / Unity network over UDP: SpO2, pulse, heart rate, respiration, cuff. Partial.

::

    vitals     124 bytes | blocks of 70 bytes | 2 bytes            every 2 s after a request
    block      ? 00 01 xx C0 flags | three values s16 | ... | limits
               xx: 3A ECG, 2D SpO2 + pulse, 18 pressure (mean, sys, dia), 22 respiration
    waves      sequence u16 | 0 u16 | (code u16, samples)..        27xx is the pleth, 60 a second
    alarm      84 bytes: sensor at 63, text at 66                  every 2 s while it lasts

Put together by one open project; there is no document of the maker, no checksum, and no CO2. A
request is repeated every 5 s, else the monitor stops. A negative value is missing.

A pressure block says neither when it was taken nor whether a cuff or an artery gave it. So it is
told once, when its values change, and as questionable unless `pressure_is_nibp` says otherwise; the
first one heard may be of any age and always is.
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
    TransportKind,
    Vector,
)
from drivers.options import CommonOptions, read_options
from drivers.parts.ge_dash_datagrams import (
    ALARM_COUNTER_AT,
    ALARM_SENSOR_AT,
    ALARM_SIZE,
    ALARM_TEXT_AT,
    BLOCK_HEAD_SIZE,
    BLOCK_SIZE,
    BLOCKS,
    COUNTER_AT,
    DISCOVERY_COUNTER_AT,
    DISCOVERY_HEAD,
    DISCOVERY_SIZE,
    NO_SAMPLE,
    PRESSURE,
    SENSORS,
    ST_LEADS,
    TEMPERATURE,
    VITALS_HEAD_SIZE,
    VITALS_TAIL_SIZE,
    GeDashDevice,
    encode,
    sensor_at,
    values_at,
    vitals_request,
)
from drivers.reading import UnknownFields, read
from monitor.model.event import (
    DeviceAlarm,
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    Validity,
    WaveformSegment,
    reject,
)
from monitor.model.instant import OPENING, Instant, later, seconds
from monitor.model.metric import Metric

_ASK_EVERY: Final = seconds(5)
_ALARM_LASTS: Final = seconds(5)
_ALARMS_MAX: Final = 16
_WAVE_RATE_HZ: Final = 60
_ECG_CODES: Final = range(0x07, 0x0B)
_RESPIRATION_CODE, _PLETH_CODE = 0x17, 0x27
_LOST_MAX: Final = 1000
_Pressures = tuple[int | None, ...]


class GeDashOptions(CommonOptions, frozen=True, kw_only=True):
    """`host_name`: what the monitor sees of us, `ward|bed`.

    `pressure_is_nibp`: the pressure of this monitor comes from a cuff, from nothing else.
    """

    host_name: Annotated[str, Meta(pattern=r"^[ -~]{1,32}$")] = "VIGIL|1"
    pressure_is_nibp: bool = False


class GeDashProtocol:
    """Ask every 5 s; one call of `receive` is one datagram."""

    def __init__(self, options: Options = NO_OPTIONS) -> None:
        chosen = read_options(options, GeDashOptions)
        self._request = vitals_request(chosen.host_name)
        self._pressure_is_nibp = chosen.pressure_is_nibp
        self._clock = DeviceClock(chosen.opened_utc_s)
        self._unknown = UnknownFields()
        self._ask_at: Instant = OPENING
        self._alarms: dict[str, Instant] = {}  # when each ends unless it is said again
        self._pressures: _Pressures | None = None
        self._sequence: int | None = None
        self._is_identified = False
        self._outgoing: list[bytes] = []

    @property
    def wake_at(self) -> Instant | None:
        """When the next request is due, or an alarm ends that is no longer said."""
        return min(self._ask_at, *self._alarms.values()) if self._alarms else self._ask_at

    def take_outgoing(self) -> Sequence[bytes]:
        """Return the request."""
        sent, self._outgoing = self._outgoing, []
        return sent

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Ask; end the alarms that are no longer said."""
        if now >= self._ask_at:
            self._ask_at = later(now, _ASK_EVERY)
            self._outgoing = [self._request]
        ended = [name for name, end in self._alarms.items() if now >= end]
        for name in ended:
            del self._alarms[name]
        return [DeviceAlarm(name, now, present=False) for name in ended]

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take one datagram."""
        if len(data) == DISCOVERY_SIZE and data.startswith(DISCOVERY_HEAD):
            return self._read_discovery(data, now)
        if sensor_at(data, 0) is not None and BLOCK_HEAD_SIZE <= len(data) <= BLOCK_SIZE:
            return self._read_block(data, 0, now, Validity.QUESTIONABLE)
        is_bare = len(data) == VITALS_HEAD_SIZE + VITALS_TAIL_SIZE  # nothing is plugged in
        if is_bare or _has_block(data):
            return self._read_vitals(data, now)
        if len(data) == ALARM_SIZE and data[ALARM_SENSOR_AT] in SENSORS:
            return self._read_alarm(data, now)
        pleth = _pleth(data)
        if pleth is None:
            return [reject("no datagram of a Dash monitor", data, now)]
        return self._read_wave(data, pleth, now)

    def _read_discovery(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Tell that it is one of these monitors; bed and patient's name are told to nobody."""
        events = list(self._read_clock(data, DISCOVERY_COUNTER_AT, now))
        if not self._is_identified:
            self._is_identified = True
            detail = "GE Dash / Unity network monitor"
            events.append(DeviceNotice(NoticeKind.DEVICE_IDENTITY, now, detail=detail))
        return events

    def _read_clock(self, data: bytes, at: int, now: Instant) -> Sequence[DeviceEvent]:
        return self._clock.hear(float(int.from_bytes(data[at : at + 4], "big")), now)

    def _read_vitals(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        events = list(self._read_clock(data, COUNTER_AT, now))
        at = VITALS_HEAD_SIZE
        while at + BLOCK_HEAD_SIZE <= len(data):
            if at + BLOCK_SIZE > len(data):
                events.append(reject("a block is cut short", data[at:], now))
                break
            if sensor_at(data, at) is None:  # of a kind nobody knows; the others keep their places
                events.append(reject("a block is none", data[at : at + BLOCK_SIZE], now))
            else:
                events += self._read_block(data, at, now, Validity.VALID)
            at += BLOCK_SIZE
        return events

    def _read_block(
        self, data: bytes, at: int, now: Instant, trust: Validity
    ) -> Sequence[DeviceEvent]:
        sensor = data[at + 3]
        values = values_at(data, at)
        if sensor == PRESSURE:
            return self._read_pressure(values, now, trust)
        if sensor in BLOCKS:
            told = zip(BLOCKS[sensor], values, strict=True)
            return [
                read(metric, value, now, validity=trust)
                for metric, value in told
                if metric is not None
            ]
        if sensor in ST_LEADS:
            return ()
        is_temperature = sensor == TEMPERATURE
        name = "temperature: scale not known" if is_temperature else f"sensor {sensor:02X}"
        return self._unknown.meet(name, now)

    def _read_pressure(
        self, values: _Pressures, now: Instant, trust: Validity
    ) -> Sequence[DeviceEvent]:
        """Tell a pressure when it changes: repeated each 2 s, it must not look new each time."""
        if values == self._pressures:
            return ()
        is_new = self._pressures is not None
        self._pressures = values
        if not (is_new and self._pressure_is_nibp):
            trust = Validity.QUESTIONABLE
        taken = now if is_new else None
        told = zip(BLOCKS[PRESSURE], values, strict=True)
        return [
            read(metric, value, now, taken=taken, validity=trust)
            for metric, value in told
            if metric is not None
        ]

    def _read_alarm(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        name = f"{SENSORS[data[ALARM_SENSOR_AT]]}_alarm"
        raw = data[ALARM_TEXT_AT:ALARM_COUNTER_AT].split(b"\0")[0]
        text = raw.decode("latin-1").strip()
        is_known = name in self._alarms
        self._alarms[name] = later(now, _ALARM_LASTS)
        return () if is_known else [DeviceAlarm(name, now, detail=text)]

    def _read_wave(
        self, data: bytes, samples: tuple[float | None, ...], now: Instant
    ) -> Sequence[DeviceEvent]:
        sequence = int.from_bytes(data[:2], "big")
        lost = 0 if self._sequence is None else (sequence - self._sequence - 1) & 0xFFFF
        self._sequence = sequence
        events: list[DeviceEvent] = []
        if 0 < lost <= _LOST_MAX:
            detail = f"{lost} wave datagrams"
            events.append(DeviceNotice(NoticeKind.MESSAGES_LOST, now, detail=detail))
        if samples:
            events.append(WaveformSegment(Metric.PLETH, now, _WAVE_RATE_HZ, samples))
        return events


def _has_block(data: bytes) -> bool:
    """Return whether a vitals datagram's blocks are here: one whole, or the first begun."""
    ends = range(VITALS_HEAD_SIZE + BLOCK_SIZE, len(data) + 1, BLOCK_SIZE)
    starts = {VITALS_HEAD_SIZE, *(end - BLOCK_SIZE for end in ends)}
    return any(sensor_at(data, start) is not None for start in starts)


def _pleth(data: bytes) -> tuple[float | None, ...] | None:
    """Return the pleth samples of a wave datagram; None if it is no such datagram."""
    if len(data) < 8 or data[2:4] != b"\0\0":
        return None
    samples: list[float | None] = []
    at = 4
    while at + 4 <= len(data):
        code = data[at]
        if code in _ECG_CODES:
            at += 10
        elif code in {_RESPIRATION_CODE, _PLETH_CODE}:
            word = int.from_bytes(data[at + 2 : at + 4], "big")
            if code == _PLETH_CODE:
                samples.append(None if word == NO_SAMPLE else float(word))
            at += 4
        else:
            return None
    return tuple(samples) if at == len(data) else None


_PROJECT: Final = "layout of an open project, put together by hand"
_HEAD: Final = bytes.fromhex("C0 00 02 0A") + bytes(71) + bytes.fromhex("65 53 F1 00") + bytes(45)
_LIMITS: Final = bytes(20) + bytes.fromhex("00 5A 00 64 00 32 00 78") + bytes(30)


def _block(text: str) -> bytes:
    return bytes.fromhex(text) + _LIMITS


DRIVER: Final = Driver(
    name="ge_dash",
    title="GE Dash 4000 / Unity network monitor (partial)",
    reference="an open GE Dash project; nothing of the maker",
    evidence=Evidence.OPEN_IMPLEMENTATION,
    transports=frozenset({TransportKind.UDP}),
    metrics=frozenset(
        {metric for metrics in BLOCKS.values() for metric in metrics if metric} | {Metric.PLETH}
    ),
    silence_limit=seconds(8),
    detects_corruption=False,
    frames_lost_after_cut_max=0,
    open_protocol=GeDashProtocol,
    encode=encode,
    open_device=GeDashDevice,
    device_ports=frozenset({2000, 3073, 3074, 7000, 7001}),  # from which it answers is not known
    round_trip={
        Metric.SPO2: (1, 100, 1),
        Metric.PULSE_RATE: (10, 350, 1),
        Metric.HEART_RATE: (0, 350, 1),
        Metric.RESP_RATE: (0, 150, 1),
    },
    vectors=(
        Vector(
            bytes.fromhex("07 00 01 2D C0 E0 00 61 00 48 80 01"),
            ((Metric.SPO2, 97.0), (Metric.PULSE_RATE, 72.0)),
            _PROJECT,
        ),
        Vector(
            _HEAD
            + _block("07 00 01 2D C0 E0 00 61 00 48 80 01")
            + _block("07 00 01 18 C0 E0 00 5A 00 76 00 4C")
            + _block("07 00 01 3A C0 E0 00 4A 00 00 80 00")
            + _block("07 00 01 22 C0 E0 00 0E 80 00 80 00")
            + bytes(2),
            (
                (Metric.SPO2, 97.0),
                (Metric.PULSE_RATE, 72.0),
                (Metric.NIBP_MEAN, 90.0),
                (Metric.NIBP_SYS, 118.0),
                (Metric.NIBP_DIA, 76.0),
                (Metric.HEART_RATE, 74.0),
                (Metric.RESP_RATE, 14.0),
            ),
            _PROJECT,
        ),
        Vector(
            _HEAD + _block("07 00 01 18 C0 E0 80 00 80 00 80 00") + bytes(2),
            ((Metric.NIBP_MEAN, None), (Metric.NIBP_SYS, None), (Metric.NIBP_DIA, None)),
            _PROJECT,
        ),
        Vector(bytes.fromhex("00 01 00 00 27 09 00 64 17 09 00 05 27 09 00 66"), (), _PROJECT),
    ),
    doubts=(
        "put together by one open project; partial: no CO2, no temperature, no limits",
        "no checksum beyond that of UDP",
        "a pressure block may be an artery's; questionable unless `pressure_is_nibp` is set",
        "the same cuff reading twice in a row cannot be told from one",
        "the meaning of the flags in a block is not known",
        "that the monitor stops 30 s after the last request: UNCERTAIN",
        "from which port it answers, and whether to the one that asked or to 3073: UNCERTAIN",
    ),
)
