"""The `[hl7]` table of a configuration: where our observations and alarms are sent, and as whom."""

import re
import ssl
from typing import Final
from urllib.parse import urlsplit

import msgspec

from drivers.parts.hl7_writing import Sender
from monitor.model.errors import ConfigError
from monitor.runtime.hl7.peer import Target
from monitor.runtime.hl7.sender import Wishes

_SENT: Final = ("observations", "alarms")
_ANSWERS: Final = ("application", "commit")
_NAME: Final = re.compile(r"[^|~\\&\x00-\x1f\x7f]{0,180}")
_EVERY_S: Final = (1.0, 3600.0)
_NAMES: Final = ("application", "facility", "receiving_application", "receiving_facility")


class Hl7Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to (`mllp://host:port`, `mllps://` for TLS), what, how often, and as whom.

    `answers`: whether the receiver's application answers (AA, AE, AR) or its transport (CA, CE,
    CR). `facility` is the site's name where it is not given.
    """

    url: str
    send: list[str] = msgspec.field(default_factory=lambda: list(_SENT))
    every_s: float = 10.0
    application: str = "VIGIL"
    facility: str = ""
    receiving_application: str = ""
    receiving_facility: str = ""
    answers: str = "application"
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""


def check_table(table: Hl7Table, where: str) -> None:
    """Refuse what cannot be.

    Raises:
        ConfigError: names key, value and remedy.
    """
    _place(table.url, where)
    for each in table.send:
        if each not in _SENT:
            raise ConfigError(f'{where}, key send: "{each}" is not one of {", ".join(_SENT)}')
    if not table.send:
        raise ConfigError(f"{where}, key send: name observations, alarms or both")
    if not _EVERY_S[0] <= table.every_s <= _EVERY_S[1]:
        raise ConfigError(f"{where}, key every_s: {table.every_s:g} is not from 1 to 3600 s")
    if table.answers not in _ANSWERS:
        offer = " or ".join(f'"{each}"' for each in _ANSWERS)
        raise ConfigError(f'{where}, key answers: "{table.answers}" is not {offer}')
    _check_names(table, where)
    if bool(table.cert_file) != bool(table.key_file):
        raise ConfigError(f"{where}, keys cert_file and key_file: both or none")
    if table.url.startswith("mllp:") and (table.ca_file or table.cert_file):
        raise ConfigError(f"{where}, key url: certificates need mllps://")


def _check_names(table: Hl7Table, where: str) -> None:
    for key in _NAMES:
        if not _NAME.fullmatch(getattr(table, key)):
            raise ConfigError(
                f"{where}, key {key}: {getattr(table, key)!r}: 180 characters without | ~ \\ &"
            )
    if not table.application:
        raise ConfigError(f'{where}, key application: say as whom we send, as in "VIGIL"')


def _place(url: str, where: str) -> tuple[str, str, int]:
    form = "mllp://gateway.clinic:2575, or mllps:// for TLS"
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f'{where}, key url: "{url}": {error}; write {form}') from error
    is_bare = not (parts.path or parts.query or parts.fragment or parts.username)
    if scheme not in {"mllp", "mllps"} or not host or not port or not is_bare:
        raise ConfigError(f'{where}, key url: "{url}": write {form}')
    return scheme, host, port


def target_of(table: Hl7Table) -> Target:
    """Return the receiver of a checked table.

    Raises:
        ConfigError: a certificate or key cannot be read.
    """
    scheme, host, port = _place(table.url, "[hl7]")
    if scheme == "mllp":
        return Target(host=host, port=port)
    try:
        context = ssl.create_default_context(cafile=table.ca_file or None)
        if table.cert_file:
            context.load_cert_chain(table.cert_file, table.key_file)
    except OSError as error:
        files = ", ".join(each for each in (table.ca_file, table.cert_file, table.key_file) if each)
        raise ConfigError(f"[hl7], keys ca_file, cert_file, key_file: {files}: {error}") from error
    return Target(host=host, port=port, tls=context)


def wishes_of(table: Hl7Table, site: str) -> Wishes:
    """Return what a checked table asks for; `site` stands in for a facility not given."""
    facility = table.facility or re.sub(r"[|~\\&^\x00-\x1f\x7f]", " ", site)[:180]
    return Wishes(
        sender=Sender(
            application=table.application,
            facility=facility,
            receiving_application=table.receiving_application,
            receiving_facility=table.receiving_facility,
            asks_commit=table.answers == "commit",
        ),
        every_s=table.every_s,
        sends_observations="observations" in table.send,
        sends_alarms="alarms" in table.send,
    )
