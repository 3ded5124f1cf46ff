"""A site of real processes: killed, it goes on; its screens may die as they like."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.model.alarm import AlarmSnapshot, Kind
from monitor.model.session import Deed
from monitor.model.snapshot import ChairSnapshot
from tests.e2e.commands import vigil
from tests.e2e.site import site
from tests.e2e.terminal import dashboard, read_until

pytestmark = pytest.mark.service
SPEED = 10.0
NURSE = "nurse at chair 1"


def _has(alarm: str) -> Callable[[ChairSnapshot], bool]:
    return lambda picture: any(each.alarm == alarm for each in picture.alarms)


def _patient(picture: ChairSnapshot) -> dict[str, AlarmSnapshot]:
    return {each.alarm: each for each in picture.alarms if each.kind is Kind.PHYSIOLOGICAL}


def _is_acknowledged(alarm: str) -> Callable[[ChairSnapshot], bool]:
    return lambda picture: (
        alarm in _patient(picture) and _patient(picture)[alarm].acknowledged_by == NURSE
    )


@pytest.mark.hazard("H4")
async def test_a_killed_serve_goes_on_with_session_conditions_and_acknowledgement(
    place: Path, record_property: Callable[[str, object], None]
) -> None:
    async with site("slow-apnoea", place, speed=SPEED) as here:
        serving = await here.serve()
        here.begin()
        line = await serving.until_alarm("apnoea")
        assert (line["priority"], line["kind"]) == ("high", "physiological")
        async with here.screen() as screen:
            seen = await screen.until(_has("apnoea"))
            answer = await screen.command(Deed.ACKNOWLEDGE, NURSE, seen.view, "apnoea")
            assert answer.is_accepted, answer.reason
            before = await screen.until(_is_acknowledged("apnoea"))
        assert await serving.end(at_once=True) == -9
        began_s = time.monotonic()
        again = await here.serve()
        async with here.screen() as screen:
            after = await screen.until(lambda _: True)
        record_property("back_after_s", round(time.monotonic() - began_s, 2))
        _check_resumed(before, after)
        assert await again.end() == 0
        proof = vigil("verify", here.record)
        assert proof.code == 0, proof.out


def _check_resumed(before: ChairSnapshot, after: ChairSnapshot) -> None:
    assert after.session == before.session
    assert after.sitting.phase == before.sitting.phase
    assert len(after.gaps) == len(before.gaps) + 1
    assert "gap" in {event.what for event in after.events}
    assert after.watermark == "SIMULATED"
    now = _patient(after)
    for alarm, stood in _patient(before).items():
        assert now[alarm].since == stood.since
        assert now[alarm].priority == stood.priority
        assert now[alarm].acknowledged_by == stood.acknowledged_by
        assert now[alarm].acknowledged_until == stood.acknowledged_until
    bins = {metric.metric for metric in before.metrics}
    assert {metric.metric for metric in after.metrics} == bins


async def test_a_second_serve_on_the_same_site_is_refused(place: Path) -> None:
    async with site("quiet", place, speed=SPEED) as here:
        serving = await here.serve()
        refused = vigil("serve", here.config)
        assert refused.code == 3
        assert "another `vigil serve` records there" in refused.err
        assert serving.is_running
        assert await serving.end() == 0


# -- screens that die ------------------------------------------------------------------------------


def _kill(shown: "subprocess.Popen[bytes]", master: int) -> None:
    shown.kill()
    shown.wait()
    os.close(master)


def _close_terminal(shown: "subprocess.Popen[bytes]", master: int) -> None:
    os.close(master)
    shown.wait(30)


@pytest.mark.hazard("H19")
@pytest.mark.parametrize("end", [_kill, _close_terminal])
async def test_a_dashboard_that_dies_leaves_serve_watching(
    place: Path, end: Callable[["subprocess.Popen[bytes]", int], None]
) -> None:
    async with site("quiet", place, speed=1) as here:
        serving = await here.serve()
        here.begin()
        with dashboard(here.socket, is_controlling=True) as (shown, master):
            read_until(master, b"SpO2")
            end(shown, master)
        async with here.screen() as screen:
            first = await screen.until(lambda picture: bool(picture.metrics))
            later = await screen.until(lambda picture: picture.store.entries > first.store.entries)
        assert later.now > first.now
        assert serving.is_running
        assert await serving.end() == 0


async def test_a_dashboard_whose_terminal_vanishes_without_a_word_ends(place: Path) -> None:
    async with site("quiet", place, speed=1) as here:
        await here.serve()
        here.begin()
        with dashboard(here.socket) as (shown, master):
            read_until(master, b"SpO2")
            os.close(master)
            assert shown.wait(30) is not None
