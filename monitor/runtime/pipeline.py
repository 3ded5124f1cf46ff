"""The one call that every input takes: journal, protocol, alarm core, record, picture.

Synchronous, deterministic and short. The same inputs through a new pipeline give the same
conclusions, byte for byte: that is what `vigil verify` runs. Order of every call:

1. what fell due before now matures (alarm delays, staleness), stamped with its due instant;
2. the input is appended to the record;
3. its protocol reads it, and each event is appended as *heard* and judged;
4. alarm changes are appended; the picture is updated.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Protocol

import msgspec

from alarms.limits import LimitSet
from alarms.system import AlarmSystem
from drivers.contract import CanMeasure, DeviceProtocol, Driver, Options
from monitor.model.alarm import AlarmChange
from monitor.model.entry import Body, Entry, EntryKind, Resumed, SelfCheck, encode
from monitor.model.event import DeviceEvent, FrameRejected
from monitor.model.instant import (
    OPENING,
    Instant,
    WallAnchor,
    later,
    seconds,
)
from monitor.model.link import LinkChange, LinkState
from monitor.model.session import Deed, OperatorAction
from monitor.runtime.picture import Picture
from monitor.runtime.sources import Sources
from monitor.session.sitting import Sitting

CHECKPOINT_EVERY: Final = seconds(30)


class Log(Protocol):
    """Where entries go: the record of a session, or a list in memory."""

    def append(self, entry: Entry) -> int:
        """Take `entry` and return its sequence number."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One configured link: whose bytes it carries and how they are read."""

    link: str
    driver: Driver
    options: Options


class Checkpoint(msgspec.Struct, frozen=True):
    """The state from which a restart goes on; the alarm core's own state travels as it saved it."""

    sitting: Sitting
    alarms: msgspec.Raw


_CHECKPOINT: Final[msgspec.json.Decoder[Checkpoint]] = msgspec.json.Decoder(Checkpoint)


class Pipeline:
    """One chair's inputs to its conclusions."""

    def __init__(
        self,
        *,
        lines: Sequence[Line],
        limits: LimitSet,
        sitting: Sitting,
        sources: Sources,
        log: Log,
        anchor: WallAnchor,
    ) -> None:
        self._lines: Final = {line.link: line for line in lines}
        self._protocols: dict[str, DeviceProtocol] = {}
        self._limits = limits
        self._alarms = AlarmSystem(limits)
        self._sitting = sitting
        self._sources = sources
        self._log = log
        self._anchor = anchor
        self._checkpoint_at = later(anchor.at, CHECKPOINT_EVERY)
        self.picture = Picture(
            [line.link for line in lines],
            {line.link: line.driver.name for line in lines},
            sources,
            anchor,
        )
        self.on_changes: Callable[[Sequence[AlarmChange]], None] = _nobody
        self.on_heard: Callable[[str, DeviceEvent], None] = _nobody_hears
        self.on_wake_due: Callable[[Instant], None] = _nobody_wakes
        self.on_outgoing: Callable[[], None] = _nothing_goes
        self._wake_told: Instant | None = None

    # -- what the shell asks -------------------------------------------------------------------

    @property
    def alarms(self) -> AlarmSystem:
        """The alarm core, to look at; only this pipeline changes it."""
        return self._alarms

    @property
    def sitting(self) -> Sitting:
        """Where the sitting stands."""
        return self._sitting

    def protocol(self, link: str) -> DeviceProtocol | None:
        """Return the conversation on `link`, or None while the link is not up."""
        return self._protocols.get(link)

    # -- inputs --------------------------------------------------------------------------------

    def receive(self, link: str, data: bytes, now: Instant) -> None:
        """Take bytes that came on `link`."""
        self.mature(now)
        self._log.append(Entry(EntryKind.RECEIVED, now, link, data))
        protocol = self._protocols.get(link)
        if protocol is not None:
            self._hear(link, protocol.receive(data, now), now)
        self._settle(now)

    def wake_link(self, link: str, now: Instant) -> None:
        """Let the conversation on `link` act on time alone."""
        protocol = self._protocols.get(link)
        if protocol is None:
            return
        self.mature(now)
        self._log.append(Entry(EntryKind.WOKEN, now, link, b""))
        self._hear(link, protocol.wake(now), now)
        self._settle(now)

    def change_link(self, change: LinkChange) -> None:
        """Take an edge of a link's state. A link that came up begins its conversation anew."""
        now = change.at
        self.mature(now)
        self._put(EntryKind.LINK, now, change, change.link)
        if change.state is LinkState.UP and change.link not in self._protocols:
            line = self._lines[change.link]
            self._sources.forget(change.link)
            self._protocols[change.link] = line.driver.open_protocol(self._options(line))
        elif change.state is LinkState.LOST:
            self._protocols.pop(change.link, None)
        self.picture.take_link(change)
        self._tell(self._alarms.accept(change, now))
        self._settle(now)

    def operate(self, action: OperatorAction) -> str:
        """Take an operator's action; return why it was refused, or "" if it was done."""
        now = action.at
        self.mature(now)
        refusal = self._refusal(action)
        if refusal:
            return refusal
        self._put(EntryKind.OPERATOR, now, action)
        self._act(action, now)
        self._settle(now)
        return ""

    def check_self(self, check: SelfCheck) -> None:
        """Take what we found out about ourselves (disk, upload, clock)."""
        self.mature(check.at)
        self._put(EntryKind.SELF_CHECK, check.at, check)
        self._tell(self._alarms.accept(check, check.at))
        self._settle(check.at)

    def anchor(self, anchor: WallAnchor) -> None:
        """Take a new tie between instants and wall time."""
        self.mature(anchor.at)
        self._anchor = anchor
        self._log.append(Entry(EntryKind.ANCHOR, anchor.at, "", encode(anchor)))

    def resume(self, resumed: Resumed) -> None:
        """Go on after a stop that nobody chose: links begin anew, the gap is said and shown."""
        now = resumed.anchor.at
        gap = seconds(resumed.gap_s)
        self._anchor = resumed.anchor
        self._protocols.clear()
        self._sources.clear()
        self._put(EntryKind.RESUMED, now, resumed)
        self.picture.take_gap(Instant(now - gap), now)
        self._tell(self._alarms.resume(now, gap))
        self._checkpoint_at = OPENING  # also where nothing was told: a replay knows no restart
        self._settle(now)

    def judge(self, link: str, events: Sequence[DeviceEvent], now: Instant) -> None:
        """Take events that were heard already (a recording): the record gets no bytes."""
        self.mature(now)
        self._hear(link, events, now)
        self._settle(now)

    def mature(self, now: Instant) -> None:
        """Let everything that fell due by `now` happen, each thing at its own instant.

        How late we look leaves no trace in the state, so that a replay comes to the same one.
        """
        for changes in self._matured(now):
            self._tell(changes)

    def _matured(self, now: Instant) -> Iterator[Sequence[AlarmChange]]:
        while (due := self._alarms.wake_at) is not None and due <= now:
            yield self._alarms.wake(due)

    # -- going on from a record ------------------------------------------------------------------

    def restore(self, checkpoint: bytes) -> None:
        """Take the state a record kept last."""
        kept = _CHECKPOINT.decode(checkpoint)
        self._sitting = kept.sitting
        self._alarms = AlarmSystem.restore(self._limits, bytes(kept.alarms))

    def recall(self, entry: Entry, body: Body | WallAnchor | bytes) -> None:
        """Fold an entry that is on disk already: state moves on, nothing is told or written."""
        now = entry.at
        if isinstance(body, LinkChange | SelfCheck):
            self._alarms.accept(body, now)
        elif isinstance(body, AlarmChange):
            self._alarms.wake(now)
        elif isinstance(body, OperatorAction):
            self._sitting = self._sitting.accept(body, now)
            self._alarms.accept(body, now)
        for chosen in self.recall_picture(entry, body):
            self._alarms.accept(chosen, now, entry.link)
        if isinstance(body, DeviceEvent):
            aside = self._sources.aside(entry.link, body)
            if aside is not None:
                self._alarms.accept(aside, now)

    def catch_up(self, last: Instant) -> None:
        """Let clocks act that ran out by the last entry on disk; what they told is there too.

        The last entries may be bytes that nobody judged; clocks had acted before them all the same.
        """
        for _ in self._matured(last):
            pass

    def recall_picture(
        self, entry: Entry, body: Body | WallAnchor | bytes
    ) -> Sequence[DeviceEvent]:
        """Fold an entry into the picture alone; return the events of it that count."""
        now = entry.at
        if isinstance(body, LinkChange):
            self.picture.take_link(body)
        elif isinstance(body, AlarmChange):
            self.picture.take_change(body)
        elif isinstance(body, OperatorAction):
            self.picture.take_action(body)
        elif isinstance(body, Resumed):
            self._sources.clear()
            self.picture.take_gap(Instant(now - seconds(body.gap_s)), now)
        elif isinstance(body, DeviceEvent):
            chosen = tuple(self._sources.choose(entry.link, body, now))
            for event in chosen:
                self.picture.take_event(entry.link, event, now)
            return chosen
        return ()

    # -- inside ----------------------------------------------------------------------------------

    def _hear(self, link: str, events: Sequence[DeviceEvent], now: Instant) -> None:
        append = self._log.append
        for event in events:
            append(Entry(EntryKind.HEARD, now, link, encode(event)))
            self.on_heard(link, event)
            self.picture.count(link, event, now)
            for chosen in self._sources.choose(link, event, now):
                self.picture.take_event(link, chosen, now)
                changes = self._alarms.accept(chosen, now, link)
                if changes:
                    self._tell(changes)
            aside = self._sources.aside(link, event)
            if aside is not None:
                self._tell(self._alarms.accept(aside, now))

    def _act(self, action: OperatorAction, now: Instant) -> None:
        self._sitting = self._sitting.accept(action, now)
        if action.deed is Deed.MEASURE_NIBP:
            self._measure(now)
        self.picture.take_action(action)
        self._tell(self._alarms.accept(action, now))
        self._checkpoint_at = OPENING

    def _refusal(self, action: OperatorAction) -> str:
        if not action.operator:
            return "nobody is named as operator"
        if action.deed is Deed.ENTER_PHASE:
            return self._sitting.refusal(action)
        if action.deed is Deed.MEASURE_NIBP:
            return "" if self._cuffs() else "no device on this chair can be asked to measure"
        refusal: str = self._alarms.refusal(action)
        return refusal

    def _cuffs(self) -> dict[str, CanMeasure]:
        return {
            link: protocol
            for link, protocol in self._protocols.items()
            if isinstance(protocol, CanMeasure)
        }

    def _measure(self, now: Instant) -> None:
        for link, protocol in self._cuffs().items():
            self._hear(link, protocol.measure(now), now)
        self.on_outgoing()

    def _tell(self, changes: Sequence[AlarmChange]) -> None:
        if not changes:
            return
        for change in changes:
            self._log.append(Entry(EntryKind.ALARM, change.at, "", encode(change)))
            self.picture.take_change(change)
        # Not here: we may be maturing, at a moment that a replay does not know. The checkpoint
        # waits for the end of the next input.
        self._checkpoint_at = OPENING
        self.on_changes(changes)

    def _settle(self, now: Instant) -> None:
        """End an input: keep a checkpoint when one is due, and say when to be woken."""
        if now >= self._checkpoint_at:
            self._checkpoint(now)
        due = self._alarms.wake_at
        if due is not None and due != self._wake_told:
            self._wake_told = due
            self.on_wake_due(due)

    def _checkpoint(self, now: Instant) -> None:
        kept = Checkpoint(self._sitting, msgspec.Raw(self._alarms.save()))
        self._log.append(Entry(EntryKind.CHECKPOINT, now, "", msgspec.json.encode(kept)))
        self._checkpoint_at = later(now, CHECKPOINT_EVERY)

    def _put(self, kind: EntryKind, at: Instant, body: Body, link: str = "") -> None:
        self._log.append(Entry(kind, at, link, encode(body)))

    def _options(self, line: Line) -> Mapping[str, object]:
        opened_utc_s = self._anchor.utc_of(Instant(0)) / 1e9
        return {**line.options, "opened_utc_s": opened_utc_s}


def is_readable(event: DeviceEvent) -> bool:
    """Return whether `event` shows that the device speaks our language."""
    return not isinstance(event, FrameRejected)


def _nobody(changes: Sequence[AlarmChange]) -> None:
    del changes


def _nobody_wakes(due: Instant) -> None:
    del due


def _nothing_goes() -> None:
    pass


def _nobody_hears(link: str, event: DeviceEvent) -> None:
    del link, event
