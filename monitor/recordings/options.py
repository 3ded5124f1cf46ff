"""What a person types about a recording, as `ReadOptions` words."""

from collections.abc import Iterable
from typing import Final

from monitor.model.errors import ConfigError
from monitor.model.metric import Metric
from monitor.recordings.flags import Gate, Sense
from monitor.recordings.names import gated_by

_OR_A_FLAG: Final = "; or, for a flag, co2_available or co2_not_available (also spo2_...)"


def read_column_map(texts: Iterable[str]) -> dict[str, Metric | Gate]:
    """Return the columns named by `COLUMN=METRIC` texts; a column may itself hold a `=`.

    A metric with `_available` or `_not_available` behind it (`co2_available`) names a flag.

    Raises:
        ConfigError: no `=`, an unknown metric, or one column or metric given twice.
    """
    mapped: dict[str, Metric | Gate] = {}
    for text in texts:
        column, equals, name = text.rpartition("=")
        if not equals or not column.strip():
            raise ConfigError(f"--map {text!r}: write COLUMN=METRIC, for example 'O2 sat=spo2'")
        metric = _read_flag(name) or read_metric(name, "--map", _OR_A_FLAG)
        if column.strip() in mapped:
            raise ConfigError(f"--map {text!r}: column {column.strip()!r} is mapped twice")
        if isinstance(metric, Metric) and metric in mapped.values():
            raise ConfigError(f"--map {text!r}: {name.strip()} already has a column")
        mapped[column.strip()] = metric
    return mapped


def _read_flag(name: str) -> Gate | None:
    """Return the flag of that name; None if it does not say what 1 means."""
    gate = gated_by(name.strip().lower())
    return None if gate is None or gate.sense is Sense.STATUS else gate


def read_zero_is_missing(texts: Iterable[str]) -> frozenset[Metric]:
    """Return the metrics named by `--zero-is-missing` texts; commas may separate several.

    Raises:
        ConfigError: an unknown metric.
    """
    names = [name for text in texts for name in text.split(",")]
    return frozenset(read_metric(name, "--zero-is-missing") for name in names)


def read_missing(texts: Iterable[str]) -> frozenset[str]:
    """Return what `--missing` texts say stands for no reading: numbers, or words in any case.

    Raises:
        ConfigError: a blank one; a blank cell is no reading anyhow.
    """
    words = frozenset(text.strip().strip("'\"").strip().lower() for text in texts)
    if "" in words:
        raise ConfigError("--missing: say a number or a word, for example --missing 127")
    return words


def read_metric(name: str, option: str, also: str = "") -> Metric:
    """Return the metric of that public name; `also` is what else might have been said.

    Raises:
        ConfigError: there is none; lists those there are.
    """
    word = name.strip().lower()
    if word not in set(Metric):
        raise ConfigError(
            f"{option}: {name.strip()!r} is not a metric; say one of {', '.join(Metric)}{also}"
        )
    return Metric(word)
