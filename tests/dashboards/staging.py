"""What the tests of the dashboard share: pictures drawn from chance, and an app on a stage."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
from hypothesis import strategies as st
from textual.pilot import Pilot

from dashboards.app import VigilApp
from dashboards.rehearsal import RecordedFeed, accept, apnoea, messages, quiet
from dashboards.views.line import Line, words_of
from dashboards.views.sight import Sight
from monitor.attach.messages import Command, ToClient
from monitor.model.alarm import AlarmSnapshot, Inactivation, Kind, Priority, SignalPresence
from monitor.model.event import GenerationMode, Validity
from monitor.model.instant import Instant, instant_at, later, seconds
from monitor.model.link import LinkState
from monitor.model.metric import DESCRIPTORS, Metric
from monitor.model.session import Phase
from monitor.model.snapshot import (
    ChairSnapshot,
    LinkSnapshot,
    LoggedEvent,
    MetricSnapshot,
    SittingSnapshot,
    StoreSnapshot,
    Trend,
)

NUMERICS = tuple(metric for metric, facts in DESCRIPTORS.items() if not facts.is_wave)
HOSTILE = "\x1b[2J\x07[red]owned[/]\r\n\u202eabc\u200b"

texts = st.one_of(
    st.just(""), st.just(HOSTILE), st.text(max_size=30), st.sampled_from(("no breath", "患者の声"))
)
instants = st.integers(0, 400_000).map(instant_at)


@st.composite
def metrics_of(draw: st.DrawFn, now: Instant) -> tuple[MetricSnapshot, ...]:
    """Return any of the numerics, in any state."""
    return tuple(
        draw(metric_of(metric, now))
        for metric in draw(st.lists(st.sampled_from(NUMERICS), unique=True, max_size=9))
    )


@st.composite
def metric_of(draw: st.DrawFn, metric: Metric, now: Instant) -> MetricSnapshot:
    """Return one numeric in any state."""
    facts = DESCRIPTORS[metric]
    values = st.floats(facts.technical_low, facts.technical_high, allow_nan=False)
    value = draw(st.none() | values)
    validity = Validity.NOT_AVAILABLE if value is None else Validity.VALID
    age = draw(st.sampled_from((0.0, 1.2, 8.0, 14.0, 35.0, 190.0, 4000.0)))
    at = None if value is None and draw(st.booleans()) else later(now, seconds(-age))
    return MetricSnapshot(
        metric=metric,
        value=value,
        validity=validity,
        at=at,
        low=draw(st.none() | values),
        high=draw(st.none() | values),
        priority=draw(st.none() | st.sampled_from(Priority)),
        is_held=draw(st.booleans()),
        is_stale=draw(st.booleans()),
        trend=draw(st.sampled_from(Trend)),
        baseline=draw(st.none() | values),
        note=draw(texts),
    )


@st.composite
def alarms_of(draw: st.DrawFn, now: Instant) -> tuple[AlarmSnapshot, ...]:
    """Return any conditions in any order."""
    untils = st.none() | st.sampled_from((later(now, seconds(-5)), later(now, seconds(94))))
    return tuple(
        AlarmSnapshot(
            alarm=f"alarm_{at}",
            title=draw(texts) or f"Alarm {at}",
            priority=draw(st.sampled_from(Priority)),
            kind=draw(st.sampled_from(Kind)),
            since=later(now, seconds(-draw(st.integers(0, 5000)))),
            signal=draw(st.sampled_from(SignalPresence)),
            metric=draw(st.none() | st.sampled_from(NUMERICS)),
            value=draw(st.none() | st.floats(0, 300)),
            limit=draw(st.none() | st.floats(0, 300)),
            held_since=draw(st.none() | st.just(later(now, seconds(-34)))),
            inactivation=draw(st.sampled_from(Inactivation)),
            inactivated_by=draw(texts),
            inactivated_at=draw(st.none() | st.just(later(now, seconds(-725)))),
            inactivated_until=draw(untils),
            subsumed_by=draw(st.sampled_from(("", "link_lost"))),
        )
        for at in range(draw(st.integers(0, 7)))
    )


@st.composite
def chairs(draw: st.DrawFn, parts: frozenset[str]) -> ChairSnapshot:
    """Return a picture of a chair of which `parts` may be anything."""
    now = draw(instants.filter(lambda instant: instant > instant_at(5000)))
    links = 4 if "rest" in parts else 0
    past = st.integers(0, 5000).map(lambda s: later(now, seconds(-s)))
    return ChairSnapshot(
        view=draw(st.integers(0, 10**6)),
        chair="2",
        session="s",
        now=now,
        opened_utc_ns=1_780_000_000_000_000_000,
        mode=draw(st.sampled_from(GenerationMode)),
        sitting=SittingSnapshot(
            phase=draw(st.sampled_from(Phase)),
            phase_since=draw(past),
            infusion_minute=draw(st.none() | st.floats(0, 6000)),
            infusion_min=draw(st.none() | st.floats(0, 6000)),
            dose_mg=draw(st.none() | st.floats(0, 500)),
            protocol=draw(texts),
            due=draw(st.lists(st.tuples(texts, past), max_size=3).map(tuple)),
        ),
        metrics=draw(metrics_of(now)) if "metrics" in parts else (),
        alarms=draw(alarms_of(now)) if "alarms" in parts else (),
        links=tuple(
            LinkSnapshot(link=draw(texts), driver="d", state=state, since=draw(past),
                         reason=draw(texts), rejected=draw(st.integers(0, 10**6)))
            for state in draw(st.lists(st.sampled_from(LinkState), max_size=links))
        ),
        store=StoreSnapshot(record_is_well=draw(st.booleans()), reason=draw(texts)),
        events=tuple(
            LoggedEvent(at=draw(past), what=draw(texts), text=draw(texts),
                        priority=draw(st.none() | st.sampled_from(Priority)))
            for _ in range(draw(st.integers(0, 4)) if "rest" in parts else 0)
        ),
        gaps=((draw(past), now),) if draw(st.booleans()) else (),
        preset=draw(texts),
        pseudonym=draw(texts),
        watermark=draw(st.sampled_from(("", "REPLAY", "SIMULATED"))),
    )  # fmt: skip


@st.composite
def sights(draw: st.DrawFn, *parts: str) -> Sight:
    """Return what a screen may know; `parts` of the picture are anything, the others empty."""
    chair = draw(chairs(frozenset(parts)))
    age_s = draw(st.sampled_from((0.0, 0.4, 2.9, 3.0, 7.3, 100.0)))
    return Sight(
        name="2",
        chair=chair,
        now=later(chair.now, seconds(age_s)),
        picture_age_s=age_s,
        clock_s=draw(st.floats(0, 1000)),
        link_reason=draw(texts),
        selected=draw(st.sampled_from(("", "alarm_0", "alarm_5", "gone"))),
        status=draw(texts),
    )


def seen(chair: ChairSnapshot, **facts: object) -> Sight:
    """Return the sight of a fresh picture, with other facts where given."""
    whole: dict[str, object] = {
        "name": chair.chair, "chair": chair, "now": chair.now, "picture_age_s": 0.0, "clock_s": 0.0
    }  # fmt: skip
    return Sight(**(whole | facts))  # type: ignore[arg-type]  # facts are fields of Sight


def text_of(lines: Sequence[Line]) -> str:
    """Return lines as text."""
    return "\n".join(words_of(line) for line in lines)


class Stage:
    """An app, the link it hears, and the clock it reads."""

    def __init__(self, *said: ToClient, feed: RecordedFeed | None = None) -> None:
        self.now_s = 100.0
        self.feed = feed or RecordedFeed(said or messages(apnoea()), accept)
        self.feeds = [self.feed]
        self.attached = 0
        self.app = VigilApp(
            self._connect, chair="2", operator="nurse-1", clock=lambda: self.now_s, retry_s=0.01
        )

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[RecordedFeed]:
        """Attach to the next link, or again to the last."""
        feed = self.feeds[min(self.attached, len(self.feeds) - 1)]
        self.attached += 1
        yield feed

    @asynccontextmanager
    async def play(
        self, size: tuple[int, int] = (110, 34), *, settle_s: float = 1.0
    ) -> AsyncIterator[Pilot[None]]:
        """Run the app; what has come by then has been there for `settle_s` seconds."""
        async with self.app.run_test(size=size) as pilot:
            await self.hear(pilot)
            self.now_s += settle_s
            self.app.paint()
            await pilot.pause()
            yield pilot

    async def hear(self, pilot: Pilot[None], *said: ToClient) -> None:
        """Let the server say something, and the app take it."""
        self.feed.put(*said)
        await self.feed.taken()
        await pilot.pause()
        self.app.paint()
        await pilot.pause()

    async def press(self, pilot: Pilot[None], *keys: str) -> None:
        """Press keys one after another, and let what they start come to rest."""
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await self.feed.taken()
        await pilot.pause()
        self.app.paint()
        await pilot.pause()

    @property
    def sent(self) -> list[Command]:
        """Return the commands that were sent."""
        return [command for feed in self.feeds for command in feed.sent]

    @property
    def text(self) -> str:
        """Return the screen as text."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text for strip in strips)


def moved(chair: ChairSnapshot, s: float, **facts: object) -> ChairSnapshot:
    """Return the picture `s` seconds later, with other facts where given."""
    now = later(chair.now, seconds(s))
    return msgspec.structs.replace(chair, view=chair.view + 1, now=now, **facts)


__all__ = ["accept", "apnoea", "messages", "quiet"]
