"""The HL7 sender of a site, as its configuration asks for it."""

from collections.abc import Callable, Sequence

from drivers.parts.hl7_report import Bed
from monitor.config import Config
from monitor.model.alarm import AlarmChange, AlarmSnapshot
from monitor.model.event import GenerationMode
from monitor.model.instant import OPENING, Instant
from monitor.model.snapshot import MetricSnapshot
from monitor.runtime.chair import Chair
from monitor.runtime.hl7.reports import standing_alarms
from monitor.runtime.hl7.sender import Hl7Sender
from monitor.runtime.hl7.table import target_of, wishes_of

PART = "hl7"


class ChairSource:
    """What the sender looks at of a chair."""

    def __init__(self, chair: Chair) -> None:
        self._chair = chair

    def bed(self) -> Bed:
        """Return whose data they are; simulated where the session or any device says so."""
        opened, heard = self._chair.opened, self._chair.pipeline.picture.mode
        return Bed(
            site=opened.site,
            chair=opened.chair,
            session=opened.session,
            opened_utc_ns=self._chair.clock.anchor.utc_of(OPENING),
            pseudonym=opened.pseudonym,
            mode=heard if heard is not GenerationMode.REAL else GenerationMode(opened.mode),
        )

    def now(self) -> Instant:
        """Return this instant of its session."""
        return self._chair.clock.now()

    def metrics(self) -> Sequence[MetricSnapshot]:
        """Return its newest numerics."""
        return self._chair.picture().metrics

    def alarms(self) -> Sequence[AlarmSnapshot]:
        """Return what is present or latched."""
        return standing_alarms(self._chair.pipeline.alarms)

    def title_of(self, alarm: str) -> str:
        """Return what people call an alarm."""
        watch = self._chair.pipeline.alarms.inspect(alarm)
        return alarm if watch is None else watch.identity.title


def open_sender(
    config: Config, chairs: Sequence[Chair], chance: Callable[[], float]
) -> Hl7Sender | None:
    """Return what sends observations and alarms; None without [hl7].

    Raises:
        ConfigError: a certificate cannot be read.
    """
    if config.hl7 is None:
        return None
    first = chairs[0]

    def report(reason: str, is_well: bool) -> None:  # noqa: FBT001 - the sender's edge
        for chair in chairs:
            chair.check_self(PART, reason, is_well=is_well)

    return Hl7Sender(
        target_of(config.hl7),
        wishes_of(config.hl7, config.site.name),
        {chair.name: ChairSource(chair) for chair in chairs},
        # No two runs begin in the same millisecond.
        prefix=f"V{first.clock.anchor.utc_of(first.clock.now()) // 1_000_000:x}",
        chance=chance,
        report=report,
    )


def heard_by(
    tell: Callable[[str, Sequence[AlarmChange]], None], sender: Hl7Sender
) -> Callable[[str, Sequence[AlarmChange]], None]:
    """Return a teller that lets `sender` hear what `tell` is told."""

    def tell_both(chair: str, changes: Sequence[AlarmChange]) -> None:
        tell(chair, changes)
        sender.take(chair, changes)

    return tell_both
