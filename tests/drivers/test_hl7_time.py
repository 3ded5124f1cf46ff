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


def test_a_cuff_reading_of_a_message_that_lies_ahead_is_told_once_too() -> None:
    """A file has no times between its messages: each lies further ahead than the one before."""
    protocol = Hl7Protocol()
    found = hear(protocol, *[framed((head(-60 * n), VITALS[-1])) for n in range(4)])
    assert len(found) == 1
    newer = VITALS[-1].replace("|90|", "|95|").replace("221230", "221630")
    assert len(hear(protocol, *[framed((head(-60 * n), newer)) for n in range(4, 8)])) == 1


@pytest.mark.parametrize(
    ("sent", "taken"),
    [("20231114171320-0500", "20231114171250"), ("20231114171320", "20231114171250-0500")],
)
def test_times_of_one_message_without_a_zone_are_of_the_zone_of_the_others(
    sent: str, taken: str
) -> None:
    lines = (head().replace("20231114221320+0000", sent), f"{SPO2}|||||R|||{taken}")
    (found,) = Hl7Protocol().receive(framed(lines), instant_at(100))
    assert isinstance(found, Observation)
    assert found.taken == instant_at(70)
    assert found.validity is Validity.VALID


def test_orders_of_other_times_are_moments_of_one_record() -> None:
    order = "OBR|1|||182777000^monitoring of patient^SCT|||{}+0000"
    lines = [head()]
    for time, value in (("20231114221318", 96), ("20231114221316", 95), ("20231114221320", 97)):
        lines += [order.format(time), SPO2.replace("|97|", f"|{value}|")]
    chest = "OBX|9|NM|151578^MDC_TTHOR_RESP_RATE^MDC|1|20|264928^MDC_DIM_RESP_PER_MIN^MDC"
    gas = chest.replace("151578^MDC_TTHOR", "151594^MDC_CO2").replace("|20|", "|14|")
    lines.insert(3, chest)
    found = hear(Hl7Protocol(), framed((*lines, gas)))
    told = [(each.metric, each.value) for each in found if isinstance(each, Observation)]
    assert told == [
        (Metric.SPO2, 95.0),
        (Metric.SPO2, 96.0),
        (Metric.SPO2, 97.0),
        (Metric.RESP_RATE, 14.0),
    ]
    assert refusals(found) == []
