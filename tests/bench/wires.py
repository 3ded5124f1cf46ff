"""What the real world costs: a pty, a disk, an InfluxDB, a screen, a process."""

import asyncio
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from dashboards.app import VigilApp
from dashboards.rehearsal import RecordedFeed, accept, messages, quiet
from drivers.contract import NO_OPTIONS
from drivers.registry import get
from monitor.model.event import observe
from monitor.model.instant import OPENING
from monitor.model.metric import Metric
from monitor.runtime.chair import build_pipeline
from monitor.runtime.clock import SessionClock
from monitor.runtime.link import Link
from monitor.runtime.pipeline import Line
from monitor.runtime.sessions import replay_into
from monitor.runtime.transports.opener import make_opener
from monitor.store.influx import Api, Influx, Target
from monitor.store.reading import read_header
from monitor.store.spool import Spool
from monitor.store.uploader import Drain
from tests.bench.figures import Figure
from tests.bench.in_process import fill_record, open_record, preset
from tests.services.servers import ServerMissingError, start_influxd

REPOSITORY: Final = Path(__file__).resolve().parents[2]
_WRITES: Final = 600
_WRITE_EVERY_S: Final = 0.005
_FRAMES: Final = 120
_DEMO: Final = ("demo", "--headless", "--speed", "max", "--scenario", "quiet")


def measure_pty() -> Sequence[Figure]:
    """A byte written to a pty, until its numerics are judged and its signal would be given."""
    with TemporaryDirectory(prefix="vigil-bench-") as folder:
        late_ms = sorted(asyncio.run(_late_ms(Path(folder))))
    p99 = late_ms[round(len(late_ms) * 0.99) - 1]
    note = f"{len(late_ms)} writes on one port, transport, link, driver, alarm core"
    return [
        Figure(
            name="pty byte to decision, p50",
            value=statistics.median(late_ms),
            unit="ms",
            goal=1,
            is_at_least=False,
            note=note,
        ),
        Figure(name="pty byte to decision, p99", value=p99, unit="ms", goal=10, is_at_least=False),
    ]


async def _late_ms(folder: Path) -> list[float]:
    opened, record = open_record(folder)
    driver = get("nonin")
    line = Line(link="nonin", driver=driver, options=NO_OPTIONS)
    pipeline = build_pipeline(opened, [line], preset()[1], record)
    link = Link(line, pipeline, SessionClock(time.monotonic_ns, time.time_ns))
    master, slave = os.openpty()
    tty.setraw(slave)
    transport = await make_opener()(f"serial://{os.ttyname(slave)}", driver.serial, link)
    link.take(transport)
    link.begin()
    late_ns: list[int] = []
    sent_ns = [0]
    receive = pipeline.receive

    def receive_and_look(*arguments: object) -> None:
        receive(*arguments)  # type: ignore[arg-type]
        late_ns.append(time.perf_counter_ns() - sent_ns[0])

    vars(pipeline)["receive"] = receive_and_look
    packet = driver.encode(
        [observe(Metric.SPO2, 97, OPENING), observe(Metric.PULSE_RATE, 70, OPENING)]
    )

    def write() -> None:
        pause = threading.Event()
        for _ in range(_WRITES):
            sent_ns[0] = time.perf_counter_ns()
            os.write(master, packet)
            pause.wait(_WRITE_EVERY_S)

    await asyncio.to_thread(write)
    link.close()
    record.close()
    os.close(master)
    os.close(slave)
    return [each / 1e6 for each in late_ns]


def measure_upload() -> Sequence[Figure]:
    """A record's points into a real InfluxDB, from the spool."""
    with TemporaryDirectory(prefix="vigil-bench-") as name:
        folder = Path(name)
        record, count, _, _ = fill_record(folder, 2.0)
        record.close()
        try:
            influxd = start_influxd(folder)
        except ServerMissingError as missing:
            return [Figure(name="upload", value=0, unit="points/s", note=str(missing))]
        try:
            return [_upload(record.path, influxd.url, count)]
        finally:
            influxd.stop()


def _upload(path: Path, url: str, count: int) -> Figure:
    drain = Drain(Spool(path), Influx(Target(url=url, bucket="vigil", api=Api.V1)))
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    while not (outcome := drain.step()).is_idle:
        assert outcome.answer.verdict == "accepted", outcome.answer.reason
    took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    drain.close()
    return Figure(
        name="upload from the spool",
        value=count / took_s,
        unit="points/s",
        goal=100_000,
        note=f"{count:,} points, {cpu_s / count * 1e6:.1f} us of our CPU each",
    )


# -- screens and processes -------------------------------------------------------------------------


def measure_dashboard() -> Sequence[Figure]:
    """What drawing the chair costs, at 160 by 50."""
    paint_ms = asyncio.run(_paint_ms())
    return [
        Figure(
            name="dashboard, one frame",
            value=paint_ms,
            unit="ms CPU",
            goal=31,
            is_at_least=False,
            note="8 frames a second in a quarter of a core are 31 ms each",
        )
    ]


async def _paint_ms() -> float:
    chair = quiet()
    now_s = 100.0
    feed = RecordedFeed(messages(chair), accept)
    app = VigilApp(feed.connect, chair=chair.chair, operator="bench", clock=lambda: now_s)
    async with app.run_test(size=(160, 50)) as pilot:
        await feed.taken()
        await pilot.pause()
        began_s = time.process_time()
        for _ in range(_FRAMES):
            now_s += 0.125
            app.paint()
            await asyncio.sleep(0)
            app.screen._compositor.render_strips()
        return (time.process_time() - began_s) / _FRAMES * 1e3


def _environment(cache: str) -> Mapping[str, str]:
    """Return an environment in which compiled code is kept, as an installed program's is."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": cache}


def _run(arguments: Sequence[str], cache: str) -> float:
    began_s = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "monitor.cli", *arguments],
        check=True,
        cwd=REPOSITORY,
        env=_environment(cache),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - began_s


def measure_commands() -> Sequence[Figure]:
    """Help, a whole demonstration, and coming back after a stop."""
    with TemporaryDirectory(prefix="vigil-bench-") as cache:
        _run(["--help"], cache)
        help_ms = min(_run(["--help"], cache) for _ in range(5)) * 1e3
        _run([*_DEMO, "--for", "30"], cache)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        took_s = _run([*_DEMO, "--record", f"{cache}/record"], cache)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        (path,) = Path(cache, "record").glob("*.vigil")
        resume_s = _resume_s(path)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return [
        Figure(
            name="vigil --help",
            value=help_ms,
            unit="ms",
            goal=150,
            is_at_least=False,
            note="best of 5",
        ),
        Figure(
            name="headless demo of 75 min",
            value=cpu_s,
            unit="s CPU",
            goal=5,
            is_at_least=False,
            note=f"{4500 / took_s:,.0f} x real time: patient, devices, wires, drivers, record",
        ),
        Figure(
            name="back in a 75-min session",
            value=resume_s,
            unit="s",
            goal=2,
            is_at_least=False,
            note="state and timeline from the record, without the start of Python",
        ),
    ]


def _resume_s(path: Path) -> float:
    opened = read_header(path)
    lines = [
        Line(link=each.link, driver=get(each.driver), options=each.options)
        for each in opened.devices
    ]
    began_s = time.perf_counter()
    replay_into(build_pipeline(opened, lines, preset()[1], _Nowhere()), path)
    return time.perf_counter() - began_s


class _Nowhere:
    """A log that keeps nothing."""

    def append(self, entry: object) -> int:
        del entry
        return 0
