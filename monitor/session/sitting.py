"""The sitting as a fold over operator actions: phase, minute of infusion, dose given.

The dose is what the plan says was given by now: rate × time spent infusing. Vigil never talks to a
pump and does not know what a pump really delivered; screens say "planned".
"""

from typing import Final

import msgspec

from monitor.model.instant import OPENING, Duration, Instant, between, in_seconds
from monitor.model.session import Deed, OperatorAction, Phase
from monitor.model.snapshot import SittingSnapshot

# The whole table: a phase not named as a target is not reachable from there.
NEXT: Final[dict[Phase, tuple[Phase, ...]]] = {
    Phase.SETUP: (Phase.BASELINE, Phase.ABORTED),
    Phase.BASELINE: (Phase.INFUSING, Phase.ABORTED),
    Phase.INFUSING: (Phase.PAUSED, Phase.OBSERVATION, Phase.ABORTED),
    Phase.PAUSED: (Phase.INFUSING, Phase.OBSERVATION, Phase.ABORTED),
    Phase.OBSERVATION: (Phase.READY, Phase.ABORTED),
    Phase.READY: (Phase.OBSERVATION, Phase.CLOSED),
    Phase.CLOSED: (),
    Phase.ABORTED: (Phase.CLOSED,),
}


PHASES_KEPT_MAX: Final = 200
"""Pauses and resumptions of a 96-hour infusion fit; the record keeps all."""


class Plan(msgspec.Struct, frozen=True):
    """What was planned for this sitting. `dose_mg` in mg over `infusion_min` minutes."""

    protocol: str = ""
    dose_mg: float | None = None
    infusion_min: float | None = None


class Sitting(msgspec.Struct, frozen=True):
    """Where the sitting stands; each transition makes a new one."""

    plan: Plan = Plan()
    phase: Phase = Phase.SETUP
    since: Instant = OPENING
    infused: Duration = Duration(0)
    was_infused: bool = False
    entered: tuple[tuple[Phase, Instant], ...] = ()

    def refusal(self, action: OperatorAction) -> str:
        """Return why `action` cannot change the phase now, or "" if it can."""
        if action.deed is not Deed.ENTER_PHASE:
            return ""
        if action.phase is None:
            return "no phase was named"
        if action.phase not in NEXT[self.phase]:
            possible = ", ".join(NEXT[self.phase]) or "nothing: the session is over"
            return f"from {self.phase} one can go to: {possible}"
        return ""

    def accept(self, action: OperatorAction, now: Instant) -> "Sitting":
        """Return the sitting after `action`; unchanged if it is refused or about something else."""
        if action.deed is not Deed.ENTER_PHASE or self.refusal(action):
            return self
        assert action.phase is not None
        return Sitting(
            plan=self.plan,
            phase=action.phase,
            since=now,
            infused=self._infused(now),
            was_infused=self.was_infused or action.phase is Phase.INFUSING,
            entered=(*self.entered, (action.phase, now))[-PHASES_KEPT_MAX:],
        )

    def snapshot(self, now: Instant) -> SittingSnapshot:
        """Return what screens show of the sitting at `now`."""
        minute = in_seconds(self._infused(now)) / 60 if self.was_infused else None
        return SittingSnapshot(
            phase=self.phase,
            phase_since=self.since,
            infusion_minute=minute,
            infusion_min=self.plan.infusion_min,
            dose_given_mg=self._dose(minute),
            dose_mg=self.plan.dose_mg,
            protocol=self.plan.protocol,
            phases=self.entered,
            next_phases=NEXT[self.phase],
        )

    def _infused(self, now: Instant) -> Duration:
        running = between(self.since, now) if self.phase is Phase.INFUSING else 0
        return Duration(self.infused + running)

    def _dose(self, minute: float | None) -> float | None:
        if minute is None or self.plan.dose_mg is None or not self.plan.infusion_min:
            return None
        return self.plan.dose_mg * min(1.0, minute / self.plan.infusion_min)
