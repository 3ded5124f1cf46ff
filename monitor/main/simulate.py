"""`vigil simulate`: one simulated device at a place where others connect to it.

The place is a pty, a TCP or UDP port, or a topic of a broker. One JSON line says where the device
is and how to listen to it; from then on it plays the patient of the scenario, from the minute
where the course becomes interesting, and answers as its driver's device side does.
"""

import asyncio
from contextlib import AsyncExitStack, closing
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import aiomqtt
import msgspec

from drivers.contract import Driver, TransportKind
from monitor.main.output import flush, note, say_json
from monitor.model.errors import ConfigError, MonitorError
from monitor.model.instant import instant_at
from simulators.device import Bedside, SimulatedDevice, simulate
from simulators.physiology import Patient
from simulators.scenario import Scenario, load
from simulators.sockets import UdpPort, call_tcp, serve_tcp
from simulators.wiring import CourseClock, Pty, publish_device

_CARRIED_BY: Final = {
    "pty": {TransportKind.SERIAL},
    "tcp": {TransportKind.TCP, TransportKind.SERIAL},
    "udp": {TransportKind.UDP},
    "mqtt": {TransportKind.MQTT},
}
_FORMS: Final = "pty:, tcp://127.0.0.1:4001, udp://127.0.0.1:24105 or mqtt://127.0.0.1/chair1"
_MQTT_PORT: Final = 1883
_UNREAD_S_MAX: Final = 1.0


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a simulated device is to be. `calls`: it opens the connection to a host itself."""

    scheme: str
    host: str = ""
    port: int = 0
    topic: str = ""
    calls: bool = False


def simulate_device(
    driver: Driver, url: str, *, scenario: str, seed: int, for_s: float | None
) -> int:
    """Play one device at `url` until interrupted, or for `for_s` seconds.

    Raises:
        ConfigError: the URL cannot be one, it carries no such device, or no such scenario.
        MonitorError: the port is taken, or the broker is away.
    """
    place = read_place(url)
    if driver.transports.isdisjoint(_CARRIED_BY[place.scheme]):
        kinds = " and ".join(sorted(driver.transports))
        raise ConfigError(f'url "{url}": {driver.name} is carried by {kinds}; use {_FORMS}')
    course = load(scenario)
    note(f"SIMULATED: {driver.title}, {course.title}. Its bytes do not say that they are.")
    try:
        asyncio.run(_play(driver, place, course, seed, for_s))
    except aiomqtt.MqttError as error:
        raise MonitorError(f"{place.host}:{place.port}: {error}") from error
    return 0


def read_place(url: str) -> Place:
    """Return what `url` says of a place to play at.

    Raises:
        ConfigError: names the URL and what would be right.
    """
    if url in {"pty:", "pty://"}:
        return Place(scheme="pty")
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise ConfigError(f'url "{url}": the port is a number up to 65535') from error
    if parts.scheme not in _CARRIED_BY or parts.scheme == "pty" or not parts.hostname:
        raise ConfigError(f'url "{url}": write {_FORMS}')
    topic = parts.path.removeprefix("/").removesuffix("/#").removesuffix("/")
    settings = parse_qsl(parts.query, keep_blank_values=True)
    if settings and (parts.scheme != "tcp" or settings != [("connect", "1")]):
        raise ConfigError(f'url "{url}": the one setting is connect=1 (tcp: call a host)')
    if parts.scheme == "mqtt":
        if not topic or set(topic) & set("+#"):
            raise ConfigError(
                f'url "{url}": needs a topic without wildcards, as in mqtt://host/bed1'
            )
        port = port or _MQTT_PORT
    elif port is None or (settings and not port):
        raise ConfigError(f'url "{url}": needs a port; 0 takes one that is free')
    return Place(
        scheme=parts.scheme, host=parts.hostname, port=port, topic=topic, calls=bool(settings)
    )


async def _play(
    driver: Driver, place: Place, course: Scenario, seed: int, for_s: float | None
) -> None:
    start = instant_at(course.fast_forward_s)
    device = simulate(driver, Bedside(Patient(course, seed)), starts_at=start)
    clock = CourseClock(start)
    try:
        async with asyncio.timeout(for_s), AsyncExitStack() as stack:
            await _play_at(place, driver, device, clock, stack)
    except TimeoutError:
        return


async def _play_at(
    place: Place,
    driver: Driver,
    device: SimulatedDevice,
    clock: CourseClock,
    stack: AsyncExitStack,
) -> None:
    """Play at `place` until cancelled."""
    where = f"{place.host}:{place.port}"
    match place.scheme:
        case "pty":
            pty = stack.enter_context(closing(Pty(unread_s_max=_UNREAD_S_MAX)))
            pty.play(device, clock)
            _say(driver, pty.url)
        case "tcp" if place.calls:
            _say(driver, f"tcp://{where}?listen=1")
            await call_tcp(device, clock, place.host, place.port)
        case "tcp":
            end, server = await serve_tcp(device, clock, place.host, place.port)
            stack.callback(server.close)
            stack.callback(end.close)
            _say(driver, f"tcp://{place.host}:{server.sockets[0].getsockname()[1]}")
        case "udp":
            port = stack.enter_context(closing(await UdpPort.open(place.host, place.port)))
            port.play(device, clock)
            _say(driver, port.url)
        case _:
            _say(driver, f"mqtt://{where}/{place.topic}/#")
            await publish_device(device, clock, place.host, place.port, place.topic)
    await asyncio.Event().wait()


def _say(driver: Driver, url: str) -> None:
    say_json(
        {
            "driver": driver.name,
            "url": url,
            "mode": "demo",
            "listen": f"vigil listen {driver.name} {url}",
        }
    )
    flush()
