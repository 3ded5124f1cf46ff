"""A change is on disk before it is announced, also one that is told during another's write."""

import asyncio
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import pytest

from alarms.limits import read_preset
from monitor.model.alarm import AlarmChange
from monitor.model.entry import Opened
from monitor.model.instant import OPENING, WallAnchor
from monitor.runtime.chair import Chair
from monitor.runtime.sessions import Wanted, begin_session
from monitor.runtime.transports.contract import LinkFailedError, Receiver, Transport
from monitor.store.record import Batch

PRESET = (files("alarms") / "presets" / "iv-ketamine.toml").read_text(encoding="utf-8")


async def no_wire(url: str, line: object, receiver: Receiver) -> Transport:
    raise LinkFailedError(f"{url}: nothing there for {line} and {receiver}")


def open_chair(folder: Path) -> Chair:
    wanted = Wanted(
        opened=Opened(
            session="",
            chair="1",
            software="test",
            limits=PRESET,
            devices=(),
            anchor=WallAnchor(OPENING, 0),
        ),
        lines=(),
        limits=read_preset(PRESET, "iv-ketamine"),
        resume_within_s=60,
    )
    begun = begin_session(wanted, folder, lambda: 0, lambda: 0)
    return Chair(
        begun.opened,
        [],
        pipeline=begun.pipeline,
        record=begun.record,
        clock=begun.clock,
        opener=no_wire,
        chance=lambda: 0.0,
        preset="iv-ketamine",
        in_thread=False,
    )


@pytest.mark.hazard("H18")
async def test_a_change_told_while_another_is_written_waits_for_a_sync_of_its_own(
    tmp_path: Path,
) -> None:
    chair = open_chair(tmp_path)
    record, write = chair.record, chair.record.write
    told: dict[str, int] = {}
    announced: list[str] = []
    early: list[str] = []

    def announce(changes: Sequence[AlarmChange]) -> None:
        for each in changes:
            announced.append(each.alarm)
            if told[each.alarm] > record.written_seq:
                early.append(each.alarm)

    def tell(part: str) -> None:
        chair.check_self(part, "gone", is_well=False)
        told[part] = record.last_seq

    def write_and_tell(batch: Batch) -> None:
        write(batch)
        if "mqtt" not in told:  # the first batch is on disk; only now the second change is told
            tell("mqtt")

    vars(record)["write"] = write_and_tell
    chair.announce = announce
    running = asyncio.ensure_future(chair.run())
    await asyncio.sleep(0)
    tell("influx")
    for _ in range(40):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    record.close()
    assert announced == ["influx", "mqtt"]
    assert not early
