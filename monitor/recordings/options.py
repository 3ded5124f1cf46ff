"""What a person types about a recording, as `ReadOptions` words."""

from collections.abc import Iterable

from monitor.model.errors import ConfigError
from monitor.model.metric import Metric


def read_column_map(texts: Iterable[str]) -> dict[str, Metric]:
    """Return the columns named by `COLUMN=METRIC` texts; a column may itself hold a `=`.

    Raises:
        ConfigError: no `=`, an unknown metric, or one column or metric given twice.
    """
    mapped: dict[str, Metric] = {}
    for text in texts:
        column, equals, name = text.rpartition("=")
        if not equals or not column.strip():
            raise ConfigError(f"--map {text!r}: write COLUMN=METRIC, for example 'O2 sat=spo2'")
        metric = read_metric(name, "--map")
        if column.strip() in mapped:
            raise ConfigError(f"--map {text!r}: column {column.strip()!r} is mapped twice")
        if metric in mapped.values():
            raise ConfigError(f"--map {text!r}: {metric} already has a column")
        mapped[column.strip()] = metric
    return mapped


def read_zero_is_missing(texts: Iterable[str]) -> frozenset[Metric]:
    """Return the metrics named by `--zero-is-missing` texts; commas may separate several.

    Raises:
        ConfigError: an unknown metric.
    """
    names = [name for text in texts for name in text.split(",")]
    return frozenset(read_metric(name, "--zero-is-missing") for name in names)


def read_metric(name: str, option: str) -> Metric:
    """Return the metric of that public name.

    Raises:
        ConfigError: there is none; lists those there are.
    """
    word = name.strip().lower()
    if word not in set(Metric):
        raise ConfigError(
            f"{option}: {name.strip()!r} is not a metric; say one of {', '.join(Metric)}"
        )
    return Metric(word)
