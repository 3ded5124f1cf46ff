"""Setting up a Nonin module that has ears (4100, 9560, 3150 over Bluetooth): commands, answers.

::

    02 | CODE | LEN | LEN bytes | 03      answers: 06 taken, 15 refused, or 02 | CODE + 80 | ...

An answer comes between two frames of the stream, where neither 02 nor 06 nor 15 can begin a frame.
That the module took up a format shows in what it sends; until then what it sends is not read, and
no answer can be told from it. The layout of the longer answers is put together by analogy with the
commands: UNCERTAIN.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Final, NamedTuple

from msgspec import Meta

from drivers.checksums import sum_8
from drivers.clock import ClockOptions, DeviceClock, calendar_of, seconds_since_1970
from drivers.parts.nonin_packet import Format
from monitor.model.event import DeviceEvent, DeviceNotice, NoticeKind
from monitor.model.instant import Instant, in_seconds, later, seconds

START: Final = 0x02
END: Final = 0x03
TAKEN: Final = 0x06
REFUSED: Final = 0x15
FORMAT, CLOCK, SERIAL_NUMBER, RADIO = 0x70, 0x72, 0x74, 0x75
ANSWER: Final = 0x80  # added to the code of a command
BODY_SIZE_MAX: Final = 16
PLAIN, RADIO_STAYS_ON, SPOT_CHECK = 0x01, 0x20, 0x40  # OPT of the select-format command

_LOOK_FIRST: Final = seconds(1)  # two packets
_ASK_NEXT: Final = seconds(0.2)
_ANSWER_WITHIN: Final = seconds(5)
_TRIES_MAX: Final = 3
_ANSWERS: Final = frozenset({CLOCK | ANSWER, SERIAL_NUMBER | ANSWER, RADIO | ANSWER})


class NoninOptions(ClockOptions, frozen=True, kw_only=True):
    """`format`: 2 or 7 where the wire is known, 8 or 1 where it has no checksum to be known by.

    `setup`: the module takes commands: choose `format` there, read its clock, and what else is
    asked for: `set_clock` (needs our wall time), `radio_min` minutes until its radio goes off,
    `radio_stays_on`, `spot_check`.
    """

    format: Format = Format.AUTO
    setup: bool = False
    set_clock: bool = False
    radio_min: Annotated[int, Meta(ge=1, le=255)] | None = None
    radio_stays_on: bool = False
    spot_check: bool = False


def command(code: int, body: bytes = b"", *, is_summed: bool = False) -> bytes:
    """Return a command; some carry the sum of code, length and body, the length counting it."""
    head = bytes([code, len(body) + is_summed]) + body
    return bytes([START]) + head + (bytes([sum_8(head)]) if is_summed else b"") + bytes([END])


def format_commands(layout: int, option: int) -> tuple[bytes, bytes]:
    """Return the two ways to ask for a format; older modules know the short one."""
    return (
        command(FORMAT, bytes([0x02, layout, option]), is_summed=True),
        command(FORMAT, bytes([0x02, layout])),
    )


def answer_size(buffer: bytes | bytearray, at: int) -> int | None:
    """Return the size of the answer that begins at `at`: 0 if none, None while it cannot be told.

    `at` must be a place where a frame may begin.
    """
    if buffer[at] in {TAKEN, REFUSED}:
        return 1
    if buffer[at] != START:
        return 0
    head = buffer[at + 1 : at + 3]
    if (head and head[0] not in _ANSWERS) or (len(head) > 1 and head[1] > BODY_SIZE_MAX):
        return 0
    if len(head) < 2 or len(buffer) < at + head[1] + 4:
        return None
    return head[1] + 4 if buffer[at + head[1] + 3] == END else 0


class _Step(NamedTuple):
    """Something to ask for: in words, how it is answered, and how it is put."""

    words: str
    answer: int
    commands: tuple[Callable[[Instant], bytes], ...]


def _always(sent: bytes) -> Callable[[Instant], bytes]:
    return lambda _now: sent


def _clock_setter(opened_utc_s: float, offset_min: int) -> Callable[[Instant], bytes]:
    def put(now: Instant) -> bytes:
        year, *rest = calendar_of(opened_utc_s + offset_min * 60 + in_seconds(now))
        return command(CLOCK, bytes([year % 100, *rest]))

    return put


def _steps(chosen: NoninOptions) -> tuple[_Step, ...]:
    option = SPOT_CHECK if chosen.spot_check else PLAIN
    option |= RADIO_STAYS_ON if chosen.radio_stays_on else 0
    steps = []
    if chosen.format is not Format.AUTO:
        ways = format_commands(chosen.format, option)
        words = f"format {int(chosen.format)}"
        steps.append(_Step(words, TAKEN, tuple(_always(each) for each in ways)))
    if chosen.set_clock and chosen.opened_utc_s is not None:
        put = _clock_setter(chosen.opened_utc_s, chosen.utc_offset_min or 0)
        steps.append(_Step("the clock to be set", TAKEN, (put,)))
    steps.append(_Step("its clock to be read", CLOCK | ANSWER, (_always(command(CLOCK)),)))
    if chosen.radio_min is not None:
        body = bytes([0x04, 0x00, chosen.radio_min])
        sent = command(RADIO, body, is_summed=True)
        steps.append(_Step("a radio time-out", RADIO | ANSWER, (_always(sent),)))
    return tuple(steps)


class Setup:
    """What is asked of the module, one thing after the other; nothing where it has no ears."""

    def __init__(self, chosen: NoninOptions) -> None:
        self._steps = _steps(chosen) if chosen.setup else ()
        self._clock = DeviceClock(chosen.opened_utc_s, chosen.utc_offset_min)
        self._outgoing: list[bytes] = []
        self.wake_at: Instant | None = None
        """When the module is asked, or asked again."""
        self.begin()

    def begin(self) -> None:
        """Forget what was agreed: the module was away."""
        self._at = self._tries = 0
        self.wake_at = None

    @property
    def is_waiting(self) -> bool:
        """Whether an answer may come."""
        return self._tries > 0

    def take_outgoing(self) -> Sequence[bytes]:
        """Return the next command."""
        sent, self._outgoing = self._outgoing, []
        return sent

    def hear(self, now: Instant, *, is_in_format: bool) -> None:
        """Note that the module sends, and whether in a format that is read."""
        if self._at >= len(self._steps):
            return
        if is_in_format and self._is_about_format():
            self._go_on(now)
        elif self.wake_at is None:
            self.wake_at = later(now, _LOOK_FIRST)

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Ask; after three times in vain say so and go on."""
        if self.wake_at is None or now < self.wake_at:
            return ()
        step = self._steps[self._at]
        if self._tries == _TRIES_MAX:
            return self._refused(f"the module does not answer: {step.words}", now)
        self._outgoing = [step.commands[self._tries % len(step.commands)](now)]
        self._tries += 1
        self.wake_at = later(now, _ANSWER_WITHIN)
        return ()

    def answer_size(self, buffer: bytes | bytearray, at: int) -> int | None:
        """Return the size of an answer that is waited for; see `answer_size`."""
        return answer_size(buffer, at) if self.is_waiting else 0

    def read(self, answer: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take an answer between two frames."""
        if not self.is_waiting:
            return ()
        step = self._steps[self._at]
        code = answer[1] if answer[0] == START else answer[0]
        if code == REFUSED:
            if self._tries < len(step.commands):
                self.wake_at = now  # ask the other way
                return ()
            return self._refused(f"the module refuses {step.words}", now)
        if code != step.answer or self._is_about_format():
            return ()
        self._go_on(now)
        return self._read_clock(answer[3:-1], now) if code == CLOCK | ANSWER else ()

    def _is_about_format(self) -> bool:
        return self._steps[self._at].words.startswith("format")

    def _go_on(self, now: Instant) -> None:
        self._at, self._tries = self._at + 1, 0
        self.wake_at = later(now, _ASK_NEXT) if self._at < len(self._steps) else None

    def _refused(self, words: str, now: Instant) -> Sequence[DeviceEvent]:
        self._go_on(now)
        return [DeviceNotice(NoticeKind.REQUEST_REFUSED, now, detail=words)]

    def _read_clock(self, body: bytes, now: Instant) -> Sequence[DeviceEvent]:
        if len(body) != 6:
            return ()
        year, month, day, *time = body
        return self._clock.hear(seconds_since_1970((2000 + year, month, day), time), now)
