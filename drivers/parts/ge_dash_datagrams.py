"""The Dash monitor's datagrams as an open project describes them: where what lies; its own side."""

from collections.abc import Sequence
from typing import Final

from drivers.bedside import Said
from monitor.model.event import DeviceEvent
from monitor.model.instant import Instant, in_seconds, later, seconds
from monitor.model.metric import Metric

VITALS_HEAD_SIZE: Final = 124
VITALS_TAIL_SIZE: Final = 2
BLOCK_SIZE: Final = 70
BLOCK_HEAD_SIZE: Final = 12
COUNTER_AT: Final = 75
DISCOVERY_HEAD: Final = b"\x01\x04\x00\x00"
DISCOVERY_SIZE: Final = 88
DISCOVERY_COUNTER_AT: Final = 8
ALARM_SIZE: Final = 84
ALARM_SENSOR_AT, ALARM_TEXT_AT, ALARM_COUNTER_AT = 63, 66, 80
REQUEST_SIZE: Final = 62
REQUEST_KIND_AT: Final = 23
VITALS_REQUESTS: Final = range(0x29, 0x2C)
NO_SAMPLE: Final = 0x800F
_REQUEST_HEAD: Final = bytes.fromhex(
    "00 25 15 FC 00 00 00 00 00 25 15 E4 00 CA 00 60 00 06 00 00 00 00 00 29"
)

ECG, SPO2, PRESSURE, RESPIRATION, TEMPERATURE = 0x3A, 0x2D, 0x18, 0x22, 0x23
SENSORS: Final = {
    ECG: "ecg",
    SPO2: "spo2",
    PRESSURE: "blood_pressure",
    RESPIRATION: "resp_rate",
    TEMPERATURE: "temp",
}
ST_LEADS: Final = range(0x56, 0x5A)
# What the three values of a block are; None is one nobody here carries.
BLOCKS: Final[dict[int, tuple[Metric | None, ...]]] = {
    ECG: (Metric.HEART_RATE, None, None),
    SPO2: (Metric.SPO2, Metric.PULSE_RATE, None),
    PRESSURE: (Metric.NIBP_MEAN, Metric.NIBP_SYS, Metric.NIBP_DIA),
    RESPIRATION: (Metric.RESP_RATE, None, None),
}
MISSING: Final = -32768
_CLOCK_AT_OPENING: Final = 1_700_000_000
_VITALS_EVERY_S: Final = 2
_DISCOVERY_EVERY: Final = 5  # vitals' beats: ten seconds
_KEPT_FOR: Final = seconds(30)
_ADDRESS: Final = bytes([192, 0, 2, 10])


def sensor_at(data: bytes, at: int) -> int | None:
    """Return the sensor code of the block that begins at `at`; None if none does."""
    if data[at + 1 : at + 3] != b"\x00\x01" or data[at + 4 : at + 5] != b"\xc0":
        return None
    return data[at + 3]


def values_at(data: bytes, at: int) -> tuple[int | None, ...]:
    """Return the three values of a block; any negative one is missing."""
    raw = (int.from_bytes(data[at + p : at + p + 2], "big", signed=True) for p in (6, 8, 10))
    return tuple(None if each < 0 else each for each in raw)


def vitals_request(name: str) -> bytes:
    """Return the request for vital signs that a host called `name` sends."""
    room = REQUEST_SIZE - len(_REQUEST_HEAD)
    return _REQUEST_HEAD + name.encode("ascii", errors="replace")[:room].ljust(room, b"\0")


def block(sensor: int, values: Sequence[float | None]) -> bytes:
    """Return a sensor block."""
    words = [MISSING if each is None else round(each) for each in values]
    head = bytes([7, 0, 1, sensor, 0xC0, 0xE0])
    return (head + b"".join(w.to_bytes(2, "big", signed=True) for w in words)).ljust(
        BLOCK_SIZE, b"\0"
    )


def vitals(said: Said, now: Instant) -> bytes:
    """Return the vitals datagram: of each sensor that was told of, one block."""
    head = bytearray(VITALS_HEAD_SIZE)
    head[:4] = _ADDRESS
    counter = _CLOCK_AT_OPENING + int(in_seconds(now))
    head[COUNTER_AT : COUNTER_AT + 4] = counter.to_bytes(4, "big")
    blocks = [
        block(sensor, [said.value(metric) if metric else None for metric in metrics])
        for sensor, metrics in BLOCKS.items()
        if any(metric in said.observations for metric in metrics)
    ]
    return bytes(head) + b"".join(blocks) + bytes(VITALS_TAIL_SIZE)


def discovery(now: Instant) -> bytes:
    """Return what the monitor broadcasts of itself; no patient's name in it."""
    counter = (_CLOCK_AT_OPENING + int(in_seconds(now))).to_bytes(4, "big")
    head = DISCOVERY_HEAD + _ADDRESS + counter + b"WARD|BED1".ljust(16, b"\0")
    return head.ljust(DISCOVERY_SIZE, b"\0")


def alarm(sensor: int, text: str, now: Instant) -> bytes:
    """Return the alarm datagram, sent again while it lasts."""
    data = bytearray(ALARM_SIZE)
    data[6:10] = _ADDRESS
    data[24:33] = b"WARD|BED1"
    data[ALARM_SENSOR_AT] = sensor
    words = text.encode("ascii", errors="replace")[: ALARM_COUNTER_AT - ALARM_TEXT_AT - 1]
    data[ALARM_TEXT_AT : ALARM_TEXT_AT + len(words)] = words
    counter = _CLOCK_AT_OPENING + int(in_seconds(now))
    data[ALARM_COUNTER_AT:] = counter.to_bytes(4, "big")
    return bytes(data)


def encode(events: Sequence[DeviceEvent]) -> bytes:
    """Return one vitals datagram that says the observations."""
    said = Said()
    said.hear(events)
    return vitals(said, max((each.at for each in events), default=Instant(0)))


class GeDashDevice:
    """The monitor: announces itself, and sends vitals for half a minute after each request."""

    def __init__(self) -> None:
        self._said = Said()
        self._count = 0
        self._due: Instant | None = None
        self._asked: Instant | None = None
        self._outgoing: list[bytes] = []

    @property
    def wake_at(self) -> Instant | None:
        """When the next datagram is due."""
        return self._due

    def say(self, events: Sequence[DeviceEvent], now: Instant) -> None:
        """Take what the patient is like; the first time, the monitor is switched on."""
        self._said.hear(events)
        self._due = now if self._due is None else self._due

    def receive(self, data: bytes, now: Instant) -> None:
        """Take a request for vitals; anything else means nothing."""
        if len(data) == REQUEST_SIZE and data[REQUEST_KIND_AT] in VITALS_REQUESTS:
            self._asked = now

    def wake(self, now: Instant) -> None:
        """Send what is due."""
        if self._due is None or now < self._due:
            return
        self._due = later(now, seconds(_VITALS_EVERY_S))
        if self._count % _DISCOVERY_EVERY == 0:
            self._outgoing.append(discovery(now))
        self._count += 1
        if self._asked is not None and now < later(self._asked, _KEPT_FOR):
            self._outgoing.append(vitals(self._said, now))
            for name, each in self._said.alarms.items():
                sensor = SPO2 if name.startswith(("spo2", "pulse")) else ECG
                self._outgoing.append(alarm(sensor, each.detail or name, now))

    def take_outgoing(self) -> Sequence[bytes]:
        """Return the datagrams sent."""
        sent, self._outgoing = self._outgoing, []
        return sent
