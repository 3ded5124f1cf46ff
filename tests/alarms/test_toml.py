"""One table read with care: whatever is wrong is named by file, table, key, value and remedy."""

from collections.abc import Callable
from math import inf, nan
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarms.condition import Latch
from alarms.toml import Table, read
from monitor.model.errors import ConfigError
from monitor.model.instant import seconds

Reader = Callable[[Table], object]

TEXT: Final = """
count = 5
part = 2.5
flag = true
word = "severe"
words = ["never", "always"]
twice = ["never", "never"]
blank = "  "
empty = []
[inner]
low = 1
[inner.most]
deep = 1
[[row]]
at = 1
[[row]]
at = 2
"""


def table() -> Table:
    return read(TEXT, "ours.toml")


def refused(reader: Reader) -> str:
    with pytest.raises(ConfigError) as error:
        reader(table())
    return str(error.value)


READERS: Final[dict[str, tuple[Reader, str]]] = {
    "text": (lambda each: each.text("nothing"), "a text"),
    "number": (lambda each: each.number("nothing"), "a number"),
    "seconds": (lambda each: each.seconds("nothing", 1, 60), "a number from 1 to 60"),
    "choice": (lambda each: each.choice("nothing", Latch), "a word"),
    "choices": (lambda each: each.choices("nothing", Latch), "an array of words"),
    "table": (lambda each: each.table("nothing"), "a table"),
    "tables": (lambda each: each.tables("nothing", 3), "an array of tables"),
}


@pytest.mark.parametrize(("reader", "expected"), READERS.values(), ids=READERS.keys())
def test_what_is_missing_is_named_with_what_is_expected(reader: Reader, expected: str) -> None:
    assert refused(reader) == f"ours.toml: nothing: missing; expected {expected}"


@pytest.mark.parametrize(
    ("reader", "said"),
    [
        (lambda each: each.text("count"), "count = 5: expected a text that is not empty"),
        (lambda each: each.text("blank"), "blank = '  ': expected a text that is not empty"),
        (lambda each: each.number("word"), "word = 'severe': expected a number"),
        (lambda each: each.number("flag"), "flag = True: expected a number"),
        (lambda each: each.number("count", 6, 9), "count = 5: expected a number from 6 to 9"),
        (lambda each: each.number("count", 1, 4), "count = 5: expected a number from 1 to 4"),
        (lambda each: each.number("count", 6), "count = 5: expected a number from 6 to inf"),
        (lambda each: each.number("count", high=4), "count = 5: expected a number from -inf to 4"),
        (lambda each: each.seconds("part", 3, 9), "part = 2.5: expected a number from 3 to 9"),
        (
            lambda each: each.choice("count", Latch),
            "count = 5: expected one of never, severe, always",
        ),
        (
            lambda each: each.choices("word", Latch),
            "word = 'severe': expected an array of words out of never, severe, always",
        ),
        (
            lambda each: each.choices("row", Latch),
            "row: expected an array of words out of never, severe, always",
        ),
        (lambda each: each.choices("twice", Latch), "twice: expected each word once"),
        (lambda each: each.table("count"), "count = 5: expected a table"),
        (lambda each: each.tables("count", 3), "count = 5: expected an array of 1 to 3 tables"),
        (lambda each: each.tables("empty", 3), "empty: expected an array of 1 to 3 tables"),
        (lambda each: each.tables("row", 1), "row: expected an array of 1 to 1 tables"),
        (lambda each: each.tables("words", 3), "words: expected an array of tables"),
        (lambda each: each.table("inner").text("low"), "[inner] low = 1: expected a text that"),
        (lambda each: each.table("inner").table("most").text("deep"), "[inner.most] deep = 1: "),
        (lambda each: each.tables("row", 2)[1].text("at"), "[row[1]] at = 2: expected a text"),
    ],
)
def test_what_is_wrong_is_named_by_file_table_key_value_and_remedy(
    reader: Reader, said: str
) -> None:
    assert refused(reader).startswith(f"ours.toml: {said}")


def test_what_is_right_is_read_as_it_is_written() -> None:
    top = table()
    assert top.text("word") == "severe"
    assert top.number("count") == top.number("count", 5, 5) == 5
    assert isinstance(top.number("count"), float)
    assert top.seconds("part", 2.5, 2.5) == seconds(2.5)
    assert top.choice("word", Latch) is Latch.SEVERE
    assert top.choices("empty", Latch) == ()
    assert top.choices("words", Latch) == (Latch.NEVER, Latch.ALWAYS)
    assert top.table("inner").table("most").number("deep") == 1
    assert [each.number("at") for each in top.tables("row", 2)] == [1, 2]
    assert len(read("[[row]]", "ours.toml").tables("row", 1)) == 1
    assert [each.path for each in top.tables("row", 2)] == ["row[0]", "row[1]"]
    assert "count" in top
    assert "nothing" not in top
    assert top.names()[:3] == ("count", "part", "flag")
    assert top.numbers() == ("count", "part"), "neither a flag nor a text is a number"


@given(st.sampled_from([nan, inf, -inf]))
def test_what_is_no_finite_number_is_no_number(value: float) -> None:
    with pytest.raises(ConfigError, match="expected a number"):
        Table({"limit": value}, "ours.toml", "").number("limit")


def test_a_key_that_nobody_asked_for_is_refused_with_the_nearest_known_one() -> None:
    near = read("limit = 1\ndelay_s = 2\ndelays = 3", "ours.toml")
    near.number("limit")
    near.number("delay_s")
    with pytest.raises(ConfigError) as error:
        near.finish()
    assert str(error.value) == ("ours.toml: delays = 3: unknown key; did you mean 'delay_s'?")
    far = read("limit = 1\ndelay_s = 2\nxyz = 3", "ours.toml")
    far.number("limit")
    far.number("delay_s")
    with pytest.raises(ConfigError) as error:
        far.finish()
    assert str(error.value) == "ours.toml: xyz = 3: unknown key; known: delay_s, limit"


@given(st.dictionaries(st.text("abc_", min_size=1), st.booleans(), max_size=6))
def test_a_table_is_finished_once_every_key_was_asked_for(keys: dict[str, bool]) -> None:
    top = Table(dict.fromkeys(keys, 1), "ours.toml", "")
    for key, is_asked in keys.items():
        if is_asked:
            top.number(key)
    said = ""
    try:
        top.finish()
    except ConfigError as error:
        said = str(error)
    left = [key for key, is_asked in keys.items() if not is_asked]
    assert said.startswith(f"ours.toml: {left[0]} = 1: unknown key; " if left else "")
    assert bool(said) == bool(left)


def test_what_is_not_toml_is_refused_by_its_line() -> None:
    with pytest.raises(ConfigError, match=r"^ours\.toml: not TOML: .*line 2") as error:
        read("limit = 1\nlimit = \n", "ours.toml")
    assert error.value.__cause__ is not None
