"""The bursts that say how urgent it is: pulses, gaps and repeats, as data.

Figures within the bounds of IEC 60601-1-8 for auditory signals (pulses 75 to 200 ms for high, 125
to 250 ms else; 10, 3 and 1 pulses; 2.5 to 15 s and 2.5 to 30 s between bursts). The gap after the
fifth pulse and the spacing of medium pulses rest on secondary sources. The standard asks for a
reminder and leaves its form open; that it is one short pulse here is our choice.
"""

from typing import Final

import msgspec

from monitor.model.alarm import Priority
from monitor.model.instant import Duration, Instant, later, seconds


class Pattern(msgspec.Struct, frozen=True, kw_only=True):
    """One burst: when its pulses begin, how long each is, and when the burst is repeated.

    `least` is how much of it is heard in any case, unless a person silences it: a condition that
    lasts a moment must still be heard.
    """

    onsets: tuple[Duration, ...]
    pulse: Duration
    repeat: Duration
    least: Duration

    @property
    def length(self) -> Duration:
        """Return how long the burst is."""
        return Duration(self.onsets[-1] + self.pulse)


def _high() -> Pattern:
    """Return three and two pulses, a pause, and the same again."""
    pulse, spacing, pause, halves = 0.15, 0.1, 0.35, 0.4
    onsets, at = list[Duration](), 0.0
    for _ in range(2):
        for number in range(5):
            onsets.append(seconds(at))
            at += pulse + (pause if number == 2 else spacing)
        at += halves - spacing
    half = Duration(onsets[4] + seconds(pulse))
    return Pattern(onsets=tuple(onsets), pulse=seconds(pulse), repeat=seconds(10), least=half)


def _few(count: int, repeat_s: float) -> Pattern:
    pulse, spacing = 0.2, 0.2
    onsets = tuple(seconds(number * (pulse + spacing)) for number in range(count))
    whole = Duration(onsets[-1] + seconds(pulse))
    return Pattern(onsets=onsets, pulse=seconds(pulse), repeat=seconds(repeat_s), least=whole)


PATTERNS: Final = {
    Priority.HIGH: _high(),
    Priority.MEDIUM: _few(3, 25),
    Priority.LOW: _few(1, 30),
}
REMINDER_LENGTH: Final = seconds(0.125)


class Burst(msgspec.Struct, frozen=True):
    """One burst that sounds, or sounded: from when, how urgent, until when it may."""

    at: Instant
    priority: Priority
    ends: Instant

    def least_until(self) -> Instant:
        """Return until when it is heard even though its cause is gone."""
        return later(self.at, PATTERNS[self.priority].least)


def burst_at(now: Instant, priority: Priority) -> Burst:
    """Return the burst of a priority, begun now."""
    return Burst(now, priority, later(now, PATTERNS[priority].length))
