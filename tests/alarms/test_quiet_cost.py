"""What a sample costs while nothing is going on: memory that does not grow."""

import gc
import tracemalloc
from importlib.resources import files

from alarms.limits import read_preset
from alarms.system import AlarmSystem
from monitor.model.event import Observation, observe
from monitor.model.instant import Instant, instant_at
from monitor.model.metric import Metric

QUIET = (
    (Metric.SPO2, 97.0),
    (Metric.PULSE_RATE, 72.0),
    (Metric.ETCO2, 38.0),
    (Metric.RESP_RATE, 14.0),
)
SLACK_BYTES = 2_000


def a_quiet_hour(began_s: int) -> list[tuple[Instant, Observation]]:
    """Return four numerics a second for an hour, each a little different from the last."""
    return [
        (instant_at(s), observe(metric, value + s % 2, instant_at(s)))
        for s in range(began_s, began_s + 3600)
        for metric, value in QUIET
    ]


def test_a_sample_of_a_quiet_metric_costs_no_memory_that_grows() -> None:
    limits = read_preset((files("alarms") / "presets" / "iv-ketamine.toml").read_text(), "preset")
    alarms = AlarmSystem(limits)
    hours = [a_quiet_hour(began_s) for began_s in (1, 3601)]
    for now, heard in hours[0]:
        assert not alarms.accept(heard, now)
    state = len(alarms.save())
    gc.collect()
    tracemalloc.start()
    try:
        for now, heard in hours[1]:
            alarms.accept(heard, now)
        gc.collect()
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < SLACK_BYTES
    assert abs(len(alarms.save()) - state) < 100
