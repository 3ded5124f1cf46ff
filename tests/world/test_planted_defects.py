"""No law is an ornament: for each there is a defect that it alone is there to notice."""

import pytest

from simulators import laws, laws_of_record, played, shelf
from simulators.world import play
from tests.world.planted import Defect, defects

DEFECTS = tuple(defects())
OTHER_SEEDS = 60
"""Where a change of the world made another session of a known seed, one of these will do."""

NOT_FUNCTIONS = {"the station never fails"}


@pytest.mark.hazard("H4")
@pytest.mark.hazard("H6")
@pytest.mark.hazard("H18")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda each: each.plant.__name__)
def test_a_planted_defect_is_caught_by_its_law(
    defect: Defect, monkeypatch: pytest.MonkeyPatch
) -> None:
    defect.plant(monkeypatch)
    for seed in (defect.seed, *range(OTHER_SEEDS)):
        breach = play(seed).breach
        if breach is not None and breach.law == defect.law:
            return
    pytest.fail(f"nobody noticed: {defect.plant.__name__}")


def test_every_law_has_its_defect() -> None:
    modules = (laws, laws_of_record, shelf, played)
    known = {
        name.replace("_", " ")
        for module in modules
        for name, found in vars(module).items()
        if callable(found)
        and getattr(found, "__module__", "") == module.__name__
        and not name.startswith("_")
        and getattr(found, "__annotations__", {}).get("scene")
    }
    assert known | NOT_FUNCTIONS == {each.law for each in DEFECTS}
