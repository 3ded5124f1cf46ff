"""Codes and units of HL7 rows: terms without a partition, names alone, units in other words."""

import pytest

from drivers.devices.hl7 import Hl7Protocol
from drivers.parts.hl7_vectors import HEAD, framed
from monitor.model.event import DeviceEvent
from monitor.model.metric import Metric
from tests.drivers.hearing import hear, refusals, values


def told(row: str) -> list[DeviceEvent]:
    """What a message of this row tells."""
    return hear(Hl7Protocol(), framed((HEAD, row)))


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        ("19384^MDC_PULS_OXIM_SAT_O2^MDC", "262688^MDC_DIM_PERCENT^MDC"),
        ("0^MDC_PULS_OXIM_SAT_O2^MDC", "MDC_DIM_PERCENT"),
        ("MDC_PULS_OXIM_SAT_O2", "%^percent^UCUM"),
    ],
)
def test_a_term_or_a_name_alone_is_enough(code: str, unit: str) -> None:
    assert values(told(f"OBX|1|NM|{code}|1|97|{unit}")) == {Metric.SPO2: 97.0}


@pytest.mark.parametrize("code", ["19385^MDC_PULS_OXIM_SAT_O2^MDC", "18949^MDC_RESP_RATE^MDC"])
def test_a_term_that_is_not_the_names_is_refused(code: str) -> None:
    found = told(f"OBX|1|NM|{code}|1|97|262688^MDC_DIM_PERCENT^MDC")
    assert not values(found)
    assert len(refusals(found)) == 1


@pytest.mark.parametrize("unit", ["{breath}/min", "/min", "rpm", "264928^MDC_DIM_RESP_PER_MIN"])
def test_units_of_a_rate(unit: str) -> None:
    found = told(f"OBX|1|NM|151594^MDC_CO2_RESP_RATE^MDC|1|14|{unit}")
    assert values(found) == {Metric.RESP_RATE: 14.0}
