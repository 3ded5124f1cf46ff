"""The HL7 sender on real sockets: receivers that answer, refuse, are silent, late, or away."""

import asyncio
import itertools
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from drivers.parts.hl7_writing import Sender
from monitor.model.alarm import AlarmSnapshot, Change, Kind, Priority
from monitor.model.instant import instant_at
from monitor.runtime.hl7.peer import Target
from monitor.runtime.hl7.sender import Hl7Sender, Wishes, patience_s
from monitor.runtime.hl7.waiting import WAITING_MAX
from monitor.runtime.hl7.wellness import Wellness
from tests.runtime.receivers import FakeChair, Heard, Receiver, accept, answer, change
from tests.services.certificates import tls_files
from tests.services.servers import free_port

ALARMS = Wishes(sender=Sender(application="VIGIL"), sends_observations=False, answer_s=0.3)
NUMERICS = Wishes(sender=Sender(application="VIGIL"), sends_alarms=False, every_s=1.0)
Told = list[tuple[str, bool]]


@asynccontextmanager
async def sending(
    port: int,
    *chairs: FakeChair,
    wishes: Wishes = ALARMS,
    told: Told | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Hl7Sender]:
    """A sender that runs."""
    says: Told = [] if told is None else told
    sender = Hl7Sender(
        Target(host="localhost" if tls else "127.0.0.1", port=port, tls=tls),
        wishes,
        {each.name: each for each in chairs or (FakeChair(),)},
        prefix="V",
        chance=lambda: 0.9,
        report=lambda reason, is_well: says.append((reason, is_well)),
    )
    running = asyncio.create_task(sender.run())
    await asyncio.sleep(0)  # it begins by saying again what stands
    try:
        yield sender
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def standing(alarm: str) -> AlarmSnapshot:
    """An alarm that is present."""
    return AlarmSnapshot(
        alarm=alarm,
        title=alarm,
        priority=Priority.HIGH,
        kind=Kind.PHYSIOLOGICAL,
        since=instant_at(1),
    )


async def until(holds: Callable[[], bool]) -> None:
    """Look a hundred times a second whether it holds."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(20):
        while not holds():
            turn = asyncio.Event()
            loop.call_later(0.01, turn.set)
            await turn.wait()


async def settled(sender: Hl7Sender, accepted: int) -> None:
    """Wait until so many messages were accepted."""
    await until(lambda: sender.state.accepted >= accepted)


async def test_changes_arrive_in_order_one_at_a_time() -> None:
    most = 0

    def behave(heard: Heard) -> Sequence[tuple[float, bytes]]:
        nonlocal most
        most = max(most, heard.number + 1 - sender.state.accepted)
        return [(0.02, answer(heard))]

    async with Receiver(behave).listen() as receiver, sending(receiver.port) as sender:
        for number in range(10):
            sender.take("2", [change(f"a{number}")])
        sender.take("2", [change("a3", Change.ENDED)])
        await settled(sender, 11)
        assert receiver.said == [*((f"a{n}", "start") for n in range(10)), ("a3", "end")]
    assert most == 1
    assert (sender.waiting, sender.dropped, receiver.connections) == (0, 0, 1)
    controls = [each.control for each in receiver.heard]
    assert len(set(controls)) == len(controls)


async def test_an_occurrence_has_one_name_from_start_to_end() -> None:
    async with Receiver().listen() as receiver, sending(receiver.port) as sender:
        for number, what in enumerate((Change.PRESENT, Change.ESCALATED, Change.ENDED)):
            sender.take("2", [change("spo2_low", what, number)])
        await settled(sender, 3)
        names = {each.order.text(3) for each in receiver.heard}
        assert names == {"2-s.spo2_low.0"}


async def test_numerics_go_out_newest_first_and_not_more_often_than_wanted() -> None:
    chair = FakeChair()
    loop = asyncio.get_running_loop()
    times: list[float] = []

    def behave(heard: Heard) -> Sequence[tuple[float, bytes]]:
        times.append(loop.time())
        chair.spo2 -= 1
        return accept(heard)

    async with Receiver(behave).listen() as receiver:
        async with sending(receiver.port, chair, wishes=NUMERICS):
            await receiver.until(lambda each: len(each.heard) == 3)
        assert [each.facet("SAT_O2") for each in receiver.heard] == ["97", "96", "95"]
    assert all(after - before >= 0.95 for before, after in itertools.pairwise(times))


async def test_numerics_of_each_chair_are_of_its_own_bed() -> None:
    chairs = [FakeChair("1"), FakeChair("2"), FakeChair("3")]
    async with Receiver().listen() as receiver:
        async with sending(receiver.port, *chairs, wishes=NUMERICS):
            await receiver.until(lambda each: len(each.heard) == 6)
        beds = [each.segments[2].text(3, 3) for each in receiver.heard]
        assert sorted(beds[:3]) == sorted(beds[3:]) == ["1", "2", "3"]


async def test_what_stands_at_the_start_is_said_again() -> None:
    chair = FakeChair()
    chair.present = [standing("apnoea")]
    async with Receiver().listen() as receiver, sending(receiver.port, chair) as sender:
        await settled(sender, 1)
        assert receiver.said == [("apnoea", "continue")]


async def test_a_receiver_that_is_away_is_told_once_and_gets_all_when_it_comes() -> None:
    told: Told = []
    port = free_port()
    async with sending(port, told=told) as sender:
        sender.take("2", [change("a"), change("b")])
        await until(lambda: bool(told))
        assert [is_well for _, is_well in told] == [False]
        assert f"127.0.0.1:{port}" in told[0][0]
        async with Receiver().listen(port) as receiver:
            await settled(sender, 2)
            assert receiver.said == [("a", "start"), ("b", "start")]
    assert [is_well for _, is_well in told] == [False, True]


async def test_a_message_nobody_answers_is_sent_again_as_the_same_on_another_connection() -> None:
    def behave(heard: Heard) -> Sequence[tuple[float, bytes]]:
        return accept(heard) if heard.number >= 2 else []

    async with Receiver(behave).listen() as receiver, sending(receiver.port) as sender:
        sender.take("2", [change("a")])
        await settled(sender, 1)
        assert len({each.control for each in receiver.heard}) == 1
        assert [each.connection for each in receiver.heard] == [1, 2, 3]
        assert sender.waiting == 0


async def test_a_receiver_that_answers_late_is_waited_for_longer_each_time() -> None:
    """It takes 0.5 s for each; the first try waits 0.3 s, the second 0.6 s."""

    def behave(heard: Heard) -> Sequence[tuple[float, bytes]]:
        return [(0.5, answer(heard))]

    async with Receiver(behave).listen() as receiver, sending(receiver.port) as sender:
        sender.take("2", [change("a"), change("b")])
        await settled(sender, 2)
        assert receiver.said == [("a", "start")] * 2 + [("b", "start")] * 2
        assert sender.dropped == 0


async def test_a_message_that_nobody_ever_answers_does_not_stop_the_others() -> None:
    def behave(heard: Heard) -> Sequence[tuple[float, bytes]]:
        return [] if heard.said[0] == "poison" else accept(heard)

    quick = Wishes(sender=ALARMS.sender, sends_observations=False, answer_s=0.02)
    async with (
        Receiver(behave).listen() as receiver,
        sending(receiver.port, wishes=quick) as sender,
    ):
        sender.take("2", [change("poison"), change("a"), change("b")])
        await settled(sender, 2)
        assert [each for each, _ in receiver.said][:7] == ["poison"] * 5 + ["a", "b"]
        assert (sender.waiting, sender.dropped) == (1, 0)


async def test_where_nobody_answers_alarms_and_numerics_take_turns() -> None:
    both = Wishes(sender=ALARMS.sender, every_s=0.01, answer_s=0.02)
    async with Receiver(lambda _: []).listen() as receiver:
        async with sending(receiver.port, wishes=both) as sender:
            sender.take("2", [change("a")])
            await receiver.until(lambda each: len(each.heard) == 5)
        turns = [each.trigger for each in receiver.heard[:5]]
        assert turns in (["R40", "R01", "R40", "R01", "R40"], ["R01", "R40", "R01", "R40", "R01"])


@pytest.mark.parametrize(("code", "tries"), [("AE", 1), ("CE", 1), ("AR", 3), ("CR", 3)])
async def test_what_is_refused_is_not_offered_for_ever(code: str, tries: int) -> None:
    told: Told = []

    def behave(heard: Heard) -> Sequence[tuple[float, bytes]]:
        return (
            [(0.0, answer(heard, code, "no such bed"))] if heard.said[0] == "a" else accept(heard)
        )

    async with Receiver(behave).listen() as receiver, sending(receiver.port, told=told) as sender:
        sender.take("2", [change("a"), change("b")])
        await settled(sender, 1)
        assert [each for each, _ in receiver.said] == ["a"] * tries + ["b"]
        assert (sender.state.refused, sender.waiting) == (1, 0)
    assert told == [(f"refused for good: {code} no such bed", False), ("", True)]


async def test_only_the_answer_to_this_message_counts() -> None:
    def behave(heard: Heard) -> Sequence[tuple[float, bytes]]:
        other = answer(heard, "AE").replace(heard.control.encode(), b"OTHER")
        noise = b"\x0bMSH|^~\\&|\rMSA|AA\r\x1c\rxx\x0b\x1c"
        return [(0.0, other), (0.01, noise), (0.02, answer(heard)), (0.03, answer(heard))]

    async with Receiver(behave).listen() as receiver, sending(receiver.port) as sender:
        sender.take("2", [change("a"), change("b")])
        await settled(sender, 2)
        assert (len(receiver.heard), receiver.connections, sender.state.refused) == (2, 1, 0)


async def test_an_answer_may_come_in_any_pieces() -> None:
    def behave(heard: Heard) -> Sequence[tuple[float, bytes]]:
        data = answer(heard)
        return [(number * 0.001, data[number : number + 1]) for number in range(len(data))]

    async with Receiver(behave).listen() as receiver, sending(receiver.port) as sender:
        sender.take("2", [change("a")])
        await settled(sender, 1)
        assert receiver.connections == 1


async def test_a_receiver_that_hangs_up_is_called_again_and_nothing_is_lost_or_told() -> None:
    told: Told = []
    async with Receiver().listen() as receiver, sending(receiver.port, told=told) as sender:
        for number in range(3):
            sender.take("2", [change(f"a{number}")])
            await settled(sender, number + 1)
            receiver.hang_up()
        sender.take("2", [change("last")])
        await settled(sender, 4)
        assert [each for each, _ in receiver.said] == ["a0", "a1", "a2", "last"]
    assert told == []  # each conversation had its acceptance


async def test_a_full_queue_says_so_and_then_says_again_what_stands() -> None:
    told: Told = []
    chair = FakeChair()
    receiver = Receiver(lambda _: [])
    async with receiver.listen(), sending(receiver.port, chair, told=told) as sender:
        await receiver.until(lambda each: each.connections > 0)
        for number in range(WAITING_MAX // 2 + 10):
            sender.take("2", [change(f"a{number}"), change(f"a{number}", Change.ENDED)])
        assert (sender.waiting, sender.dropped) == (WAITING_MAX, 20)
        sender.take("2", [change("now")])
        chair.present = [standing("now")]
        receiver.behave = accept
        receiver.hang_up()
        await receiver.until(lambda each: ("now", "continue") in each.said)
    assert any("alarm messages given up" in reason for reason, _ in told)
    assert ("a1", "start") not in receiver.said
    assert ("a1", "end") in receiver.said  # what is given up is what a newer message overtook


async def test_nothing_waits_for_the_receiver() -> None:
    """A receiver that takes nothing at all holds up no caller."""
    loop = asyncio.get_running_loop()
    async with Receiver(lambda _: []).listen() as receiver, sending(receiver.port) as sender:
        await receiver.until(lambda each: each.connections > 0)
        began_s = loop.time()
        for number in range(200):
            sender.take("2", [change(f"a{number}")])
        assert loop.time() - began_s < 1.0
        sender.take("no such chair", [change("a")])
        assert sender.waiting == 200


@pytest.mark.parametrize(
    ("failures", "for_s", "is_news"), [(1, 5, False), (2, 19, False), (3, 2, True), (1, 20, True)]
)
def test_trouble_is_told_once_after_three_failures_or_twenty_seconds(
    failures: int,
    for_s: float,
    is_news: bool,  # noqa: FBT001
) -> None:
    told: Told = []
    state = Wellness(lambda reason, is_well: told.append((reason, is_well)))
    for _ in range(2):
        state.fail("no answer", failures, for_s)
    assert told == [("no answer", False)] * is_news
    state.accept(0)
    assert told == [("no answer", False), ("", True)] * is_news


def test_patience_doubles_to_a_minute() -> None:
    assert [patience_s(10, tries) for tries in range(5)] == [10, 20, 40, 60, 60]


async def test_tls_is_spoken_with_a_receiver_whose_certificate_is_trusted(tmp_path: Path) -> None:
    files = tls_files(tmp_path)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(files.certificate, files.key)
    trusted = ssl.create_default_context(cafile=str(files.ca))
    stranger = ssl.create_default_context()
    async with Receiver().listen(tls=server) as receiver:
        async with sending(receiver.port, tls=trusted) as sender:
            sender.take("2", [change("a")])
            await settled(sender, 1)
        told: Told = []
        async with sending(receiver.port, tls=stranger, told=told) as sender:
            sender.take("2", [change("b")])
            await until(lambda: bool(told))
        assert "certificate" in told[0][0].lower()
        assert receiver.said == [("a", "start")]
