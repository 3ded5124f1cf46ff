"""ANSAR-B frames: cutting them out of a stream, and the monitor's own side."""

from collections.abc import Sequence
from typing import Final

from drivers.bedside import Said, Timed
from drivers.framing import STRAY_SIZE_MAX, Piece, Strays
from monitor.model.event import DeviceEvent, NoticeKind, Observation
from monitor.model.instant import Instant
from monitor.model.metric import NIBP, Metric

MARK: Final = b"\xffANSAR-B "
END: Final = 0xFE
WAVES_SIZE: Final = 400
TEXT_AT: Final = len(MARK) + WAVES_SIZE
_TEXT_SIZE_MAX: Final = 700
_FRAME_SIZE_MAX: Final = TEXT_AT + _TEXT_SIZE_MAX

PLETH_AT: Final = 250
PLETH_SIZE: Final = 50
PLETH_RATE_HZ: Final = 50
PLETH_ZERO: Final = 86
_ECG_ZERO, _PRESSURE_ZERO, _NO_TRANSDUCER = 0x64, 0x50, 0xFB
_WAVE_TOP: Final = 0xFB
_NOTICE_WORDS: Final = {
    NoticeKind.SENSOR_OFF: ("SPO2", "PROBE OFF"),
    NoticeKind.SEARCHING: ("SPO2", "SEARCHING"),
    NoticeKind.OCCLUSION: ("ETCO2", "OCCLUSION"),
    NoticeKind.WARMING_UP: ("ETCO2", "WARM UP"),
}
_ALARM_WORDS: Final = {
    "no_breath": ("RR", "APNEA"),
    "resp_rate_high": ("RR", "RR HIGH"),
    "resp_rate_low": ("RR", "RR LOW"),
    "heart_rate_high": ("HR", "HR HIGH"),
    "heart_rate_low": ("HR", "HR LOW"),
    "spo2_low": ("SPO2", "SPO2 LOW"),
    "spo2_high": ("SPO2", "SPO2 HIGH"),
    "etco2_low": ("ETCO2", "ETCO2 LOW"),
    "etco2_high": ("ETCO2", "ETCO2 HIGH"),
}


class AnsarSplitter:
    """Frames from their mark to FE, counted over the waves, which may hold any byte.

    A mark always begins a frame, also inside a broken one: nine bytes are no accident. For every
    cut of the same bytes the same pieces come out; at most one frame is kept.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._strays = Strays("no ANSAR-B frame")

    def feed(self, data: bytes) -> list[Piece]:
        """Take bytes, return the frames they complete, with their mark and without FE."""
        pieces: list[Piece] = []
        for at in range(0, len(data), _FRAME_SIZE_MAX):
            self._buffer += data[at : at + _FRAME_SIZE_MAX]
            while self._cut(pieces):
                pass
        return pieces

    def give_up(self) -> list[Piece]:
        """Refuse what has begun."""
        pieces: list[Piece] = []
        if self._buffer:
            pieces.append(Piece(bytes(self._buffer[:STRAY_SIZE_MAX]), "frame cut short"))
            self._buffer.clear()
        return pieces

    def _cut(self, pieces: list[Piece]) -> bool:
        """Take the first frame or refusal out of the buffer; False when more bytes are needed."""
        buffer = self._buffer
        start = buffer.find(MARK)
        if start < 0:
            self._stray(self._clear_of_marks(), pieces)
            return False
        if start:
            self._stray(start, pieces)
        self._strays.flush(pieces)
        following = buffer.find(MARK, 1)
        end = buffer.find(END, TEXT_AT, following if following >= 0 else len(buffer))
        if 0 <= end <= _FRAME_SIZE_MAX:
            pieces.append(Piece(bytes(buffer[:end])))
            del buffer[: end + 1]
            return True
        if following < 0 and len(buffer) <= _FRAME_SIZE_MAX:
            return False
        is_cut = 0 <= following <= _FRAME_SIZE_MAX + 1 - len(MARK)
        flaw = "frame cut short" if is_cut else "frame without end"
        size = min(following, STRAY_SIZE_MAX) if is_cut else STRAY_SIZE_MAX
        pieces.append(Piece(bytes(buffer[:size]), flaw))
        del buffer[: following if is_cut else len(MARK)]
        return True

    def _clear_of_marks(self) -> int:
        """Return how many bytes can be no part of a mark."""
        for size in range(min(len(MARK) - 1, len(self._buffer)), 0, -1):
            if self._buffer.endswith(MARK[:size]):
                return len(self._buffer) - size
        return len(self._buffer)

    def _stray(self, count: int, pieces: list[Piece]) -> None:
        self._strays.add(self._buffer[:count], pieces)
        del self._buffer[:count]


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _lines(said: Said) -> bytes:
    alarms = dict.fromkeys(("HR", "RR", "ETCO2", "SPO2"), "")
    for what in (*said.notices, *said.alarms):
        name, words = (
            _NOTICE_WORDS.get(what) if isinstance(what, NoticeKind) else _ALARM_WORDS.get(what)
        ) or ("", "")
        alarms[name] = words
    pressures = [_plain(said.value(each)) for each in (*NIBP, Metric.NIBP_PULSE)]
    pulse = _plain(said.value(Metric.PULSE_RATE))
    lines = (
        f"HR=1;{_plain(said.value(Metric.HEART_RATE))};ECG-II-DIAG;{alarms['HR']}",
        f"RR=1;{_plain(said.value(Metric.RESP_RATE))};;{alarms['RR']}",
        f"ETCO2=1;{_plain(said.value(Metric.ETCO2))};;{alarms['ETCO2']}",
        f"SPO2=1;{_plain(said.value(Metric.SPO2))};PR={pulse:<3};{alarms['SPO2']}",
        f"NIBP=4;{';'.join(pressures)};;",
        "P1=3;;;;;",
        "P2=3;;;;NO TRANSDUCER;",
        f"T1=1;{_plain(said.value(Metric.TEMP))};;",
        "T2=1;;;",
    )
    return "".join(f"{line}\r" for line in lines).encode("ascii")


def frame_of(said: Said) -> bytes:
    """Return the frame that says what was said; the pleth is taken from its tape."""
    tape = said.tapes[Metric.PLETH]
    samples = [tape.take() for _ in range(PLETH_SIZE)]
    pleth = bytes(min(_WAVE_TOP, max(0, round((each or 0.0) + PLETH_ZERO))) for each in samples)
    waves = bytes([_ECG_ZERO]) * 200 + bytes(50) + pleth
    waves += bytes([_PRESSURE_ZERO]) * 50 + bytes([_NO_TRANSDUCER]) * 50
    return MARK + waves + _lines(said) + bytes([END])


def encode(events: Sequence[DeviceEvent]) -> bytes:
    """Return the frame that says `events`."""
    said = Said(pleth=PLETH_RATE_HZ)
    said.hear(events)
    return frame_of(said)


class AnsarDevice(Timed):
    """The monitor: a frame a second; a pressure that is new to it shows a frame later."""

    def __init__(self) -> None:
        super().__init__(1, pleth=PLETH_RATE_HZ)
        self._pressures: list[Observation] = []
        self._beat.start(Instant(0))

    def say(self, events: Sequence[DeviceEvent], now: Instant) -> None:
        """Take what the patient is like now."""
        del now
        cuff = {*NIBP, Metric.NIBP_PULSE}
        told = [each for each in events if isinstance(each, Observation) and each.metric in cuff]
        self._pressures = told or self._pressures
        self._said.hear([each for each in events if each not in told])

    def wake(self, now: Instant) -> None:
        """Send the frame that is due."""
        while self._beat.is_due(now):
            self._outgoing.append(frame_of(self._said))
            self._said.hear(self._pressures)
