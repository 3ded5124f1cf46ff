"""When an HL7 value was taken: backlogs, wrong clocks, zones left out, readings said again."""

import pytest

from drivers.devices.hl7 import Hl7Protocol
from drivers.parts.hl7_message import written_time
from drivers.parts.hl7_vectors import VITALS, framed
from monitor.model.event import DeviceEvent, NoticeKind, Observation, Validity
from monitor.model.instant import instant_at
from monitor.model.metric import Metric
from tests.drivers.hearing import details, hear, notices, refusals

SENT_S = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC
SPO2 = "OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.1|97|262688^MDC_DIM_PERCENT^MDC"


def head(age_s: float = 0) -> str:
    return rf"MSH|^~\&|VSIM|TEST|||{written_time(SENT_S - age_s)}||ORU^R01|M1|P|2.6|||NE|AL"


def at(protocol: Hl7Protocol, second: float, age_s: float) -> Observation | None:
    """What a message says that comes at `second` and was sent `age_s` before, by its own words."""
    found = protocol.receive(framed((head(age_s - second), SPO2)), instant_at(second))
    return next((each for each in found if isinstance(each, Observation)), None)


@pytest.mark.hazard("H3")
def test_a_backlog_is_old_and_a_wrong_clock_is_found_out() -> None:
    protocol = Hl7Protocol({"opened_utc_s": SENT_S})
    backlog = [at(protocol, 1 + n / 10, 300 - n * 10) for n in range(25)]
    assert {each.validity for each in backlog if each} == {Validity.QUESTIONABLE}
    assert backlog[0] is not None
    assert backlog[0].taken == instant_at(1 - 300)
    wrong = Hl7Protocol({"opened_utc_s": SENT_S})
    trust = [each.validity for n in range(10) if (each := at(wrong, n * 2, 200))]
    assert trust == [Validity.QUESTIONABLE] * 3 + [Validity.VALID] * 7


def test_one_message_from_the_future_makes_no_other_old() -> None:
    protocol = Hl7Protocol({"opened_utc_s": SENT_S})
    heard = [at(protocol, second, -3600 if second == 2 else 0) for second in range(5)]
    assert [each.taken for each in heard if each] == [instant_at(second) for second in range(5)]
    assert {each.validity for each in heard if each} == {Validity.VALID}


def test_a_wrong_clock_is_told_at_its_edges() -> None:
    protocol = Hl7Protocol({"opened_utc_s": SENT_S})
    found: list[DeviceEvent] = []
    for second in range(0, 60, 2):
        off = 90 if second < 30 else 0
        found += protocol.receive(framed((head(-second - off), SPO2)), instant_at(second))
    differs = NoticeKind.CLOCK_DIFFERS
    assert notices(found) == [(differs, True), (differs, False)]
    assert details(found, differs)[0] == "the sender's clock is 90 s ahead"
    assert found[-1] == Observation(
        Metric.SPO2, 97.0, Validity.VALID, instant_at(58), instant_at(58)
    )


@pytest.mark.parametrize("options", [{}, {"utc_offset_min": 120}])
def test_a_time_without_a_zone_is_local(options: dict[str, object]) -> None:
    lines = (head(-7200).replace("+0000", ""), SPO2)
    (found,) = hear(Hl7Protocol({"opened_utc_s": SENT_S, **options}), framed(lines))
    assert isinstance(found, Observation)
    assert found.validity is Validity.VALID


def test_an_older_reading_never_follows_a_newer_and_a_cuff_is_told_once() -> None:
    cuff = VITALS[-1]
    protocol = Hl7Protocol()
    found = hear(protocol, *[framed((head(-n), cuff)) for n in range(3)])
    assert len(found) == 1
    older = framed((head(-4), cuff.replace("221230", "221130")))
    assert refusals(hear(protocol, older)) == ["nibp_mean: older than the newest"]
