"""What `listen --capture` keeps, `decode` and `replay` read again: through the real commands."""

import asyncio
import gzip
from contextlib import closing
from pathlib import Path

import msgspec

from monitor.model.instant import instant_at
from simulators.bed import make_devices
from simulators.scenario import load
from simulators.wiring import CourseClock, Pty
from tests.e2e.commands import COMMAND, COMMAND_S_MAX, REPOSITORY, Fields, environment, vigil

_LINES = msgspec.json.Decoder(dict[str, object])


async def _listened(url: str, capture: Path) -> list[Fields]:
    """Run `vigil listen` for a few seconds beside the simulated device; return what it said."""
    running = await asyncio.create_subprocess_exec(
        *COMMAND, "listen", "nonin", url, "--capture", str(capture), "--for", "3", "--waves",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        cwd=REPOSITORY, env=environment(),
    )  # fmt: skip
    out, err = await asyncio.wait_for(running.communicate(), COMMAND_S_MAX)
    assert running.returncode == 0, err.decode()
    return [_LINES.decode(line) for line in out.splitlines()]


async def test_a_capture_says_again_what_was_heard_live(tmp_path: Path) -> None:
    capture = tmp_path / "first.capture"
    start = instant_at(600)
    with closing(Pty()) as pty:
        device = make_devices(load("quiet"), 1, start)["nonin"]
        pty.play(device, CourseClock(start))
        live = await _listened(pty.url, capture)
    assert {"spo2", "pulse_rate", "pleth"} <= {str(line.get("metric")) for line in live}

    again = await asyncio.to_thread(vigil, "decode", "nonin", capture, "--waves")
    assert again.code == 0
    whole = again.lines[: len(live)]
    assert [_without_time(each) for each in whole] == [_without_time(each) for each in live]
    for then, now in zip(live, whole, strict=True):
        assert abs(float(str(then["t_s"])) - float(str(now["t_s"]))) < 1e-4

    replayed = await asyncio.to_thread(vigil, "replay", capture)
    assert replayed.code == 0
    counted = replayed.summary["observations"]
    assert isinstance(counted, dict)
    valued = [each for each in again.lines if each.get("metric") == "spo2" and "value" in each]
    assert counted["spo2"] == len([each for each in valued if each["value"] is not None])

    packed = tmp_path / "first.capture.gz"
    packed.write_bytes(gzip.compress(capture.read_bytes()))
    for way in (
        vigil("decode", "nonin", packed, "--waves"),
        vigil("decode", "nonin", "-", "--waves", stdin=capture.read_bytes()),
        vigil("decode", "nonin", "-", "--waves", stdin=packed.read_bytes()),
    ):
        assert way.lines == again.lines
    assert vigil("replay", packed).summary["digest"] == replayed.summary["digest"]

    other = await asyncio.to_thread(vigil, "decode", "capnostream", capture)
    assert other.code == 2
    assert 'a capture of "nonin"' in other.err


def _without_time(line: Fields) -> Fields:
    return {key: value for key, value in line.items() if key != "t_s"}
