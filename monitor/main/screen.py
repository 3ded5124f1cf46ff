"""`vigil dashboard` and `vigil run`: the screen, attached to a running serve."""

import asyncio
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from dashboards.app import VigilApp
from monitor.attach.client import attach
from monitor.config import read_config
from monitor.main.output import note
from monitor.model.errors import ConfigError, MonitorError

START_S_MAX: Final = 20.0
STOP_S_MAX: Final = 10.0
RESTARTS_MAX: Final = 20
TERMINAL_CHECK_EVERY_S: Final = 1.0
LOG_NAME: Final = "serve.log"


def show(url: str, *, chair: str | None, operator: str) -> int:
    """Attach a screen to the server at `url`; leaving it stops nothing.

    Raises:
        ConfigError: the URL is none we can attach to, or there is no terminal.
        MonitorError: nobody serves there.
    """
    path = socket_of(url)
    if not has_terminal():
        raise ConfigError("a screen needs a terminal; without one use `vigil serve`")
    asyncio.run(_knock(path))
    attach_screen(path, operator, chair=chair)
    return 0


def run_with_screen(config_path: str, operator: str) -> int:
    """Start `vigil serve` as a child, attach a screen, and stop the child when the screen is left.

    Raises:
        ConfigError: what is wrong in the configuration, or there is no terminal.
        MonitorError: the server did not come up.
    """
    config = read_config(Path(config_path))
    if not has_terminal():
        raise ConfigError("a screen needs a terminal; without one use `vigil serve`")
    with ServeChild(Path(config_path)):
        attach_screen(config.socket, operator)
    note(f"the record is in {config.site.data_dir}")
    return 0


def attach_screen(
    socket: Path, operator: str, *, chair: str | None = None, for_s: float | None = None
) -> None:
    """Show the screen in this terminal until it is left, or for `for_s` seconds."""
    app = VigilApp(lambda: attach(socket), chair=chair, operator=operator)
    if for_s is not None:
        app.call_later(app.set_timer, for_s, app.exit)
    app.call_later(app.set_interval, TERMINAL_CHECK_EVERY_S, lambda: _leave_if_hung_up(app))
    app.run()


def _leave_if_hung_up(app: VigilApp) -> None:
    """Leave a terminal that vanished without a word: its reader would spin for ever."""
    watched = select.poll()
    watched.register(sys.stdin.fileno(), 0)  # hang-ups are told unasked
    if watched.poll(0):
        app.exit()


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


def has_terminal() -> bool:
    """Return whether a screen can be shown here."""
    return sys.stdin.isatty() and sys.stdout.isatty()


class ServeChild:
    """`vigil serve` as a child: started, started again when it dies, and stopped at the end.

    A restart goes on with the session and marks the gap; the screen shows that it had no picture.
    It holds the other end of the child's standard input, which ends with this process.
    """

    def __init__(
        self, config: Path, *, arguments: tuple[str, ...] = (), tells: bool = False
    ) -> None:
        self._config = config
        self._arguments = arguments
        self._tells = tells
        site = read_config(config)
        self._socket = site.socket
        self._log = Path(site.site.data_dir) / LOG_NAME
        self._is_wanted = True
        self._child = self._start()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> Self:
        """Wait until it serves."""
        self._wait_until_served()
        self._keeper.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it; its sessions stay open."""
        self._is_wanted = False
        stop(self._child)

    def _start(self) -> "subprocess.Popen[bytes]":
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own program, our own arguments
                [sys.executable, "-m", "monitor.cli", "serve", str(self._config), *self._arguments],
                stdin=subprocess.PIPE,
                stdout=None if self._tells else log,
                stderr=log,
                start_new_session=True,
            )

    def _keep(self) -> None:
        for _ in range(RESTARTS_MAX):
            self._child.wait()
            if not self._is_wanted:
                return
            self._child = self._start()

    def _wait_until_served(self) -> None:
        deadline_s = time.monotonic() + START_S_MAX
        while time.monotonic() < deadline_s:
            if self._child.poll() is not None:
                raise MonitorError(f"`vigil serve` ended at once; its words are in {self._log}")
            try:
                asyncio.run(_knock(self._socket))
            except MonitorError:
                time.sleep(0.05)
            else:
                return
        stop(self._child)
        raise MonitorError(f"`vigil serve` did not answer within {START_S_MAX:.0f} s; {self._log}")


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
