"""Device URLs: `serial:///dev/ttyUSB0?baud=9600`, `tcp://host:port`, `udp://…`, `mqtt://host/topic/#`.

`mqtt://host/topic/#?version=5` and other settings of a broker are told in `joining.py`.
Also `tcp://0.0.0.0:2575?listen=1` for a device that connects to us, and
`serial+rfc2217://host:port?baud=9600` for a port whose device server sets its line.
"""

from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from drivers.contract import SerialLine
from monitor.model.errors import ConfigError
from monitor.runtime.transports.joining import read_joining

_SCHEMES: Final = (
    "serial", "tcp", "udp", "mqtt", "mqtts", "serial+rfc2217", "memory", "capture",
)  # fmt: skip
_PUBLIC_SCHEMES: Final = 6
_WITH_PORT: Final = frozenset({"tcp", "udp", "serial+rfc2217"})
_PARITIES: Final = ("N", "E", "O")


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a device is reached. `path` is a device file, a topic filter or a capture file."""

    scheme: str
    host: str = ""
    port: int = 0
    path: str = ""
    settings: dict[str, str] = {}


def parse(url: str) -> Address:
    """Return what `url` says.

    Raises:
        ConfigError: names the URL, the part that is wrong and what would be right.
    """
    parts = urlsplit(url.replace("#", "%23"))
    if parts.scheme not in _SCHEMES:
        raise ConfigError(f'url "{url}": begin with one of {", ".join(_SCHEMES[:_PUBLIC_SCHEMES])}')
    if parts.password is not None:
        raise ConfigError(f'url "{parts.scheme}://…": no password in a URL; use password_env')
    settings = dict(parse_qsl(parts.query, keep_blank_values=True))
    address = Address(
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=_port(url, parts.port if _has_port(url) else None, parts.scheme),
        path=unquote(parts.path),
        settings=settings,
    )
    return _checked(url, address)


def _has_port(url: str) -> bool:
    try:
        return urlsplit(url.replace("#", "%23")).port is not None
    except ValueError as error:
        raise ConfigError(f'url "{url}": the port is a number from 1 to 65535') from error


def _port(url: str, port: int | None, scheme: str) -> int:
    default = {"mqtt": 1883, "mqtts": 8883}.get(scheme, 0)
    if port is None and scheme in _WITH_PORT:
        raise ConfigError(f'url "{url}": needs a port, as in {scheme}://10.0.0.7:4001')
    return port if port is not None else default


def _checked(url: str, address: Address) -> Address:
    if address.scheme == "serial" and not address.path:
        raise ConfigError(f'url "{url}": name the port, as in serial:///dev/ttyUSB0')
    if address.scheme in _WITH_PORT and not address.host:
        raise ConfigError(f'url "{url}": needs a host, as in {address.scheme}://10.0.0.7:4001')
    if address.scheme.startswith("mqtt") and len(address.path) < 2:
        raise ConfigError(f'url "{url}": needs a topic, as in mqtt://broker/chair2/#')
    if address.scheme.startswith("mqtt"):
        read_joining(url, address.settings)
    if address.scheme in {"tcp", "udp"}:
        _check_network_settings(url, address)
    return address


def _check_network_settings(url: str, address: Address) -> None:
    for key, value in address.settings.items():
        if address.scheme == "tcp":
            is_known = key == "listen" and value in {"0", "1"}
            remedy = "listen=1 (the device connects to us)"
        else:
            is_known = key == "local" and value.isdecimal() and 0 < int(value) < 65_536
            remedy = "local=3073 (the port the device answers to)"
        if not is_known:
            raise ConfigError(f'url "{url}": setting {key}={value}; known: {remedy}')


def local_port(address: Address) -> int | None:
    """Return the port of ours that the device answers to; None: any."""
    text = address.settings.get("local")
    return None if text is None else int(text)


def listens(address: Address) -> bool:
    """Return whether the device is to connect to us."""
    return address.settings.get("listen") == "1"


def _flag(address: Address, key: str, *, is_on: bool) -> bool:
    text = address.settings.get(key, str(int(is_on)))
    if text not in {"0", "1"}:
        raise ConfigError(f"serial settings {address.settings}: {key} is 0 or 1")
    return text == "1"


def serial_line(address: Address, default: SerialLine) -> SerialLine:
    """Return the line settings: the driver's own, with what the URL says instead.

    Raises:
        ConfigError: an unknown setting, or a value no port can have.
    """
    known = {"baud", "bits", "parity", "stop", "rtscts", "xonxoff"}
    for key in address.settings:
        if key not in known:
            raise ConfigError(f"serial setting {key!r} is unknown; known: {sorted(known)}")
    try:
        line = SerialLine(
            baud=int(address.settings.get("baud", default.baud)),
            bits=int(address.settings.get("bits", default.bits)),
            parity=address.settings.get("parity", default.parity).upper(),
            stop=float(address.settings.get("stop", default.stop)),
            rtscts=_flag(address, "rtscts", is_on=default.rtscts),
            xonxoff=_flag(address, "xonxoff", is_on=default.xonxoff),
        )
    except ValueError as error:
        raise ConfigError(f"serial settings {address.settings}: {error}") from error
    if line.baud <= 0:
        raise ConfigError(f"serial settings {address.settings}: baud is a rate above 0, as in 9600")
    if line.parity not in _PARITIES or line.bits not in {7, 8} or line.stop not in {1, 1.5, 2}:
        raise ConfigError(
            f"serial settings {address.settings}: bits 7 or 8, parity N, E or O, stop 1 or 2"
        )
    return line
