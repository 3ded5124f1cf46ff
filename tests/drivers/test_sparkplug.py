"""Oddities of Sparkplug: births, aliases, gaps, deaths that overtake, two devices, no units."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.contract import OptionError
from drivers.devices.sparkplug import DRIVER, SparkplugProtocol
from drivers.envelope import Message, pack, unpack
from drivers.parts.protobuf import ProtobufError, field, fields
from drivers.parts.sparkplug_edge import BDSEQ, REBIRTH, SparkplugNode
from drivers.parts.sparkplug_payload import SparkMetric, read_payload, write_metric, write_payload
from monitor.model.event import NoticeKind, Observation, Validity, observe
from monitor.model.instant import OPENING, Instant, instant_at
from monitor.model.metric import Metric
from tests.drivers.hearing import (
    Wire,
    decoded,
    details,
    hear,
    notices,
    numerics,
    refusals,
    validities,
    values,
)
from tests.drivers.pages import hex_examples_of

few = settings(max_examples=60, deadline=None, derandomize=True)
GOOD = SparkMetric(name="Vitals/spo2", alias=7, value=97.0)
BY_ALIAS = SparkMetric(alias=7, value=96.0)
M = SparkMetric


def said(
    kind: str, *metrics: SparkMetric, seq: int | None = None, device: str = "d1", node: str = "n1"
) -> bytes:
    """A message of node n1, or of its device d1."""
    place = f"{node}/{device}" if kind.startswith("D") else node
    return pack(Message(f"spBv1.0/g/{kind}/{place}", write_payload(metrics, seq)))


def session(number: float = 0) -> SparkMetric:
    return M(name=BDSEQ, value=number)


def born() -> SparkplugProtocol:
    """A protocol that heard both births."""
    protocol = SparkplugProtocol()
    protocol.receive(said("NBIRTH", session(), seq=0), OPENING)
    protocol.receive(said("DBIRTH", GOOD, seq=1), OPENING)
    return protocol


def asked(protocol: SparkplugProtocol) -> list[str]:
    """The topics of the commands sent; every one asks for births."""
    messages = [unpack(each) for each in protocol.take_outgoing()]
    for each in messages:
        (metric,) = read_payload(each.payload).metrics
        assert (metric.name, metric.value) == (REBIRTH, True)
    return [each.topic for each in messages]


def test_worked_examples_come_out_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for vector in DRIVER.vectors:
        told = numerics(decoded("sparkplug", vector.data.hex(" "), tmp_path, capsys))
        assert told == [(metric.value, value) for metric, value in vector.expected]


@pytest.mark.shared
def test_the_example_of_the_page_is_our_own() -> None:
    assert hex_examples_of("mqtt") == [DRIVER.vectors[0].data]


def test_a_birth_names_what_data_give_by_alias() -> None:
    protocol = born()
    told = protocol.receive(said("DDATA", BY_ALIAS, seq=2), instant_at(1))
    assert told == [observe(Metric.SPO2, 96, instant_at(1))]
    assert not asked(protocol)


def test_the_births_own_values_are_told() -> None:
    told = hear(SparkplugProtocol(), said("NBIRTH", seq=0), said("DBIRTH", GOOD, seq=1))
    assert values(told) == {Metric.SPO2: 97.0}


def test_an_alias_without_a_birth_is_refused_and_the_birth_asked_for_once_in_ten_seconds() -> None:
    protocol = SparkplugProtocol()
    for second in range(12):
        told = protocol.receive(said("DDATA", BY_ALIAS, seq=second), instant_at(second))
        assert refusals(told) == ["1 aliases without a birth"]
    assert asked(protocol) == ["spBv1.0/g/NCMD/n1"] * 2


@pytest.mark.hazard("H3")
def test_after_a_gap_an_alias_may_mean_another_metric_and_is_not_believed() -> None:
    protocol = born()
    told = protocol.receive(said("DDATA", BY_ALIAS, seq=5), OPENING)
    assert not values(told)
    assert details(told, NoticeKind.MESSAGES_LOST) == ["3 messages of a node"]
    assert asked(protocol) == ["spBv1.0/g/NCMD/n1"]
    assert not values(protocol.receive(said("DDATA", BY_ALIAS, seq=6), OPENING))
    named = said("DDATA", M(name="spo2", value=95.0), seq=7)
    assert values(protocol.receive(named, OPENING)) == {Metric.SPO2: 95.0}
    protocol.receive(said("NBIRTH", session(), seq=0), OPENING)
    other = said("DBIRTH", M(name="pulse", alias=7, value=70.0), seq=1)
    assert values(protocol.receive(other, OPENING)) == {Metric.PULSE_RATE: 70.0}
    assert values(protocol.receive(said("DDATA", BY_ALIAS, seq=2), OPENING)) == {
        Metric.PULSE_RATE: 96.0
    }


def test_the_sequence_wraps_and_a_message_sent_twice_is_no_gap() -> None:
    protocol = born()
    for number in [*range(2, 256), 255, 0, 1]:
        told = protocol.receive(said("DDATA", BY_ALIAS, seq=number), OPENING)
        assert values(told) == {Metric.SPO2: 96.0}
    assert not asked(protocol)


@pytest.mark.parametrize("kind", ["NDEATH", "DDEATH"])
def test_a_death_makes_everything_not_available_at_once(kind: str) -> None:
    protocol = born()
    told = protocol.receive(said(kind, session(), seq=2), instant_at(3))
    assert notices(told) == [(NoticeKind.DEVICE_GONE, True)]
    assert told[-1] == observe(Metric.SPO2, None, instant_at(3))
    again = protocol.receive(said(kind, session(), seq=3), instant_at(4))
    assert not values(again)
    assert not notices(again)


def test_a_device_that_is_born_again_is_there_again() -> None:
    protocol = born()
    protocol.receive(said("DDEATH", seq=2), OPENING)
    told = protocol.receive(said("DBIRTH", GOOD, seq=3), OPENING)
    assert notices(told) == [(NoticeKind.DEVICE_GONE, False)]
    assert validities(told) == {Metric.SPO2: Validity.VALID}


def test_the_death_of_one_device_leaves_its_neighbour_alone() -> None:
    protocol = SparkplugProtocol()
    protocol.receive(said("NBIRTH", session(), seq=0), OPENING)
    protocol.receive(said("DBIRTH", GOOD, seq=1, device="d10"), OPENING)
    protocol.receive(said("DBIRTH", M(name="hr", alias=8, value=70.0), seq=2), OPENING)
    told = protocol.receive(said("DDEATH", seq=3), OPENING)
    assert values(told) == {Metric.HEART_RATE: None}


def test_the_will_of_an_older_session_kills_nobody() -> None:
    protocol = SparkplugProtocol()
    protocol.receive(said("NBIRTH", session(4), seq=0), OPENING)
    protocol.receive(said("DBIRTH", GOOD, seq=1), OPENING)
    assert not protocol.receive(said("NDEATH", session(3)), OPENING)
    assert values(protocol.receive(said("DDATA", BY_ALIAS, seq=2), OPENING))
    assert protocol.receive(said("NDEATH", session(4)), OPENING)


def test_a_birth_overtaken_by_its_own_death_is_refused_but_not_for_ever() -> None:
    protocol = born()
    protocol.receive(said("NDEATH", session()), OPENING)
    told = protocol.receive(said("NBIRTH", session(), seq=0), instant_at(1))
    assert refusals(told) == ["its own death has overtaken this birth"]
    assert asked(protocol) == ["spBv1.0/g/NCMD/n1"]
    assert not refusals(protocol.receive(said("NBIRTH", session(1), seq=0), instant_at(1)))
    protocol.receive(said("NDEATH", session(1)), instant_at(2))
    assert not refusals(protocol.receive(said("NBIRTH", session(1), seq=0), instant_at(9)))


def test_data_of_a_node_that_is_not_alive_are_questionable() -> None:
    protocol = born()
    protocol.receive(said("NDEATH", session()), OPENING)
    told = protocol.receive(said("DDATA", GOOD, seq=2), instant_at(1))
    assert validities(told) == {Metric.SPO2: Validity.QUESTIONABLE}


def test_what_the_broker_kept_is_old() -> None:
    for kind in ("NBIRTH", "DBIRTH", "NDEATH", "DDEATH", "DDATA"):
        message = unpack(said(kind, GOOD, seq=0))
        kept = pack(Message(message.topic, message.payload, is_retained=True))
        told = SparkplugProtocol().receive(kept, OPENING)
        assert len(refusals(told)) == len(told) == 1


def test_null_and_bad_quality_are_not_available() -> None:
    bad = field(1, "q") and field(9, field(1, "Quality") + field(2, field(1, 3) + field(3, 500)))
    one = write_metric(GOOD) + bad
    payload = field(2, one) + field(2, write_metric(M(name="pulse")))
    told = hear(SparkplugProtocol(), payload)
    assert values(told) == {Metric.SPO2: None, Metric.PULSE_RATE: None}


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (M(name="etco2", value=5.0, unit="kPa"), 37.5),
        (M(name="a/b/etco2", value=38.0, unit="mmHg"), 38.0),
        (M(name="etco2", value=38.0), None),
        (M(name="etco2", value=38.0, unit="furlong"), None),
        (M(name="etco2", value=float("nan"), unit="mmHg"), None),
        (M(name="etco2", value=True), None),
    ],
)
def test_a_pressure_needs_a_unit_and_a_number(metric: SparkMetric, expected: float | None) -> None:
    told = hear(SparkplugProtocol(), write_payload([metric]))
    if expected is None:
        assert not values(told)
        assert len(refusals(told)) == 1
    else:
        assert values(told) == {Metric.ETCO2: pytest.approx(expected, abs=0.02)}


def test_a_unit_may_come_from_the_birth_or_from_the_settings() -> None:
    protocol = SparkplugProtocol({"units": {"etco2": "kPa"}, "names": {"CO2e": "etco2"}})
    told = hear(protocol, write_payload([M(name="CO2e", value=4.0)]))
    assert values(told) == {Metric.ETCO2: 30.0}
    known = M(name="temp", alias=1, value=36.5, unit="Cel")
    told = hear(
        SparkplugProtocol(),
        said("NBIRTH", seq=0),
        said("DBIRTH", known, seq=1),
        said("DDATA", M(alias=1, value=37.0), seq=2),
    )
    assert values(told) == {Metric.TEMP: 37.0}


def test_integers_are_read_as_their_type_means_them() -> None:
    for datatype, bits in ((1, 8), (2, 16), (3, 32), (4, 64)):
        raw = field(1, "x") + field(4, datatype) + field(11, (1 << bits) - 5)
        (metric,) = read_payload(field(2, raw)).metrics
        assert metric.value == -5.0


@pytest.mark.hazard("H3")
def test_two_devices_that_give_the_same_could_be_two_patients() -> None:
    protocol = born()
    other = said("DDATA", M(name="spo2", value=80.0), device="d2", seq=2)
    told = protocol.receive(other, instant_at(1))
    assert refusals(told) == ["spo2: another device gives it too"]
    assert values(protocol.receive(other, instant_at(70))) == {Metric.SPO2: 80.0}


def test_times_place_readings_and_old_ones_are_not_fresh() -> None:
    opened = 1_700_000_000.0
    protocol = SparkplugProtocol({"opened_utc_s": opened})
    protocol.receive(said("NBIRTH", session(), seq=0), OPENING)

    def sent(age_s: float, seq: int, *, is_historical: bool = False) -> Observation:
        now_ms = round((opened + 100 - age_s) * 1000)
        raw = write_metric(GOOD) + field(3, now_ms) + field(5, int(is_historical))
        payload = field(2, raw) + field(3, seq)
        message = pack(Message("spBv1.0/g/NDATA/n1", payload))
        told = protocol.receive(message, instant_at(100))
        (found,) = [each for each in told if isinstance(each, Observation)]
        return found

    assert sent(60, 1).validity is Validity.QUESTIONABLE
    assert sent(20, 2, is_historical=True).validity is Validity.QUESTIONABLE
    fresh = sent(2, 3)
    assert (fresh.validity, fresh.taken) == (Validity.VALID, instant_at(98))


def test_the_unknown_is_told_once_and_what_is_the_nodes_own_never() -> None:
    odd = [M(name="Node Control/Rebirth", value=False), M(name="x/glucose", value=5.0)]
    told = hear(SparkplugProtocol(), write_payload(odd), write_payload(odd))
    assert details(told, NoticeKind.UNKNOWN_FIELD) == ["name ending in 'glucose'"]


def test_commands_and_states_of_others_are_left_alone_and_strange_topics_refused() -> None:
    protocol = SparkplugProtocol()
    for topic in ("spBv1.0/g/NCMD/n1", "spBv1.0/g/DCMD/n1/d1", "spBv1.0/STATE/host"):
        assert not protocol.receive(pack(Message(topic, b"")), OPENING)
    for topic in ("a/b", "spBv1.0/g/NDATA/n1/d1", "spBv1.0/g/DDATA/n1", "spAv1.0/g/NDATA/n1"):
        told = protocol.receive(pack(Message(topic, b"")), OPENING)
        assert refusals(told) == ["no Sparkplug topic"]


def test_named_nodes_are_asked_until_they_are_born() -> None:
    protocol = SparkplugProtocol({"nodes": ["g/n1"], "opened_utc_s": 1_700_000_000.0})
    assert protocol.wake_at == OPENING
    protocol.wake(OPENING)
    (command,) = protocol.take_outgoing()
    assert read_payload(unpack(command).payload).time_ms == 1_700_000_000_000
    assert protocol.wake_at == instant_at(10)
    protocol.receive(said("NBIRTH", session(), seq=0), instant_at(1))
    assert protocol.wake_at is None


def test_a_flood_of_nodes_is_bounded() -> None:
    protocol = SparkplugProtocol()
    told = [protocol.receive(said("NBIRTH", seq=0, node=f"n{n}"), OPENING) for n in range(40)]
    assert refusals(told[-1]) == ["more edge nodes than are followed"]


def test_the_node_gives_birth_again_when_asked_and_dies_with_its_number() -> None:
    node = SparkplugNode()
    node.say([observe(Metric.SPO2, 97, OPENING)], OPENING)
    wire = Wire(SparkplugProtocol(), node)
    wire.run(3)
    node.say([observe(Metric.PULSE_RATE, 72, wire.now)], wire.now)
    told = wire.run(6)
    assert values(told) == {Metric.SPO2: 97.0, Metric.PULSE_RATE: 72.0}
    assert not wire.sent, "births came of themselves"
    late = SparkplugProtocol()
    node.wake(instant_at(7))
    for each in node.take_outgoing():
        late.receive(each, instant_at(7))
    (command,) = late.take_outgoing()
    node.receive(command, instant_at(7))
    kinds = [unpack(each).topic.split("/")[2] for each in node.take_outgoing()]
    assert kinds == ["NBIRTH", "DBIRTH"]
    node.die()
    assert values(wire.run(6)) == dict.fromkeys((Metric.SPO2, Metric.PULSE_RATE))


def test_settings_are_held_to_reason() -> None:
    wrongs: list[dict[str, object]] = [
        {"units": {"etco2": "bar"}},
        {"nodes": ["no-group"]},
        {"names": {"x": "blood"}},
    ]
    for wrong in wrongs:
        with pytest.raises(OptionError, match=next(iter(wrong))):
            SparkplugProtocol(wrong)


@few
@given(st.binary(max_size=120))
def test_noise_is_no_message_or_a_few_fields(noise: bytes) -> None:
    for data in (noise, field(2, noise), field(2, field(9, noise))):
        told = SparkplugProtocol().receive(data, Instant(7))
        assert len(told) <= 2
    try:
        found = list(fields(noise))
    except ProtobufError:
        return
    assert len(found) <= len(noise)


def test_a_node_behind_a_bridge_is_heard_and_asked_under_its_prefix() -> None:
    protocol = SparkplugProtocol()
    topic = "north/bridge/spBv1.0/g/DDATA/n1/d1"
    events = protocol.receive(pack(Message(topic, write_payload([GOOD], 5))), OPENING)
    assert values(events) == {Metric.SPO2: 97.0}
    assert asked(protocol) == ["north/bridge/spBv1.0/g/NCMD/n1"]


@pytest.mark.parametrize(
    "topic", ["spBv1.0/STATE/vigil", "north/spBv1.0/STATE/vigil", "spBv1.0/g/NCMD/n1"]
)
def test_states_and_commands_say_nothing_of_a_patient(topic: str) -> None:
    assert SparkplugProtocol().receive(pack(Message(topic, b'{"online":false}')), OPENING) == ()


@pytest.mark.parametrize(
    "topic", ["spBv1.0", "spBv1.0/g", "xspBv1.0/g/NDATA/n1", "spBv1.0/g/NDATA/n1/d1", "a/b/c/d"]
)
def test_another_topic_is_refused(topic: str) -> None:
    assert refusals(hear(SparkplugProtocol(), pack(Message(topic, b"")))) == ["no Sparkplug topic"]
