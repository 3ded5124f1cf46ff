"""Commands from a screen to a real chair: what is accepted is on disk, what is stale is refused."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.attach.messages import Answer, Command
from monitor.model.alarm import Inactivation
from monitor.model.session import Deed
from monitor.runtime.chair import VIEW_AGE_MAX, Chair
from monitor.runtime.sessions import begin_session
from monitor.runtime.station import Station
from monitor.runtime.transports.contract import LinkFailedError, Receiver, Transport
from tests.runtime.chairs import UTC_NS, raise_links, said_by, wanted


def command(number: int = 1, **fields: object) -> Command:
    asked = {"chair": "1", "view": 1, "deed": Deed.ACKNOWLEDGE, "operator": "nurse"} | fields
    return Command(number=number, **asked)  # type: ignore[arg-type]


async def _no_wire(url: str, line: object, receiver: Receiver) -> Transport:
    raise LinkFailedError(f"{url}: nothing there for {line} and {receiver}")


class _Bed:
    """A station of one real chair whose saturation is low, on a clock we turn."""

    def __init__(self, folder: Path) -> None:
        self.now_ns = 0
        begun = begin_session(wanted(), folder, lambda: self.now_ns, lambda: UTC_NS + self.now_ns)
        self.chair = Chair(
            begun.opened,
            [],
            pipeline=begun.pipeline,
            record=begun.record,
            clock=begun.clock,
            opener=_no_wire,
            chance=lambda: 0.0,
            preset="iv-ketamine",
            in_thread=False,
        )
        self.station = Station([self.chair], site="north", software="test")
        raise_links(begun.pipeline)
        self.hear(88, 13)

    def hear(self, spo2: float, count: int) -> None:
        for _ in range(count):
            self.now_ns += 1_000_000_000
            data = said_by("nonin", spo2, None, None)
            self.chair.pipeline.receive("nonin", data, self.chair.clock.now())

    async def ask(self, **fields: object) -> Answer:
        return await self.station.command(command(1, alarm="spo2_low", **fields))

    def close(self) -> None:
        if self.chair._timer is not None:
            self.chair._timer.cancel()
        self.chair.record.close()


@pytest.fixture
async def bed(tmp_path: Path) -> AsyncIterator[_Bed]:
    bed = _Bed(tmp_path)
    yield bed
    bed.close()


@pytest.mark.hazard("H19")
async def test_an_acknowledgement_that_is_accepted_is_on_disk(bed: _Bed) -> None:
    view = bed.chair.picture().view
    assert (await bed.ask(view=view)).is_accepted
    record = bed.chair.record
    assert record.written_seq == record.last_seq
    (alarm,) = bed.chair.picture().alarms
    assert alarm.acknowledged_by == "nurse"


@pytest.mark.hazard("H19")
async def test_a_command_on_a_picture_that_is_too_old_or_never_was_is_refused(bed: _Bed) -> None:
    first = bed.chair.picture().view
    for _ in range(VIEW_AGE_MAX + 1):
        newest = bed.chair.picture().view
    for view in (first, newest + 1, -1):
        answer = await bed.ask(view=view)
        assert not answer.is_accepted
        assert "too old" in answer.reason
    assert (await bed.ask(view=newest)).is_accepted


@pytest.mark.hazard("H19")
async def test_a_command_on_an_alarm_that_changed_since_the_picture_is_refused(bed: _Bed) -> None:
    view = bed.chair.picture().view
    bed.hear(80, 8)  # into the severe band: it escalates
    answer = await bed.ask(view=view)
    assert "changed since" in answer.reason
    assert (await bed.ask(view=bed.chair.picture().view)).is_accepted


@pytest.mark.hazard("H24")
@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"operator": ""}, "nobody"),
        ({"chair": "9"}, "there is no chair"),
        ({"deed": Deed.RESUME}, ""),
        ({"deed": Deed.ENTER_PHASE}, "no phase"),
        ({"deed": Deed.MEASURE_NIBP}, "no device"),
    ],
)
async def test_a_command_that_makes_no_sense_is_refused_with_the_reason(
    bed: _Bed, fields: dict[str, object], why: str
) -> None:
    count = bed.chair.record.last_seq
    answer = await bed.ask(view=bed.chair.picture().view, **fields)
    assert not answer.is_accepted
    assert answer.reason
    assert why in answer.reason
    assert bed.chair.record.last_seq == count


@pytest.mark.hazard("H19")
@pytest.mark.parametrize("deed", [Deed.TURN_AUDIO_OFF, Deed.PAUSE_ALARM, Deed.TURN_ALARM_OFF])
async def test_inactivating_an_alarm_that_changed_since_the_picture_is_refused(
    bed: _Bed, deed: Deed
) -> None:
    view = bed.chair.picture().view
    bed.hear(80, 8)  # into the severe band: it escalates
    assert "changed since" in (await bed.ask(view=view, deed=deed)).reason


@pytest.mark.hazard("H6")
async def test_what_is_inactivated_is_in_the_picture_present_or_not_until_it_is_resumed(
    bed: _Bed,
) -> None:
    picture = bed.chair.picture()
    assert Deed.TURN_ALARM_OFF in {
        deed for offer in picture.offers if offer.alarm == "temp_high" for deed in offer.deeds
    }
    off = command(1, alarm="temp_high", view=picture.view, deed=Deed.TURN_ALARM_OFF)
    assert (await bed.station.command(off)).is_accepted
    assert (await bed.ask(view=picture.view, deed=Deed.TURN_AUDIO_OFF)).is_accepted
    picture = bed.chair.picture()
    assert [(each.alarm, each.inactivation) for each in picture.inactivated] == [
        ("temp_high", Inactivation.ALARM_OFF)
    ]
    assert [(each.alarm, each.inactivation) for each in picture.alarms] == [
        ("spo2_low", Inactivation.AUDIO_OFF)
    ]
    assert [each.text for each in picture.events[-2:]] == [
        "temp high alarm off",
        "spo2 low audio off 88",
    ]
    resume = command(1, alarm="temp_high", view=picture.view, deed=Deed.RESUME)
    assert (await bed.station.command(resume)).is_accepted
    assert bed.chair.picture().inactivated == ()


@pytest.mark.hazard("H8")
async def test_the_limit_set_decides_what_is_refused_and_the_answer_says_so(bed: _Bed) -> None:
    answer = await bed.ask(view=bed.chair.picture().view, deed=Deed.TURN_ALARM_OFF)
    assert not answer.is_accepted
    assert answer.reason == "the limit set allows alarm off up to low priority, not medium"
