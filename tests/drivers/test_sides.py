"""The plainest sides of a conversation: a device that only answers, a host that only asks."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bedside import Answering, Talking
from drivers.contract import OptionError
from drivers.host import Asking, Listening
from monitor.model.event import observe
from monitor.model.instant import OPENING, Instant, instant_at, seconds
from monitor.model.metric import Metric

ASK = b"\xa5\x01\x5a"


@given(before=st.binary(max_size=20), count=st.integers(0, 5), cuts=st.lists(st.integers(0, 60)))
def test_each_question_is_answered_once_however_it_comes(
    before: bytes, count: int, cuts: list[int]
) -> None:
    device = Answering(ASK, lambda events: b"%d" % len(events))
    device.say([observe(Metric.TEMP, 37.0, OPENING)], OPENING)
    stream = before + ASK * count
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    for start, stop in pairwise(places):
        device.receive(stream[start:stop], OPENING)
    assert list(device.take_outgoing()) == [b"1"] * stream.count(ASK)
    assert not device.take_outgoing()


def test_a_talker_says_the_newest_at_its_rate() -> None:
    device = Talking(2, lambda events: b"%d;" % len(events))
    said: list[bytes] = []
    for tick in range(20):
        now = instant_at(tick / 4)
        device.wake(now)
        said += device.take_outgoing()
    assert said == [b"0;"] * 10


@given(waits_ms=st.lists(st.integers(1, 3000), min_size=1, max_size=40))
def test_a_question_comes_at_most_once_in_its_time(waits_ms: list[int]) -> None:
    host = Asking(ASK, seconds(1))
    now, asked_at = OPENING, []
    for wait_ms in waits_ms:
        host.wake(now)
        asked_at += [now for _ in host.take_outgoing()]
        now = Instant(now + wait_ms * 1_000_000)
    assert asked_at[0] == OPENING
    assert all(later - earlier >= seconds(1) for earlier, later in pairwise(asked_at))


@pytest.mark.parametrize("host", [Listening, lambda options: Asking(ASK, seconds(1), options)])
def test_an_option_nobody_knows_is_refused(host: type[Listening]) -> None:
    with pytest.raises(OptionError, match="loud"):
        host({"loud": 1})
