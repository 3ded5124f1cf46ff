"""Losses: of the picture, of the link, of an answer, of the chair itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from dashboards.app import VigilApp
from dashboards.rehearsal import RecordedFeed, accept, apnoea, messages, quiet
from monitor.attach.messages import PROTOCOL_VERSION, Hello, SnapshotMessage
from monitor.model.errors import MonitorError
from tests.dashboards.staging import Stage, moved


@pytest.mark.hazard("H4")
async def test_without_a_fresh_picture_for_three_seconds_everything_is_grey() -> None:
    stage = Stage(*messages(quiet()))
    async with stage.play((80, 24)) as pilot:
        stage.now_s += 1.9
        stage.app.paint()
        await pilot.pause()
        assert "MONITORING LOST" not in stage.text
        stage.now_s += 4.1
        await stage.hear(pilot, SnapshotMessage(quiet()))
        assert "MONITORING LOST" in stage.text
        assert "no picture for 7 s" in stage.text
        assert "█" not in stage.text
        assert stage.text.count("not live") == 7
        assert "was 97" in stage.text
        assert " 8 s " in stage.text
        await stage.hear(pilot, SnapshotMessage(moved(quiet(), 7)))
        assert "MONITORING LOST" not in stage.text


@pytest.mark.hazard("H19")
async def test_nothing_is_asked_on_a_lost_picture() -> None:
    stage = Stage()
    async with stage.play() as pilot:
        stage.now_s += 6
        await stage.press(pilot, "a", "n")
        assert stage.sent == []
        assert "measure BP: not sent, the picture is 7 s old" in stage.text


@pytest.mark.hazard("H19")
async def test_a_condition_that_has_just_appeared_is_not_acknowledged_by_chance() -> None:
    stage = Stage(*messages(quiet()))
    async with stage.play() as pilot:
        await stage.hear(pilot, SnapshotMessage(moved(apnoea(), 1)))
        await stage.press(pilot, "a")
        assert stage.sent == []
        assert "only just appeared" in stage.text
        stage.now_s += 0.6
        await stage.press(pilot, "a")
        assert [each.alarm for each in stage.sent] == ["apnoea"]


async def test_a_link_that_ends_is_attached_anew_by_itself() -> None:
    stage = Stage()
    stage.feeds.append(RecordedFeed(messages(moved(apnoea(), 2)), accept))
    async with stage.play() as pilot:
        stage.feed.end()
        await stage.feed.taken()
        await stage.feeds[1].taken()
        stage.feed = stage.feeds[1]
        stage.now_s += 1
        await stage.press(pilot, "a")
        assert stage.attached == 2
        assert [each.view for each in stage.sent] == [4713]


async def test_a_command_whose_link_broke_is_said_to_be_unknown() -> None:
    stage = Stage(feed=RecordedFeed(messages(apnoea()), lambda _: None))
    stage.feeds.append(RecordedFeed(messages(moved(apnoea(), 2)), accept))
    async with stage.play() as pilot:
        await stage.press(pilot, "a")
        stage.feed.end()
        await stage.feed.taken()
        await stage.feeds[1].taken()
        stage.feed = stage.feeds[1]
        await stage.hear(pilot)
        assert "acknowledge Apnoea: link lost before the answer" in stage.text


@pytest.mark.parametrize(
    "error", [MonitorError("no serve at /run/vigil.sock"), ConnectionRefusedError("refused"),
              msgspec.ValidationError("no such message")]
)  # fmt: skip
async def test_a_server_that_cannot_be_reached_is_said_and_tried_again(error: Exception) -> None:
    tries: list[int] = []
    now_s = [0.0]

    @asynccontextmanager
    async def connect() -> AsyncIterator[RecordedFeed]:
        tries.append(1)
        if len(tries) > 0:
            raise error
        yield RecordedFeed((), accept)

    app = VigilApp(connect, chair=None, operator="n", clock=lambda: now_s[0], retry_s=0.02)
    async with app.run_test(size=(110, 34)) as pilot:
        await pilot.pause()
        now_s[0] = 4.0
        app.paint()
        await pilot.pause()
        said = "\n".join(strip.text for strip in app.screen._compositor.render_strips())
        assert "no picture for 4 s" in said
        assert str(error) in said
        await pilot.press("a", "n")
        await pilot.pause(0.05)
        assert len(tries) > 1


async def test_a_chair_that_is_not_here_is_never_replaced_by_another() -> None:
    hello = Hello(PROTOCOL_VERSION, "v", "c", ("3", "4"))
    other = msgspec.structs.replace(quiet(), chair="3")
    stage = Stage(hello, SnapshotMessage(other))
    async with stage.play() as pilot:
        assert "no chair 2 here; chairs: 3, 4" in stage.text
        assert "CHAIR 3" not in stage.text.splitlines()[0]
        await stage.press(pilot, "right_square_bracket")
        assert "CHAIR 4" in stage.text.splitlines()[0]
        await stage.press(pilot, "left_square_bracket")
        assert "CHAIR 3" in stage.text.splitlines()[0]
        assert "K-0417" in stage.text


async def test_an_alarm_at_another_chair_is_seen_from_here() -> None:
    hello = Hello(PROTOCOL_VERSION, "v", "c", ("2", "3"))
    other = msgspec.structs.replace(apnoea(), chair="3")
    stage = Stage(hello, SnapshotMessage(quiet()), SnapshotMessage(other))
    async with stage.play((80, 24)):
        assert "CHAIR 3 !!! Apnoea" in stage.text.splitlines()[1]
