"""The command line: help with an example everywhere, and one exit code for each kind of end."""

import subprocess
from pathlib import Path

import pytest

from monitor.cli import main
from tests.e2e.commands import COMMAND, REPOSITORY, environment

COMMANDS = [
    "demo",
    "run",
    "serve",
    "dashboard",
    "check",
    "devices",
    "listen",
    "simulate",
    "decode",
    "replay",
    "sessions",
    "verify",
    "reconcile",
]


def help_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_help_names_every_command_and_says_what_this_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = help_of(capsys).split()
    assert set(COMMANDS) <= set(words)
    assert "not a medical device" in " ".join(words)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_ends_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = " ".join(help_of(capsys, command).split())
    assert f"example: vigil {command}" in said
    assert "never commands a pump" in said


def test_wrong_use_is_2_and_a_world_that_fails_is_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 2
    assert main(["check", str(tmp_path / "none.toml")]) == 2
    junk = tmp_path / "junk.vigil"
    junk.write_bytes(b"no record at all" * 100)
    assert main(["verify", str(junk)]) in {1, 3}
    assert "junk.vigil" in "".join(capsys.readouterr())


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    recording = tmp_path / "long.csv"
    rows = "".join(f"{s},spo2,{97 if s // 40 % 2 else 85}\n" for s in range(200_000))
    recording.write_text(f"time_s,metric,value\n{rows}", encoding="utf-8")
    with subprocess.Popen(
        [*COMMAND, "replay", str(recording)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=REPOSITORY,
        env=environment(),
    ) as replaying:
        assert replaying.stdout is not None
        assert replaying.stderr is not None
        assert b"spo2_low" in replaying.stdout.readline()
        replaying.stdout.close()
        assert b"Traceback" not in replaying.stderr.read()
        assert replaying.wait(60) == 0


def test_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("vigil ")
