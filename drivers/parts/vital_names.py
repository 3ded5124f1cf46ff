"""What strangers call the vital signs in messages: the ending of a name says what it is."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from drivers.payload import known_units
from monitor.model.metric import DESCRIPTORS, Metric

CARRIED: Final = frozenset(
    metric for metric, facts in DESCRIPTORS.items() if known_units(metric) and not facts.is_wave
)
NAMES: Final[Mapping[str, Metric]] = MappingProxyType(
    {str(metric): metric for metric in CARRIED}
    | {
        "sat": Metric.SPO2,
        "pulse": Metric.PULSE_RATE,
        "pr": Metric.PULSE_RATE,
        "hr": Metric.HEART_RATE,
        "rr": Metric.RESP_RATE,
        "resp": Metric.RESP_RATE,
        "nibp/sys": Metric.NIBP_SYS,
        "nibp/dia": Metric.NIBP_DIA,
        "nibp/mean": Metric.NIBP_MEAN,
        "nibp/pulse": Metric.NIBP_PULSE,
        "temperature": Metric.TEMP,
        "pi": Metric.PERFUSION_INDEX,
    }
)


def names_with(own: Mapping[str, Metric]) -> Mapping[str, Metric]:
    """Return the names known anyway and those that one site's nodes use."""
    return {**NAMES, **{name.lower(): metric for name, metric in own.items()}}


def metric_named(name: str, names: Mapping[str, Metric]) -> Metric | None:
    """Return what `name` means: its longest ending after `:`, `/` or `.` that is in `names`."""
    name = name.lower()
    starts = [0, *(at + 1 for at, sign in enumerate(name) if sign in ":/.")]
    return next((names[name[at:]] for at in starts if name[at:] in names), None)
