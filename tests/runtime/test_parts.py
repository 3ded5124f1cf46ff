"""The small parts of the shell: clock, mailbox, back-off, URLs, sources, timeline."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import SerialLine
from monitor.model.errors import ConfigError
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    Observation,
    observe,
)
from monitor.model.instant import OPENING, Instant, instant_at, seconds
from monitor.model.metric import Metric
from monitor.runtime.clock import SessionClock
from monitor.runtime.keeper import RETRY_DELAY_S_MAX, retry_delay_s
from monitor.runtime.latest import Latest
from monitor.runtime.sources import PATIENCE, Sources
from monitor.runtime.transports.url import parse, serial_line
from monitor.runtime.trend import BIN_S, Timeline

LINKS = ("cap", "nonin")


# -- clock -----------------------------------------------------------------------------------------


class _Machine:
    def __init__(self) -> None:
        self.monotonic = 5_000
        self.utc = 1_700_000_000_000_000_000

    def clock(self, start: Instant = OPENING) -> SessionClock:
        return SessionClock(lambda: self.monotonic, lambda: self.utc, start=start)

    def run(self, ns: int, *, step: int = 0) -> None:
        self.monotonic += ns
        self.utc += ns + step


@pytest.mark.hazard("H17")
@given(st.lists(st.tuples(st.integers(0, 10**12), st.integers(-(10**13), 10**13)), max_size=20))
def test_instants_follow_the_monotonic_clock_whatever_the_wall_clock_does(
    moves: list[tuple[int, int]],
) -> None:
    machine = _Machine()
    clock = machine.clock()
    expected = 0
    for ns, step in moves:
        machine.run(ns, step=step)
        expected += ns
        clock.check_step()
        assert clock.now() == expected
        assert abs(clock.anchor.utc_of(clock.now()) - machine.utc) < seconds(1)


@pytest.mark.hazard("H17")
def test_only_a_step_makes_a_new_anchor() -> None:
    machine = _Machine()
    clock = machine.clock()
    machine.run(seconds(3600))
    assert clock.check_step() is None
    machine.run(0, step=seconds(3600))
    anchor = clock.check_step()
    assert anchor is not None
    assert anchor.utc_ns == machine.utc
    assert clock.check_step() is None


def test_a_session_that_goes_on_counts_from_where_it_was() -> None:
    machine = _Machine()
    clock = machine.clock(start=instant_at(90))
    machine.run(seconds(1))
    assert clock.now() == instant_at(91)
    assert clock.until_s(instant_at(93)) == pytest.approx(2)


# -- mailbox ---------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers()), max_size=50))
def test_a_mailbox_gives_the_newest_of_each_key_and_counts_the_rest(
    mail: list[tuple[str, int]],
) -> None:
    box: Latest[str, int] = Latest()
    for key, item in mail:
        box.put(key, item)
    taken = box.take()
    assert taken == dict(mail)
    assert box.skipped == len(mail) - len(taken)
    assert box.take() == {}


# -- back-off --------------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_retry_waits_longer_each_time_but_never_too_long(attempts: int, chance: float) -> None:
    delay = retry_delay_s(attempts, chance)
    assert 0 < delay <= RETRY_DELAY_S_MAX
    assert retry_delay_s(attempts + 1, chance) >= delay


# -- URLs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "path"),
    [
        ("serial:///dev/ttyUSB0?baud=9600", "serial", "", 0, "/dev/ttyUSB0"),
        ("tcp://10.0.0.7:4001", "tcp", "10.0.0.7", 4001, ""),
        ("udp://10.0.0.9:24105", "udp", "10.0.0.9", 24105, ""),
        ("mqtt://clinic/chair2/#", "mqtt", "clinic", 1883, "/chair2/#"),
        ("mqtts://clinic:8884/a/+/b", "mqtts", "clinic", 8884, "/a/+/b"),
    ],
)
def test_a_url_says_where_a_device_is(
    url: str, scheme: str, host: str, port: int, path: str
) -> None:
    address = parse(url)
    assert (address.scheme, address.host, address.port, address.path) == (scheme, host, port, path)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("/dev/ttyUSB0", "begin with one of"),
        ("serial://", "name the port"),
        ("tcp://10.0.0.7", "needs a port"),
        ("tcp://10.0.0.7:99999", "1 to 65535"),
        ("mqtt://broker", "needs a topic"),
        ("mqtt://me:secret@broker/t", "no password"),
    ],
)
def test_a_url_that_cannot_be_is_refused_with_what_would_be_right(url: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        parse(url)
    assert "secret" not in str(refused.value)


def test_a_url_overrides_the_drivers_line_and_nothing_else() -> None:
    line = serial_line(parse("serial:///dev/x?baud=19200&parity=e"), SerialLine(baud=9600))
    assert line == SerialLine(baud=19200, parity="E")
    with pytest.raises(ConfigError, match="unknown"):
        serial_line(parse("serial:///dev/x?bauds=1"), SerialLine())
    with pytest.raises(ConfigError, match="parity"):
        serial_line(parse("serial:///dev/x?parity=Q"), SerialLine())


# -- sources ---------------------------------------------------------------------------------------


def _spo2(value: float | None, at_s: float) -> Observation:
    return observe(Metric.SPO2, value, instant_at(at_s))


def _choose(sources: Sources, link: str, event: DeviceEvent, at_s: float) -> list[DeviceEvent]:
    return list(sources.choose(link, event, instant_at(at_s)))


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(LINKS),
        st.one_of(st.none(), st.integers(80, 100)),
        st.floats(0, 20, allow_nan=False),
    ),
    max_size=40,
)


@given(_STEPS)
def test_one_link_at_a_time_is_the_source_and_a_valued_preferred_one_always_is(
    steps: list[tuple[str, int | None, float]],
) -> None:
    sources = Sources(LINKS, {"spo2": ["nonin", "cap"]})
    at_s = 0.0
    for link, value, wait_s in steps:
        at_s += wait_s
        passed = _choose(sources, link, _spo2(value, at_s), at_s)
        assert bool(passed) == (sources.source_of(Metric.SPO2) == link)
        if link == "nonin" and value is not None:
            assert passed


def test_a_source_that_fell_quiet_yields_to_the_other() -> None:
    sources = Sources(LINKS, {})
    assert _choose(sources, "cap", _spo2(97, 0), 0)
    assert not _choose(sources, "nonin", _spo2(96, 1), 1)
    late = PATIENCE / 1e9 + 1.5
    assert _choose(sources, "nonin", _spo2(96, late), late)


def test_a_new_source_brings_its_own_states_and_ends_those_of_the_other() -> None:
    sources = Sources(LINKS, {"spo2": ["nonin", "cap"]})
    off = DeviceNotice(NoticeKind.SENSOR_OFF, instant_at(0))
    assert _choose(sources, "cap", off, 0) == [off], "with no source yet, whoever speaks counts"
    passed = _choose(sources, "nonin", _spo2(97, 1), 1)
    assert [type(each) for each in passed] == [DeviceNotice, Observation]
    ended = passed[0]
    assert isinstance(ended, DeviceNotice)
    assert (ended.notice, ended.present) == (NoticeKind.SENSOR_OFF, False)
    assert _choose(sources, "cap", off, 2) == [], "another device's probe explains nothing here"


# -- timeline --------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 3600), st.integers(50, 100)), min_size=1, max_size=200))
def test_every_bin_holds_its_extremes_and_an_empty_one_is_a_gap(
    samples: list[tuple[int, int]],
) -> None:
    timeline = Timeline()
    kept: dict[int, list[int]] = {}
    for at_s, value in samples:
        timeline.put(Metric.SPO2, value, instant_at(at_s))
        kept.setdefault(at_s // BIN_S * BIN_S, []).append(value)
    bins = {each.start_s: (each.low, each.high) for each in timeline.whole()[Metric.SPO2]}
    assert bins == {start: (min(values), max(values)) for start, values in kept.items()}
    assert {each.start_s for each in timeline.take_fresh()[Metric.SPO2]} == set(kept)
    assert timeline.take_fresh() == {}
