"""Reading one TOML table with care: every key is known, typed and bounded, or a person is told.

Errors name file, table, key, value and what would be right.
"""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from enum import StrEnum
from math import inf, isfinite
from typing import TypeVar

from monitor.model.errors import ConfigError
from monitor.model.instant import Duration, seconds

Choice = TypeVar("Choice", bound=StrEnum)


def read(text: str, where: str) -> "Table":
    """Return the top table of a TOML text.

    Raises:
        ConfigError: not TOML; names the line.
    """
    try:
        return Table(tomllib.loads(text), where, "")
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: not TOML: {error}") from error


class Table:
    """A TOML table that remembers which of its keys were asked for."""

    def __init__(self, content: Mapping[str, object], where: str, path: str) -> None:
        self._content = content
        self._asked: set[str] = set()
        self.where = where
        self.path = path

    def __contains__(self, key: str) -> bool:
        return key in self._content

    def names(self) -> tuple[str, ...]:
        """Return the keys that are there, in the order written."""
        return tuple(self._content)

    def numbers(self) -> tuple[str, ...]:
        """Return the keys that hold numbers."""
        return tuple(
            key
            for key, value in self._content.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        )

    def wrong(self, key: str, remedy: str) -> ConfigError:
        """Return the error that says what is wrong with `key` and what would be right."""
        table = f"[{self.path}] " if self.path else ""
        value = self._content.get(key)
        given = "" if value is None or isinstance(value, dict | list) else f" = {value!r}"
        return ConfigError(f"{self.where}: {table}{key}{given}: {remedy}")

    def _value(self, key: str, expected: str) -> object:
        self._asked.add(key)
        if key not in self._content:
            raise self.wrong(key, f"missing; expected {expected}")
        return self._content[key]

    def table(self, key: str) -> "Table":
        """Return the table under `key`; it must be there."""
        value = self._value(key, "a table")
        if not isinstance(value, dict):
            raise self.wrong(key, "expected a table")
        return Table(value, self.where, self._path_of(key))

    def _path_of(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def tables(self, key: str, count_max: int) -> "list[Table]":
        """Return the tables of an array that holds at least one."""
        value = self._value(key, "an array of tables")
        if not isinstance(value, list) or not 1 <= len(value) <= count_max:
            raise self.wrong(key, f"expected an array of 1 to {count_max} tables")
        if not all(isinstance(each, dict) for each in value):
            raise self.wrong(key, "expected an array of tables")
        path = self._path_of(key)
        return [Table(each, self.where, f"{path}[{i}]") for i, each in enumerate(value)]

    def text(self, key: str) -> str:
        """Return a text that is not empty."""
        value = self._value(key, "a text")
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, "expected a text that is not empty")
        return value

    def number(self, key: str, low: float = -inf, high: float = inf) -> float:
        """Return a number within [`low`, `high`]."""
        expected = (
            "a number" if high == inf and low == -inf else f"a number from {low:g} to {high:g}"
        )
        value = self._value(key, expected)
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise self.wrong(key, f"expected {expected}")
        if not low <= value <= high:
            raise self.wrong(key, f"expected {expected}")
        return float(value)

    def seconds(self, key: str, low: float, high: float) -> Duration:
        """Return a duration written in seconds."""
        return seconds(self.number(key, low, high))

    def choice(self, key: str, kinds: type[Choice]) -> Choice:
        """Return one of the words of an enumeration."""
        value = self._value(key, "a word")
        words = [each.value for each in kinds]
        if value not in words:
            raise self.wrong(key, f"expected one of {', '.join(words)}")
        return kinds(str(value))

    def choices(self, key: str, kinds: type[Choice]) -> tuple[Choice, ...]:
        """Return words of an enumeration, each at most once; there may be none."""
        value = self._value(key, "an array of words")
        words = [each.value for each in kinds]
        if not isinstance(value, list) or not all(each in words for each in value):
            raise self.wrong(key, f"expected an array of words out of {', '.join(words)}")
        if len(set(value)) != len(value):
            raise self.wrong(key, "expected each word once")
        return tuple(kinds(str(each)) for each in value)

    def finish(self) -> None:
        """Refuse keys that nobody asked for.

        Raises:
            ConfigError: an unknown key, with the nearest known one.
        """
        for key in self._content:
            if key not in self._asked:
                near = get_close_matches(key, sorted(self._asked), 1)
                hint = (
                    f"did you mean {near[0]!r}?"
                    if near
                    else f"known: {', '.join(sorted(self._asked))}"
                )
                raise self.wrong(key, f"unknown key; {hint}")
