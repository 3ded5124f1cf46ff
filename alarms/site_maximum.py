"""The widest limits the responsible organisation accepts; a preset beyond them is refused.

`METRIC = { low = …, high = … }` bounds where a limit may lie; `severe_low` and `severe_high` do so
for the severe band. A limit that is left out altogether is the widest of all, and refused as well.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from alarms import toml
from alarms.reading import DIRECTIONS, read_metric
from alarms.rules import LimitRule
from monitor.model.errors import ConfigError
from monitor.model.metric import Metric, describe
from monitor.model.session import Phase

_SEVERE: Final = "severe_"
_KEYS: Final = (*DIRECTIONS, *(_SEVERE + each for each in DIRECTIONS))


def check_site_maximum(
    table: toml.Table,
    limits: tuple[LimitRule, ...],
    phases: Mapping[Phase, tuple[LimitRule, ...]],
) -> None:
    """Refuse limits, of any phase, that are wider than `table` allows.

    Raises:
        ConfigError: names file, table, key, value and the widest that is accepted.
    """
    placed = [(f"limits.{each.metric}", each) for each in limits]
    placed += [
        (f"phase.{phase}.limits.{each.metric}", each)
        for phase, rules in phases.items()
        for each in rules
    ]
    for name in table.names():
        metric, own = read_metric(table, name), table.table(name)
        for key in own.names():
            if key not in _KEYS:
                raise own.wrong(key, f"expected one of {', '.join(_KEYS)}")
            facts = describe(metric)
            most = own.number(key, facts.technical_low, facts.technical_high)
            _check(table.where, metric, key, most, placed)


def _check(
    where: str, metric: Metric, key: str, most: float, placed: Iterable[tuple[str, LimitRule]]
) -> None:
    way = key.removeprefix(_SEVERE)
    is_low, is_severe = way == "low", key.startswith(_SEVERE)
    widest = f"[site_maximum.{metric}] {key} = {most:g}"
    of_metric = [each for each in placed if each[1].metric is metric and each[1].is_low == is_low]
    if not of_metric:
        raise ConfigError(
            f"{where}: [limits.{metric}.{way}]: missing, which is wider than {widest}; add a limit"
        )
    for place, rule in of_metric:
        value = rule.severe if is_severe else rule.limit
        said = "severe" if is_severe else "limit"
        table = f"{where}: [{place}.{way}] {said}"
        if value is None:
            raise ConfigError(f"{table}: missing, which is wider than {widest}; add one")
        if value < most if is_low else value > most:
            side = "at least" if is_low else "at most"
            raise ConfigError(f"{table} = {value:g}: wider than {widest}; expected {side} {most:g}")
