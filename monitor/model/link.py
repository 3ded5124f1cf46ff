"""What we know of one conversation with one device."""

from enum import StrEnum

import msgspec

from monitor.model.instant import Instant
from monitor.model.metric import Metric


class LinkState(StrEnum):
    """How a link stands. `silent` means connected, but the device says nothing we can read."""

    CONNECTING = "connecting"
    UP = "up"
    SILENT = "silent"
    LOST = "lost"


class LinkChange(msgspec.Struct, frozen=True, tag="link", omit_defaults=True, kw_only=True):
    """A link changed its state; told once at each edge.

    `metrics` is what the device on this link was giving, so that a lost link explains their loss.
    """

    link: str
    state: LinkState
    at: Instant
    reason: str = ""
    metrics: tuple[Metric, ...] = ()
