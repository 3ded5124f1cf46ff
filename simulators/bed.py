"""The devices of one demonstration chair: which drivers, and what each measures."""

from typing import Final

import msgspec

from drivers.registry import get
from monitor.model.instant import Instant
from monitor.model.metric import Metric
from simulators.device import Bedside, SimulatedDevice, simulate
from simulators.physiology import Patient
from simulators.scenario import Scenario

_M = Metric


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """One device of the chair. `is_published`: on the broker rather than on a serial line."""

    driver: str
    metrics: frozenset[Metric]
    options: dict[str, object] = {}
    is_published: bool = False


POSTS: Final = (
    Post(driver="nonin", metrics=frozenset({_M.SPO2, _M.PULSE_RATE, _M.PLETH})),
    Post(
        driver="capnostream",
        metrics=frozenset({_M.ETCO2, _M.FICO2, _M.RESP_RATE, _M.CO2_WAVE}),
    ),
    Post(
        driver="suntech",
        metrics=frozenset(
            {_M.NIBP_SYS, _M.NIBP_DIA, _M.NIBP_MEAN, _M.NIBP_PULSE, _M.CUFF_PRESSURE}
        ),
        options={"cycle_min": 5},
    ),
    Post(driver="senml", metrics=frozenset({_M.HEART_RATE, _M.TEMP}), is_published=True),
)


def make_devices(scenario: Scenario, seed: int, start: Instant) -> dict[str, SimulatedDevice]:
    """Return the devices around one patient, by driver, from `start` of the course on."""
    bedside = Bedside(Patient(scenario, seed))
    return {
        post.driver: simulate(get(post.driver), bedside, metrics=post.metrics, starts_at=start)
        for post in POSTS
    }
