"""A broker for demonstrations: mosquitto where it is installed, else one inside this process."""

import asyncio
import contextlib
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
START_S_MAX: Final = 5.0


@contextlib.asynccontextmanager
async def run_broker() -> AsyncIterator[tuple[str, int]]:
    """Run a broker on a free loopback port; yields its name and port."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        async with run_inside() as port:
            yield "amqtt, in process", port
    else:
        async with _mosquitto(program) as port:
            yield "mosquitto", port


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def _mosquitto(program: str) -> AsyncIterator[int]:
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="vigil-broker-") as folder:
        config = Path(folder) / "mosquitto.conf"
        # Without set_tcp_nodelay several messages in flight wait for each other (measured: 30 ms).
        config.write_text(
            f"listener {port} {HOST}\nallow_anonymous true\nset_tcp_nodelay true\n"
            "persistence false\nlog_type error\n",
            encoding="utf-8",
        )
        config.chmod(0o644)
        Path(folder).chmod(0o755)
        child = await asyncio.create_subprocess_exec(
            program, "-c", str(config), stderr=asyncio.subprocess.DEVNULL
        )
        try:
            await _until_answering(port)
            yield port
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
            await child.wait()


@contextlib.asynccontextmanager
async def run_inside() -> AsyncIterator[int]:
    """Run a broker in this process on a free loopback port; yields the port."""
    from amqtt.broker import Broker  # noqa: PLC0415 - 0.15 s that only this path needs

    port = _free_port()
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{port}"}},
            # amqtt refuses everybody unless a plugin lets them in.
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
            },
        }
    )
    await broker.start()
    try:
        yield port
    finally:
        await broker.shutdown()


async def _until_answering(port: int) -> None:
    async with asyncio.timeout(START_S_MAX):
        while True:
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
