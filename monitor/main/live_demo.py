"""The live demonstration: simulated devices, `vigil serve` and a screen, each its own process."""

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Final

import msgspec

from monitor.config import config_of
from monitor.main.course import DemoWishes, Tally, configure, play_virtually
from monitor.main.output import note, say_json
from monitor.main.screen import (
    ServeChild,
    attach_screen,
    has_terminal,
    stop,
)
from monitor.model.alarm import AlarmChange
from monitor.model.entry import EntryKind, decode
from monitor.model.errors import MonitorError
from monitor.store.reading import list_sessions, read_entries
from simulators.scenario import Scenario
from simulators.serve import OPERATOR, Places

PLACES_S_MAX: Final = 20.0


def live(wishes: DemoWishes, scenario: Scenario, data_dir: Path, speed: float) -> int:
    """Run the three processes until the screen is left, the time is up, or the course ends.

    Raises:
        MonitorError: one of them did not come up.
    """
    is_headless = wishes.is_headless or not has_terminal()
    if is_headless and not wishes.is_headless:
        note("no terminal here: running headless, a line per alarm change")
    note("SIMULATED. Vigil is not a medical device.")
    data_dir.mkdir(parents=True, exist_ok=True)
    devices = _start_devices(wishes, data_dir)
    try:
        places = _places(devices)
        text = configure(scenario, data_dir, places.urls)
        path = data_dir / "demo.toml"
        path.write_text(text, encoding="utf-8")
        note(f"devices on ptys and {places.broker}; configuration in {path}")
        _play_history(wishes, scenario, data_dir, places)
        return _run(wishes, path, devices, speed, is_headless=is_headless)
    finally:
        stop(devices)


def _run(
    wishes: DemoWishes,
    path: Path,
    devices: "subprocess.Popen[bytes]",
    speed: float,
    *,
    is_headless: bool,
) -> int:
    arguments = ("--speed", str(speed), "--while-stdin")
    serving = ServeChild(path, arguments=arguments, tells=is_headless)
    with serving:
        _say(devices, str(path.parent / "vigil.sock"))
        if is_headless:
            _wait(devices, wishes.for_s)
        else:
            attach_screen(path.parent / "vigil.sock", OPERATOR, for_s=wishes.for_s)
    if is_headless:
        _summarise(wishes, path.parent)
    if wishes.record:
        note(f"the record is in {path.parent}; see `vigil sessions {path.parent}`")
    return 0


def _summarise(wishes: DemoWishes, data_dir: Path) -> None:
    """Say what the records hold, history included: the same line as a course on virtual time."""
    tally = Tally(chairs=wishes.chairs, tells=False)
    for line in list_sessions(data_dir):
        for _, entry in read_entries(line.path, kinds=(EntryKind.ALARM,)):
            change = decode(entry)
            assert isinstance(change, AlarmChange)
            tally.take(line.chair, (change,))
    say_json(
        {
            "summary": True,
            "mode": "demo",
            "scenario": wishes.scenario,
            "seed": wishes.seed,
            "alarms": tally.begun,
            "digest": tally.digest.hexdigest(),
        }
    )


def _start_devices(wishes: DemoWishes, data_dir: Path) -> "subprocess.Popen[bytes]":
    with (data_dir / "devices.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own program, our own arguments
            [
                sys.executable,
                "-m",
                "simulators.serve",
                "--scenario",
                wishes.scenario,
                "--seed",
                str(wishes.seed),
                "--chairs",
                str(wishes.chairs),
                "--speed",
                wishes.speed,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )


def _places(devices: "subprocess.Popen[bytes]") -> Places:
    assert devices.stdout is not None
    waiting = threading.Timer(PLACES_S_MAX, devices.kill)
    waiting.start()
    line = devices.stdout.readline()
    waiting.cancel()
    try:
        return msgspec.json.decode(line, type=Places)
    except msgspec.DecodeError as error:
        raise MonitorError("the simulated devices did not come up; see devices.log") from error


def _play_history(wishes: DemoWishes, scenario: Scenario, data_dir: Path, places: Places) -> None:
    """Play what lies before the interesting minute into the session's record."""
    if scenario.fast_forward_s <= 0:
        return
    note(f"playing the first {scenario.fast_forward_s / 60:.0f} min of the course")
    config = config_of(configure(scenario, data_dir, places.urls), "demonstration", data_dir)
    ends_utc_ns = time.time_ns() + int(_HISTORY_TAKES_S * 1e9)
    play_virtually(
        config,
        scenario,
        places.urls,
        wishes.seed,
        until_s=scenario.fast_forward_s,
        utc_ns=ends_utc_ns - int(scenario.fast_forward_s * 1e9),
        tally=Tally(chairs=wishes.chairs, tells=False),
    )


_HISTORY_TAKES_S: Final = 60.0
"""More than playing takes: the history ends in a wall time still to come, so no gap is left."""


def _say(devices: "subprocess.Popen[bytes]", line: str) -> None:
    pipe: IO[bytes] | None = devices.stdin
    assert pipe is not None
    pipe.write(line.encode() + b"\n")
    pipe.flush()


def _wait(devices: "subprocess.Popen[bytes]", for_s: float | None) -> None:
    try:
        devices.wait(for_s)
    except subprocess.TimeoutExpired:
        note(f"{for_s:g} s are over")
