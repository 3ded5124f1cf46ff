"""TOML to frozen records; every error names file, table, key, value and remedy."""

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from alarms.limits import LimitSet, read_preset
from drivers.contract import Driver, OptionError
from drivers.registry import names
from monitor.installed import get_driver
from monitor.model.errors import ConfigError
from monitor.model.metric import Metric
from monitor.runtime.hl7.table import Hl7Table, check_table
from monitor.runtime.transports.contract import Secrets
from monitor.runtime.transports.url import parse, serial_line

DEFAULT_PRESET: Final = "iv-ketamine"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_RESERVED: Final = frozenset({"driver", "url", "name"})


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where Vigil runs. `simulated` puts a watermark on everything; nothing takes it off."""

    name: str
    data_dir: str
    socket: str = ""
    simulated: bool = False
    resume_within_min: float = 360.0


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is planned for a sitting on this chair: dose in mg over minutes."""

    protocol: str = ""
    dose_mg: float | None = None
    infusion_min: float | None = None


class _ChairTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    devices: list[dict[str, object]]
    priority_of_source: dict[str, list[str]] = {}
    limits: str = DEFAULT_PRESET
    pseudonym: str = ""
    plan: Plan = Plan()


class Influx(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the record is uploaded to. `api` is v2 for `/api/v2/write`, v1 for `/write`."""

    url: str
    bucket: str = "vigil"
    org: str = ""
    token_env: str = ""
    api: str = "v2"
    username: str = ""
    password_env: str = ""


class Mqtt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The broker that mqtt devices without credentials of their own use.

    `cert_file` and `key_file` are ours, for a broker that wants to know who comes.
    """

    url: str
    username: str = ""
    password_env: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    site: Site
    chair: list[_ChairTable]
    influx: Influx | None = None
    mqtt: Mqtt | None = None
    hl7: Hl7Table | None = None


class Device(msgspec.Struct, frozen=True):
    """One device of a chair: its link's name, driver, place and options."""

    link: str
    driver: Driver
    url: str
    options: dict[str, object]


class Chair(msgspec.Struct, frozen=True, kw_only=True):
    """One chair with its devices and limits. `limits_text` is the preset's TOML, whole."""

    name: str
    devices: tuple[Device, ...]
    priority_of_source: dict[str, tuple[str, ...]]
    preset: str
    limits_text: str
    limits: LimitSet
    pseudonym: str
    plan: Plan


class Config(msgspec.Struct, frozen=True):
    """A checked configuration."""

    site: Site
    chairs: tuple[Chair, ...]
    influx: Influx | None
    mqtt: Mqtt | None
    hl7: Hl7Table | None = None

    @property
    def socket(self) -> Path:
        """Where screens attach."""
        return Path(self.site.socket or Path(self.site.data_dir) / "vigil.sock")


def read_config(path: Path) -> Config:
    """Read and check the configuration at `path`.

    Raises:
        ConfigError: names file, table, key, value and what would be right.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return config_of(text, str(path), path.parent)


def config_of(text: str, where: str, folder: Path) -> Config:
    """Check configuration `text`; `where` names it in errors, `folder` is where presets lie.

    Raises:
        ConfigError: as `read_config`.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: not TOML: {error}") from error
    file = _converted(tables, _File, where)
    if not file.chair:
        raise ConfigError(f"{where}, [[chair]]: name at least one chair")
    chairs = tuple(
        _chair(table, f"{where}, [[chair]] {number}", folder)
        for number, table in enumerate(file.chair, start=1)
    )
    _unique([chair.name for chair in chairs], f"{where}, [[chair]], key name")
    if file.influx is not None and file.influx.api not in {"v1", "v2"}:
        raise ConfigError(f'{where}, [influx], key api: "{file.influx.api}" is not "v1" or "v2"')
    if file.mqtt is not None and bool(file.mqtt.cert_file) != bool(file.mqtt.key_file):
        raise ConfigError(f"{where}, [mqtt], keys cert_file and key_file: both or none")
    if file.hl7 is not None:
        check_table(file.hl7, f"{where}, [hl7]")
    return Config(file.site, chairs, file.influx, file.mqtt, file.hl7)


def read_limits(name: str, folder: Path, where: str) -> tuple[str, LimitSet]:
    """Return the text and the limit set of a preset: one we ship, or a TOML file beside the config.

    Raises:
        ConfigError: no such preset, or what is wrong in it.
    """
    shipped = resources.files("alarms") / "presets"
    known = sorted(
        each.name.removesuffix(".toml") for each in shipped.iterdir() if each.name.endswith(".toml")
    )
    if name in known:
        text = (shipped / f"{name}.toml").read_text(encoding="utf-8")
        return text, read_preset(text, f"preset {name}")
    path = folder / name
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f'{where}: "{name}" is neither a preset ({", ".join(known)}) nor a file: {error}'
        ) from error
    return text, read_preset(text, str(path))


def secret(variable: str, where: str) -> str | None:
    """Return a secret from the environment, or from a 0600 file that `VARIABLE_FILE` names.

    Raises:
        ConfigError: it is in neither place, or others may read the file.
    """
    if not variable:
        return None
    if variable in os.environ:
        return os.environ[variable]
    named = os.environ.get(f"{variable}_FILE")
    if named is None:
        raise ConfigError(f"{where}: environment variable {variable} is not set")
    path = Path(named)
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigError(f"{where}: {path} can be read by others; chmod 600 it")
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where}: {variable}_FILE: {path} cannot be read: {error}") from error


def broker_secrets(config: Config) -> dict[str, Secrets]:
    """Return what each broker host wants to know of us.

    Raises:
        ConfigError: a secret is missing.
    """
    if config.mqtt is None:
        return {}
    address = parse(config.mqtt.url.rstrip("/") + "/+")
    password = secret(config.mqtt.password_env, "[mqtt], key password_env")
    named = config.mqtt
    files = (named.ca_file or None, named.cert_file or None, named.key_file or None)
    return {address.host: Secrets(named.username or None, password, *files)}


def _chair(table: _ChairTable, where: str, folder: Path) -> Chair:
    if not _NAME.fullmatch(table.name):
        raise ConfigError(
            f'{where}, key name: "{table.name}": 1 to 32 letters, digits, dots or dashes'
        )
    devices = _devices(table.devices, where)
    links = [device.link for device in devices]
    for metric, order in table.priority_of_source.items():
        _check_priority(metric, order, links, where)
    text, limits = read_limits(table.limits, folder, f"{where}, key limits")
    return Chair(
        name=table.name,
        devices=devices,
        priority_of_source={key: tuple(order) for key, order in table.priority_of_source.items()},
        preset=table.limits,
        limits_text=text,
        limits=limits,
        pseudonym=table.pseudonym,
        plan=table.plan,
    )


def _devices(tables: list[dict[str, object]], where: str) -> tuple[Device, ...]:
    if not tables:
        raise ConfigError(f"{where}, key devices: a chair without a device watches nobody")
    devices: list[Device] = []
    for number, table in enumerate(tables, start=1):
        taken = {device.link for device in devices}
        devices.append(_device(table, f"{where}, device {number}", taken))
    return tuple(devices)


def _device(table: dict[str, object], where: str, taken: set[str]) -> Device:
    driver = _driver(table.get("driver"), where)
    url = table.get("url")
    if not isinstance(url, str):
        raise ConfigError(f'{where}, key url: say where it is, as in "serial:///dev/ttyUSB0"')
    try:
        address = parse(url)
        if address.scheme.startswith("serial"):
            serial_line(address, driver.serial)
    except ConfigError as error:
        raise ConfigError(f"{where}, key url: {error}") from error
    _check_scheme(address.scheme, driver, where)
    options = {key: value for key, value in table.items() if key not in _RESERVED}
    try:
        driver.open_protocol(options)
    except OptionError as error:
        raise ConfigError(f"{where}, driver {driver.name}: {error}") from error
    return Device(_link_name(table.get("name"), driver, where, taken), driver, url, options)


def _driver(name: object, where: str) -> Driver:
    if not isinstance(name, str):
        raise ConfigError(f"{where}, key driver: name one of {', '.join(names())}")
    try:
        return get_driver(name)
    except ConfigError as error:
        raise ConfigError(f"{where}, key driver: {error}") from error


def _check_scheme(scheme: str, driver: Driver, where: str) -> None:
    kind = {"mqtts": "mqtt", "serial+rfc2217": "serial"}.get(scheme, scheme)
    known = {each.value for each in driver.transports}
    if kind not in known | {"memory", "capture"}:
        raise ConfigError(
            f'{where}, key url: {driver.name} does not speak over "{scheme}"; '
            f"it does over {', '.join(sorted(known))}"
        )


def _link_name(name: object, driver: Driver, where: str, taken: set[str]) -> str:
    if name is None:
        numbered = (f"{driver.name}-{count}" for count in range(2, 100))
        return next(each for each in (driver.name, *numbered) if each not in taken)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigError(f"{where}, key name: {name!r}: letters, digits, dots or dashes")
    if name in taken:
        raise ConfigError(f'{where}, key name: "{name}" is taken by another device of this chair')
    return name


def _check_priority(metric: str, order: list[str], links: list[str], where: str) -> None:
    if metric not in set(Metric):
        raise ConfigError(
            f'{where}, priority_of_source: "{metric}" is no metric{_near(metric, list(Metric))}'
        )
    for link in order:
        if link not in links:
            raise ConfigError(
                f'{where}, priority_of_source, key {metric}: "{link}" is no device of this chair; '
                f"those are {', '.join(links)}"
            )


def _unique(values: list[str], where: str) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ConfigError(f'{where}: "{value}" is used twice')


Table = TypeVar("Table")
_UNKNOWN: Final = re.compile(r"unknown field `(.+?)`")
_PATH: Final = re.compile(r" - at `\$?(.*?)`$")


def _converted(tables: Mapping[str, object], into: type[Table], where: str) -> Table:
    try:
        return msgspec.convert(tables, into)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}{_explained(str(error))}") from error


def _explained(message: str) -> str:
    """Turn msgspec's words into ours: table and key by their TOML names, and a remedy."""
    path = _PATH.search(message)
    place = path.group(1).lstrip(".") if path else ""
    said = _PATH.sub("", message)
    unknown = _UNKNOWN.search(said)
    if unknown:
        key = unknown.group(1)
        table = re.sub(r"\[.*?\]", "", place.split(".")[-1]) if place else ""
        return f", [{table or 'top level'}], key {key}: unknown{_near(key, _keys_of(table))}"
    return f", {place or 'top level'}: {said}"


def _keys_of(table: str) -> list[str]:
    structs: dict[str, type[msgspec.Struct]] = {
        "": _File,
        "site": Site,
        "chair": _ChairTable,
        "plan": Plan,
        "influx": Influx,
        "mqtt": Mqtt,
        "hl7": Hl7Table,
    }
    return list(structs[table].__struct_fields__) if table in structs else []


def _near(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, 1)
    if close:
        return f'; did you mean "{close[0]}"?'
    return f"; known: {', '.join(known)}" if known else ""
