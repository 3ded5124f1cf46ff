"""Limit sets that are wrong in one way each, and all that is found wrong with them, as read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest

from alarms.check import prove
from alarms.limits import read_preset
from alarms.rules import LimitSet
from monitor.model.instant import seconds
from monitor.model.session import Phase
from tests.alarms.listed import findings_text
from tests.alarms.score import PATTERNS, PRESET_TEXT

GOLDEN: Final = Path(__file__).parent / "golden" / "wrong.txt"
LIMITS: Final = read_preset(PRESET_TEXT + PATTERNS, "more.toml")
CHANGED: Final[tuple[tuple[str, dict[str, object]], ...]] = (
    ("pulse_rate_low", {"limit": 125.0, "severe": None}),
    ("pulse_rate_low", {"limit": 116.0, "severe": 40.0, "hysteresis": 0.0}),
    ("spo2_low", {"clear_for": seconds(3600)}),
    ("spo2_low", {"delay": seconds(3600), "severe": None}),
    ("spo2_low", {"severe": 89.5}),
    ("spo2_low", {"delay": seconds(2)}),
    ("spo2_low", {"budget": 900.0}),
    ("spo2_low", {"budget": 20.0, "violations_max": 3}),
    ("spo2_low", {"violations_max": 40}),
    ("pulse_rate_high", {"budget": 60.0}),
    ("nibp_sys_low", {"budget": 50.0, "violations_max": 3}),
    ("temp_low", {"violations_max": 2, "delay": seconds(0)}),
)
REPLACED: Final = (
    ("percent = 30\n", "percent = 80\n"),
    ("amount = 40\n", "amount = 60\n"),
    ('kind = "below", amount = 93', 'kind = "below", amount = 1'),
    (
        '"below", amount = 93 }, { metric = "etco2", kind = "lost"',
        '"below", amount = 99 }, { metric = "etco2", kind = "above", amount = 10',
    ),
    ('{ metric = "etco2", kind = "lost" }', '{ metric = "spo2", kind = "above", amount = 95 }'),
)


def wrong_sets() -> Iterator[tuple[str, LimitSet]]:
    """Yield each wrong set with what is wrong with it."""
    for alarm, values in CHANGED:
        own = (
            msgspec.structs.replace(e, **values) if e.alarm == alarm else e for e in LIMITS.limits
        )
        said = ", ".join(f"{key} {value}" for key, value in values.items())
        yield f"{alarm}: {said}", msgspec.structs.replace(LIMITS, limits=tuple(own))
    for old, new in REPLACED:
        text = PRESET_TEXT + PATTERNS
        assert old in text
        yield new.strip(), read_preset(text.replace(old, new, 1), "ours.toml")
    slow = msgspec.structs.replace(LIMITS.phases[Phase.OBSERVATION][0], clear_for=seconds(3600))
    yield (
        "a phase that is never over",
        msgspec.structs.replace(LIMITS, phases={Phase.OBSERVATION: (slow,)}),
    )
    data = msgspec.structs.replace(LIMITS.data, steps={})
    yield "no step is impossible", msgspec.structs.replace(LIMITS, data=data)
    apnoea = msgspec.structs.replace(LIMITS.apnoea, after=seconds(5))
    yield "sooner than any device counts", msgspec.structs.replace(LIMITS, apnoea=apnoea)
    far = msgspec.structs.replace(LIMITS.relatives[0].limit, hysteresis=100.0)
    relative = msgspec.structs.replace(LIMITS.relatives[0], limit=far)
    yield "a baseline does not end it", msgspec.structs.replace(LIMITS, relatives=(relative,))
    rules = tuple(each for each in LIMITS.limits if each.alarm not in {"spo2_low", "nibp_sys_high"})
    yield "limits are left out", msgspec.structs.replace(LIMITS, limits=rules)


WRONG: Final = tuple(wrong_sets())
WELL: Final = frozenset(findings_text(prove(LIMITS)).splitlines())


def wrong_text(said: str, limits: LimitSet) -> str:
    """Return what is found beyond what is found about the shipped preset."""
    found = findings_text(prove(limits)).splitlines()
    return "\n".join([f"# {said}", *(each for each in found if each not in WELL)]) + "\n"


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_everything_that_is_wrong_is_found_in_the_words_that_were_read(number: int) -> None:
    before, mark, read = GOLDEN.read_text().partition(f"# {WRONG[number][0]}\n")
    assert before.count("\n# ") + before.startswith("# ") == number
    assert wrong_text(*WRONG[number]) == mark + read.partition("\n# ")[0].rstrip("\n") + "\n"
