"""How a broker is joined, as the settings of a URL ask for: `mqtt://broker/topic/#?version=5`.

- `version=5` or `3` (the default, 3.1.1).
- `client=ID`: the name we join under; without it the broker gives one.
- `session_s=600` (version 5, with `client`): the broker keeps messages for so long while we are
  away. What comes in the first seconds of such a connection counts as kept by the broker.
- `kept=no`: what the broker kept before we came is not asked for.
- `host=ID`: a Sparkplug host application whose STATE we tell, with the death as our will.
"""

import re
from typing import Final

import msgspec
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from monitor.model.errors import ConfigError

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SESSION_S_MAX: Final = 86_400
_REMEDIES: Final = {
    "version": "version=5 or version=3",
    "client": "client=vigil-chair2 (letters, digits, dots, dashes)",
    "session_s": "session_s=600, up to a day, with version=5 and client=…",
    "kept": "kept=no",
    "host": "host=vigil-north (letters, digits, dots, dashes)",
}
COMMAND_EXPIRES_S: Final = 10
"""A command that a node hears later than this is answered too late to mean anything."""


class Joining(msgspec.Struct, frozen=True, kw_only=True):
    """The settings, checked. `session_s` 0: nothing is kept for us while we are away."""

    is_v5: bool = False
    client: str = ""
    session_s: int = 0
    wants_kept: bool = True
    host: str = ""

    def connect_properties(self) -> Properties | None:
        """Return what CONNECT carries in version 5."""
        if not self.is_v5:
            return None
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self.session_s
        return properties

    def publish_properties(self) -> Properties | None:
        """Return what a command carries in version 5: nobody is to hear it late."""
        if not self.is_v5:
            return None
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.MessageExpiryInterval = COMMAND_EXPIRES_S
        return properties

    def subscription(self) -> SubscribeOptions | None:
        """Return how version 5 subscribes; a live message never looks kept."""
        if not self.is_v5:
            return None
        handling = (
            SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE
            if self.wants_kept
            else SubscribeOptions.RETAIN_DO_NOT_SEND
        )
        return SubscribeOptions(qos=1, retainAsPublished=False, retainHandling=handling)


def read_joining(url: str, settings: dict[str, str]) -> Joining:
    """Return the settings of a broker's URL.

    Raises:
        ConfigError: names the URL, the setting and what would be right.
    """
    for key, value in settings.items():
        if key not in _REMEDIES:
            raise ConfigError(f'url "{url}": setting {key}={value}; known: {", ".join(_REMEDIES)}')
        if not _is_well(key, value):
            raise ConfigError(f'url "{url}": setting {key}={value}; write {_REMEDIES[key]}')
    joining = Joining(
        is_v5=settings.get("version") == "5",
        client=settings.get("client", ""),
        session_s=int(settings.get("session_s", "0")),
        wants_kept=settings.get("kept") != "no",
        host=settings.get("host", ""),
    )
    if joining.session_s and not (joining.is_v5 and joining.client):
        raise ConfigError(f'url "{url}": write {_REMEDIES["session_s"]}')
    return joining


def _is_well(key: str, value: str) -> bool:
    match key:
        case "version":
            return value in {"3", "3.1.1", "5"}
        case "session_s":
            return value.isdecimal() and value.isascii() and int(value) <= _SESSION_S_MAX
        case "kept":
            return value in {"yes", "no"}
        case _:
            return _NAME.fullmatch(value) is not None
