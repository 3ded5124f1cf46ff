"""How a host sets a Capnostat going: what it must be told about the gas, and in which order."""

from collections.abc import Sequence
from typing import Annotated, Final

from msgspec import Meta

from drivers.options import CommonOptions
from drivers.parts.respironics_packets import (
    COMPENSATION,
    MMHG,
    NO_BREATH_S,
    PERIOD,
    PRESSURE,
    REVISION,
    SET,
    STOP,
    TEMPERATURE,
    UNIT,
    WAVE,
    packet,
    two,
)
from monitor.model.instant import OPENING, Instant, later, seconds

SILENCE: Final = seconds(1.5)
_ASK_EVERY: Final = seconds(0.5)
_ASK_SLOWLY_EVERY: Final = seconds(2)
_QUICK_TRIES: Final = 10
_TRIES_MAX: Final = 3


class RespironicsOptions(CommonOptions, frozen=True, kw_only=True):
    """What the sensor is told about the gas it sees; all of it changes its numbers.

    `ambient_mmhg`: barometric pressure. `gas_temperature_c`: 35 mainstream. `o2_percent`,
    `balance_gas` (0 air, 1 N2O, 2 He), `agent_percent`: compensation. `no_breath_s`: its time-out.
    `etco2_period_s`: 1 (one breath), 10 or 20.
    """

    ambient_mmhg: Annotated[int, Meta(ge=400, le=850)] = 760
    gas_temperature_c: Annotated[float, Meta(ge=0, le=40)] = 35.0
    o2_percent: Annotated[int, Meta(ge=0, le=100)] = 21
    balance_gas: Annotated[int, Meta(ge=0, le=2)] = 0
    agent_percent: Annotated[float, Meta(ge=0, le=20)] = 0.0
    no_breath_s: Annotated[int, Meta(ge=10, le=60)] = 20
    etco2_period_s: Annotated[int, Meta(ge=1, le=20)] = 10


def settings_of(chosen: RespironicsOptions) -> tuple[bytes, ...]:
    """Return the settings in the order they are sent; pressure and compensation come first."""
    gas = bytes([chosen.o2_percent, chosen.balance_gas]) + two(round(chosen.agent_percent * 10))
    return (
        packet(SET, bytes([PRESSURE]) + two(chosen.ambient_mmhg)),
        packet(SET, bytes([COMPENSATION]) + gas),
        packet(SET, bytes([UNIT, MMHG])),
        packet(SET, bytes([TEMPERATURE]) + two(round(chosen.gas_temperature_c * 10))),
        packet(SET, bytes([PERIOD, chosen.etco2_period_s])),
        packet(SET, bytes([NO_BREATH_S, chosen.no_breath_s])),
    )


class Start:
    """The start sequence, step by step: what to send next, and when again."""

    def __init__(self, settings: Sequence[bytes]) -> None:
        self._steps = (packet(STOP), packet(REVISION, b"\0"), *settings, packet(WAVE, b"\0"))
        self._step = 0
        self._tries = 0
        self.is_running = False
        self.due: Instant = OPENING
        self.outgoing: list[bytes] = []

    def begin_again(self, now: Instant) -> None:
        """Return to the first step, and send it."""
        self._step, self._tries, self.is_running = 0, 0, False
        self.ask(now)

    def ask(self, now: Instant) -> None:
        """Send the present step, once more if need be; a step in vain leads back to the first."""
        if self._step and self._tries >= _TRIES_MAX:
            self._step, self._tries = 0, 0
        self._tries += 1
        every = _ASK_EVERY if self._tries <= _QUICK_TRIES else _ASK_SLOWLY_EVERY
        self.due = later(now, every)
        self.outgoing = [self._steps[self._step]]

    def is_asked(self, command: int, setting: int | None) -> bool:
        """Tell whether an answer is one to the present step."""
        step = self._steps[self._step]
        waits = not self.is_running and self._tries > 0
        return waits and step[0] == command and (command != SET or step[2] == setting)

    def go_on(self, now: Instant) -> None:
        """Take the present step as done or refused, and send the next."""
        self._step, self._tries = self._step + 1, 0
        self.ask(now)

    def step_is_optional(self) -> bool:
        """Tell whether the sensor may refuse this one."""
        return not self.is_running and 0 < self._step < len(self._steps) - 1

    def run(self, now: Instant) -> None:
        """Note a packet of the stream: it runs once it was asked for."""
        if self.is_running or self.is_asked(WAVE, None):
            self.is_running = True
            self.due = later(now, SILENCE)
