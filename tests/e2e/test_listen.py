"""`vigil listen`: what it says of a wrong device, what it keeps, and how it ends."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drivers.registry import get
from monitor.model.event import observe
from monitor.model.instant import OPENING
from monitor.model.metric import Metric
from monitor.recordings.capture import read_head
from tests.e2e.commands import COMMAND, REPOSITORY, Said, environment, vigil
from tests.e2e.test_wrong_driver import said_by


@contextmanager
def server_saying(data: bytes, again: bytes = b"") -> Iterator[str]:
    """A device server whose device says `data` at once, and `again` whenever it may."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        ended = threading.Event()

        def serve() -> None:
            peer, _ = listening.accept()
            with peer:
                try:
                    peer.sendall(data)
                    while not ended.wait(0.02):
                        peer.sendall(again)
                except OSError:
                    return

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        try:
            yield f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            ended.set()
            serving.join(10)


def line_of(spo2: int) -> bytes:
    said = [observe(Metric.SPO2, spo2, OPENING), observe(Metric.PULSE_RATE, 70, OPENING)]
    return get("masimo").encode(said)


def listened(driver: str, data: bytes, *arguments: str | Path) -> Said:
    with server_saying(data) as url:
        return vigil("listen", driver, url, "--for", "3", *arguments)


def test_the_wrong_driver_is_named_with_the_right_one() -> None:
    said = listened("masimo", said_by("contec") * 2)
    assert "this does not look like masimo; it looks like contec (" in said.err
    assert said.code == 1


def test_nothing_at_all_is_told_from_something_strange() -> None:
    said = vigil_for_long("masimo")
    assert "nothing is received" in said.err
    assert said.code == 1


def vigil_for_long(driver: str) -> Said:
    with server_saying(b"") as url:
        return vigil("listen", driver, url, "--for", "4")


def test_a_reader_that_leaves_ends_it_without_a_word() -> None:
    with (
        server_saying(line_of(97), line_of(98)) as url,
        subprocess.Popen(
            [*COMMAND, "listen", "masimo", url, "--for", "60"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=REPOSITORY,
            env=environment(),
        ) as listening,
    ):
        assert listening.stdout is not None
        assert listening.stderr is not None
        assert listening.stdout.readline()
        listening.stdout.close()
        assert listening.wait(20) == 0
        assert b"Traceback" not in listening.stderr.read()


def test_a_capture_outlives_a_kill_in_the_middle(tmp_path: Path) -> None:
    capture = tmp_path / "killed.capture"
    with (
        server_saying(line_of(97), line_of(98)) as url,
        subprocess.Popen(
            [*COMMAND, "listen", "masimo", url, "--capture", str(capture)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=REPOSITORY,
            env=environment(),
        ) as listening,
    ):
        assert listening.stdout is not None
        live = [listening.stdout.readline().decode() for _ in range(12)]
        listening.kill()
        listening.wait(20)
    assert read_head(capture).driver == "masimo"
    again = vigil("decode", "masimo", capture)
    assert (again.code, again.err) == (0, "")
    live_values = [line.partition('"metric"')[2] for line in live if '"metric"' in line]
    values = [line.partition('"metric"')[2] for line in again.out.splitlines(keepends=True)]
    assert live_values == [value for value in values if value][: len(live_values)]


def test_what_was_captured_is_never_written_over(tmp_path: Path) -> None:
    capture = tmp_path / "first.capture"
    empty = tmp_path / "empty.capture"
    empty.touch()
    assert listened("masimo", line_of(97), "--capture", empty).code == 0
    before = empty.read_bytes()
    assert before.count(b"\n") > 1
    capture.write_bytes(before)
    said = vigil("listen", "nonin", "tcp://127.0.0.1:1", "--capture", capture)
    assert said.code == 2
    assert f"{capture}: exists" in said.err
    assert capture.read_bytes() == before


@pytest.mark.parametrize(("name", "word"), [("/dev/full", "No space"), ("no/such/file", "No such")])
def test_a_capture_that_cannot_be_written_is_named(name: str, word: str) -> None:
    said = vigil("listen", "nonin", "tcp://127.0.0.1:1", "--capture", name)
    assert said.code == 3
    assert f"{name}: {word}" in said.err


def test_a_disk_that_fills_while_it_listens_ends_it(tmp_path: Path) -> None:
    capture = tmp_path / "full.capture"
    with server_saying(line_of(97), line_of(98)) as url:
        full = ("bash", "-c", 'ulimit -f 1; trap "" XFSZ; exec "$@"', "bash")
        listening = (*COMMAND, "listen", "masimo", url, "--for", "60", "--capture", str(capture))
        done = subprocess.run(
            (*full, *listening),
            capture_output=True,
            cwd=REPOSITORY,
            env=environment(),
            timeout=60,
            check=False,
        )
    assert done.returncode == 3, done.stderr
    assert b"File too large" in done.stderr
    assert b"Traceback" not in done.stderr
    assert capture.read_bytes().startswith(b'{"vigil_capture":1')
