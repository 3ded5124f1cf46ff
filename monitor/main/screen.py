"""`vigil dashboard` and `vigil run`: the screen, attached to a running serve."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

from dashboards.app import VigilApp
from monitor.attach.client import Feed, attach
from monitor.config import read_config
from monitor.main.output import note
from monitor.model.errors import ConfigError, MonitorError

START_S_MAX: Final = 20.0
STOP_S_MAX: Final = 10.0


def show(url: str, *, chair: str | None, operator: str) -> int:
    """Attach a screen to the server at `url`; leaving it stops nothing.

    Raises:
        ConfigError: the URL is none we can attach to, or there is no terminal.
        MonitorError: nobody serves there.
    """
    path = socket_of(url)
    _need_terminal()
    asyncio.run(_knock(path))
    app = VigilApp(connector(path), chair=chair, operator=operator)
    app.run()
    return 0


def run_with_screen(config_path: str, operator: str) -> int:
    """Start `vigil serve` as a child, attach a screen, and stop the child when the screen is left.

    Raises:
        ConfigError: what is wrong in the configuration, or there is no terminal.
        MonitorError: the server did not come up.
    """
    config = read_config(Path(config_path))
    _need_terminal()
    log = Path(config.site.data_dir) / "serve.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        child = subprocess.Popen(  # noqa: S603 - our own program, our own arguments
            [sys.executable, "-m", "monitor.cli", "serve", config_path],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        wait_until_served(config.socket, child, log)
        VigilApp(connector(config.socket), chair=None, operator=operator).run()
    finally:
        stop(child)
    note(f"the record is in {config.site.data_dir}")
    return 0


def connector(path: Path) -> Callable[[], AbstractAsyncContextManager[Feed]]:
    """Return what opens a feed anew each time it is called."""
    return lambda: attach(path)


def socket_of(url: str) -> Path:
    """Return the socket path a URL names.

    Raises:
        ConfigError: it names something else.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return Path(url)
    if scheme != "unix":
        raise ConfigError(f'URL "{url}": this version attaches to unix:///path/to/vigil.sock only')
    return Path(rest)


def wait_until_served(socket: Path, child: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return once somebody answers at `socket`.

    Raises:
        MonitorError: the child ended, or did not come up in time; says where its words are.
    """
    deadline_s = time.monotonic() + START_S_MAX
    while time.monotonic() < deadline_s:
        if child.poll() is not None:
            raise MonitorError(f"`vigil serve` ended with {child.returncode}; see {log}")
        try:
            asyncio.run(_knock(socket))
        except MonitorError:
            time.sleep(0.05)
        else:
            return
    raise MonitorError(f"`vigil serve` did not answer within {START_S_MAX:.0f} s; see {log}")


def stop(child: "subprocess.Popen[bytes]") -> None:
    """End a child we started: politely, then not."""
    if child.poll() is not None:
        return
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


async def _knock(path: Path) -> None:
    async with attach(path):
        pass


def _need_terminal() -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError("a screen needs a terminal; without one use `vigil serve`")
