"""The devices of the demonstration chairs: which drivers, and what each measures.

The first chair is what a clinic with single devices has; the others are other clinics' beds, so
that six chairs show six ways to the same numbers. Every set covers saturation, breathing and cuff.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from drivers.registry import get
from monitor.model.instant import Instant
from monitor.model.metric import NIBP, Metric
from simulators.device import Bedside, SimulatedDevice, simulate
from simulators.physiology import Patient
from simulators.scenario import Scenario

_M = Metric


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """One device of a chair, on a serial line unless it says otherwise.

    `is_published`: on the broker; `is_datagram`: on a UDP port. `has_pauses`: pauses tell its
    frames apart, so that no wire may let them run together.
    """

    driver: str
    metrics: frozenset[Metric]
    options: dict[str, object] = {}
    is_published: bool = False
    is_datagram: bool = False
    has_pauses: bool = False

    @property
    def is_line(self) -> bool:
        """Whether bytes run together on the way, as on a serial line."""
        return not (self.is_published or self.is_datagram)


def _posted(driver: str, *, is_datagram: bool = False) -> Post:
    """Return the post of a monitor that measures all it can."""
    return Post(driver=driver, metrics=get(driver).metrics, is_datagram=is_datagram)


_OXIMETRY: Final = frozenset({_M.SPO2, _M.PULSE_RATE, _M.PERFUSION_INDEX, _M.PLETH})
_CAPNOGRAPHY: Final = frozenset({_M.ETCO2, _M.FICO2, _M.RESP_RATE, _M.CO2_WAVE})
_CUFF: Final = frozenset({*NIBP, _M.NIBP_PULSE, _M.CUFF_PRESSURE})


POSTS: Final = (
    Post(driver="nonin", metrics=frozenset({_M.SPO2, _M.PULSE_RATE, _M.PLETH})),
    Post(driver="capnostream", metrics=_CAPNOGRAPHY),
    Post(driver="suntech", metrics=_CUFF, options={"cycle_min": 5}),
    Post(driver="senml", metrics=frozenset({_M.HEART_RATE, _M.TEMP}), is_published=True),
)
_SETS: Final = (
    POSTS,
    (_posted("intellivue", is_datagram=True),),
    (_posted("datex"),),
    (
        Post(driver="masimo", metrics=_OXIMETRY),
        Post(driver="phasein", metrics=_CAPNOGRAPHY, has_pauses=True),
        Post(driver="dinamap", metrics=_CUFF),
        Post(driver="senml", metrics=frozenset({_M.HEART_RATE, _M.TEMP}), is_published=True),
    ),
    (
        Post(driver="nellcor", metrics=_OXIMETRY),
        Post(driver="respironics", metrics=_CAPNOGRAPHY, has_pauses=True),
        Post(driver="suntech", metrics=_CUFF, options={"cycle_min": 5}),
    ),
    (
        Post(driver="contec", metrics=_OXIMETRY),
        Post(driver="medibus", metrics=_CAPNOGRAPHY | _CUFF | {_M.HEART_RATE, _M.TEMP}),
    ),
)


def posts_of(chair: int) -> tuple[Post, ...]:
    """Return the devices of chair 1, 2, …; after the last set the first comes again."""
    return _SETS[(chair - 1) % len(_SETS)]


def make_devices(
    scenario: Scenario, seed: int, start: Instant, posts: Sequence[Post] = POSTS
) -> dict[str, SimulatedDevice]:
    """Return the devices around one patient, by driver, from `start` of the course on."""
    bedside = Bedside(Patient(scenario, seed))
    return {
        post.driver: simulate(get(post.driver), bedside, metrics=post.metrics, starts_at=start)
        for post in posts
    }
