"""From a device URL to an open transport."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from drivers.contract import SerialLine
from monitor.runtime.transports.capture import open_capture
from monitor.runtime.transports.contract import Receiver, Secrets, Transport
from monitor.runtime.transports.listening import Doorstep
from monitor.runtime.transports.memory import Wires
from monitor.runtime.transports.mqtt import open_broker
from monitor.runtime.transports.network import open_tcp, open_udp
from monitor.runtime.transports.rfc2217 import open_rfc2217
from monitor.runtime.transports.serial import open_serial
from monitor.runtime.transports.url import Address, listens, local_port, parse, serial_line

Opener: TypeAlias = Callable[[str, SerialLine, Receiver], Awaitable[Transport]]
"""Opens the transport of a URL, with the driver's own line settings as default."""


def make_opener(brokers: Mapping[str, Secrets] | None = None, wires: Wires | None = None) -> Opener:
    """Return an opener that knows the secrets of brokers, by host, and simulated wires."""
    secrets_of = brokers or {}
    doorstep = Doorstep()

    async def open_transport(url: str, line: SerialLine, receiver: Receiver) -> Transport:
        address = parse(url)
        match address.scheme:
            case "serial":
                return await open_serial(address.path, serial_line(address, line), receiver)
            case "serial+rfc2217":
                settings = serial_line(address, line)
                return await open_rfc2217(address.host, address.port, settings, receiver)
            case "tcp" | "udp":
                return await _open_network(address, receiver, doorstep)
            case "capture":
                return await open_capture(address.path, receiver)
            case "memory":
                return (wires or Wires()).open(address.host, receiver)
            case _:
                secrets = secrets_of.get(address.host, Secrets())
                return await open_broker(address, receiver, secrets)

    return open_transport


async def _open_network(address: Address, receiver: Receiver, doorstep: Doorstep) -> Transport:
    if address.scheme == "udp":
        return await open_udp(address.host, address.port, receiver, local_port=local_port(address))
    if listens(address):
        return await doorstep.open(address.host, address.port, receiver)
    return await open_tcp(address.host, address.port, receiver)
