"""SenML and mapped JSON: units, strange clocks, old, kept and repeated readings, mappings."""

import tomllib
from pathlib import Path

import msgspec
import pytest

from drivers.contract import OptionError
from drivers.devices.json import JsonProtocol, topic_fits
from drivers.devices.senml import SenMLProtocol
from drivers.envelope import Message, pack
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    FrameRejected,
    NoticeKind,
    Observation,
    Validity,
)
from monitor.model.instant import Instant, instant_at

OPENED = 1_700_000_000.0
NOW = instant_at(100)
PAGE = Path(__file__).resolve().parents[2] / "docs" / "devices" / "json.md"


def anchored() -> SenMLProtocol:
    return SenMLProtocol({"opened_utc_s": OPENED})


def spo2(value: object = 97, **fields: object) -> bytes:
    return msgspec.json.encode([{"n": "spo2", "u": "%", "v": value, **fields}])


def told(
    protocol: SenMLProtocol | JsonProtocol, payload: bytes, now: Instant = NOW
) -> list[DeviceEvent]:
    return list(protocol.receive(payload, now))


def observed(events: list[DeviceEvent]) -> list[tuple[float | None, Validity, Instant | None]]:
    return [
        (each.value, each.validity, each.taken) for each in events if isinstance(each, Observation)
    ]


def reasons(events: list[DeviceEvent]) -> list[str]:
    return [each.reason for each in events if isinstance(each, FrameRejected)]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'[{"n":"etco2","v":5.1}]', "etco2: unit none"),
        (b'[{"n":"etco2","u":"%","v":5.1}]', "etco2: unit %"),
        (b'[{"n":"spo2","u":"%","v":970}]', "spo2: 970 % cannot be"),
        (b'[{"n":"spo2","u":"%","vs":"97"}]', "value or time is no number"),
        (b'[{"n":"spo2","u":"%","v":"97"}]', "value or time is no number"),
        (b'[{"n":"spo2","u":"%","v":97,"t":"now"}]', "value or time is no number"),
        (b'[{"n":"spo2","u":"%","v":97,"t":60}]', "spo2: time 60 is none"),
        (b'[{"n":"spo2","u":"%","v":97,"t":1e15}]', "spo2: time 1e+15 is none"),
        (b'[{"bn":7,"n":"spo2","u":"%","v":97}]', "bn is no text"),
        (b'[{"bver":11,"n":"spo2","u":"%","v":97}]', "newer version of SenML"),
        (b'[{"n":"spo2","u":"%","v":97,"x_":1}]', "field 'x_' must be understood"),
        (b'[{"n":"*spo2","u":"%","v":97}]', "name is none"),
        (b'[{"n":"a' + b":" * 300 + b'spo2","u":"%","v":97}]', "name is none"),
        (b'[{"n":"spo2","u":"%","v":NaN}]', "no SenML"),
        (b"\x81\xa2", "no SenML"),
    ],
)
def test_what_cannot_be_trusted_is_refused_with_a_reason(payload: bytes, reason: str) -> None:
    events = told(SenMLProtocol(), payload)
    assert not observed(events)
    assert len(events) == 1
    assert reasons(events)[0].startswith(reason)


def test_a_bad_record_leaves_its_neighbours_alone_but_a_bad_base_does_not() -> None:
    good = {"n": "spo2", "u": "%", "v": 97}
    events = told(SenMLProtocol(), msgspec.json.encode([{"n": "rr", "u": "1/min", "v": "x"}, good]))
    assert [value for value, _, _ in observed(events)] == [97.0]
    assert not observed(told(SenMLProtocol(), msgspec.json.encode([{"bt": "x"}, good])))


def test_base_fields_hold_for_what_follows() -> None:
    pack_ = [
        {"bn": "urn:dev:x:", "bu": "1/min", "bv": 10, "bt": OPENED + 90, "n": "rr", "v": 4},
        {"n": "pulse", "v": 62, "t": 5},
    ]
    events = told(anchored(), msgspec.json.encode(pack_))
    assert observed(events) == [
        (14.0, Validity.VALID, instant_at(90)),
        (72.0, Validity.VALID, instant_at(95)),
    ]


def test_a_relative_time_is_counted_from_arrival() -> None:
    assert observed(told(SenMLProtocol(), spo2(t=-7))) == [(97.0, Validity.VALID, instant_at(93))]
    assert observed(told(SenMLProtocol(), spo2())) == [(97.0, Validity.VALID, None)]


@pytest.mark.hazard("H3")
def test_old_readings_are_questionable_and_keep_their_moment() -> None:
    events = told(anchored(), spo2(t=OPENED + 69))
    assert observed(events) == [(97.0, Validity.QUESTIONABLE, instant_at(69))]
    assert observed(told(anchored(), spo2(t=OPENED + 71)))[0][1] is Validity.VALID
    cuff = msgspec.json.encode([{"n": "nibp/sys", "u": "mmHg", "v": 118, "t": OPENED - 300}])
    assert observed(told(anchored(), cuff)) == [(118.0, Validity.VALID, instant_at(-300))]


@pytest.mark.hazard("H3")
def test_a_kept_message_never_looks_fresh() -> None:
    kept = pack(Message("ward/1", spo2(t=OPENED + 99), is_retained=True))
    assert observed(told(anchored(), kept)) == [(97.0, Validity.QUESTIONABLE, instant_at(99))]
    for payload in (spo2(), spo2(t=-1)):
        without_age = told(anchored(), pack(Message("ward/1", payload, is_retained=True)))
        assert reasons(without_age) == ["spo2: kept by the broker, age unknown"]
    unanchored = told(SenMLProtocol(), pack(Message("", spo2(t=OPENED), is_retained=True)))
    assert reasons(unanchored) == ["spo2: kept by the broker, age unknown"]


@pytest.mark.hazard("H3")
def test_an_old_reading_never_follows_a_newer_one() -> None:
    protocol = anchored()
    told(protocol, spo2(85, t=OPENED + 95))
    assert reasons(told(protocol, spo2(98, t=OPENED + 90))) == ["spo2: older than the newest"]
    assert reasons(told(protocol, spo2(98, t=OPENED + 95))) == [
        "spo2: another value beside the newest"
    ]
    assert observed(told(protocol, spo2(86, t=OPENED + 96)))[0][0] == 86.0


def test_a_message_delivered_twice_is_heard_once() -> None:
    protocol = anchored()
    assert told(protocol, spo2(t=OPENED + 95))
    assert not told(protocol, spo2(t=OPENED + 95), instant_at(101))


def test_a_pack_in_any_order_is_told_in_order_of_time() -> None:
    records = [{"n": "spo2", "u": "%", "v": 90 + n, "t": OPENED + 90 + n} for n in (3, 1, 2)]
    events = told(anchored(), msgspec.json.encode(records))
    assert [value for value, _, _ in observed(events)] == [91.0, 92.0, 93.0]


@pytest.mark.hazard("H17")
def test_a_clock_ahead_of_ours_is_told_and_not_believed() -> None:
    protocol = anchored()
    events = told(protocol, spo2(t=OPENED + 4000))
    assert observed(events) == [(97.0, Validity.VALID, NOW)]
    assert [each.notice for each in events if isinstance(each, DeviceNotice)] == [
        NoticeKind.CLOCK_DIFFERS
    ]
    assert not told(protocol, spo2(t=OPENED + 4000), instant_at(101))
    assert len(told(protocol, spo2(t=OPENED + 4001), instant_at(101))) == 1
    back = told(protocol, spo2(t=OPENED + 102), instant_at(102))
    assert observed(back) == [(97.0, Validity.VALID, instant_at(102))]
    assert [each.present for each in back if isinstance(each, DeviceNotice)] == [False]


def test_without_a_wall_time_the_newest_heard_counts_as_now() -> None:
    protocol = SenMLProtocol()
    assert observed(told(protocol, spo2(t=OPENED)))[0][2] == NOW
    assert observed(told(protocol, spo2(t=OPENED + 1), instant_at(101.2)))[0] == (
        97.0,
        Validity.VALID,
        instant_at(101),
    )
    assert observed(told(protocol, spo2(t=OPENED + 2), instant_at(200)))[0][1] is (
        Validity.QUESTIONABLE
    )


def test_names_are_known_by_their_ending_and_by_option() -> None:
    protocol = SenMLProtocol({"names": {"Sensor7": "spo2"}})
    for name in ("spo2", "urn:dev:mac:00:spo2", "ward/chair/SpO2", "x.sensor7"):
        payload = msgspec.json.encode([{"n": name, "u": "%", "v": 97}])
        assert observed(told(protocol, payload)), name
    for name in ("room_temp", "notspo2", "urn:serial-12345"):
        events = told(protocol, msgspec.json.encode([{"n": name, "u": "Cel", "v": 37}]))
        assert [each.notice for each in events if isinstance(each, DeviceNotice)] == [
            NoticeKind.UNKNOWN_FIELD
        ]
    with pytest.raises(OptionError, match="names"):
        SenMLProtocol({"names": {"a": "no_metric"}})


def mappings() -> list[dict[str, object]]:
    blocks = PAGE.read_text().split("```toml\n")[1:]
    return [tomllib.loads(block.split("```")[0]) for block in blocks]


GATEWAY = {
    "type": "reportAttribute",
    "data": {
        "value": {
            "device_list": [
                {"scan_time": OPENED + 90, "spo2": 96, "pulse": "72", "pi": 43},
                {"scan_time": OPENED + 91, "spo2": 0, "pulse": "--"},
                {"scan_time": OPENED + 92, "bp_high": 118, "bp_low": 76, "PR": 70},
            ]
        }
    },
}
ICU = [
    {"observation_id": "SpO2", "date-time": "2023-11-14T22:14:50Z", "value": 97},
    {"observation_id": "pulse-rate", "date-time": "2023-11-14T22:14:50Z", "value": None},
    {
        "observation_id": "blood-pressure",
        "date-time": "2023-11-14 22:14:50",
        "systolic": {"value": 118},
        "diastolic": {"value": 76},
        "map": {"value": 90},
    },
    {"observation_id": "device-connection", "status": "Disconnected"},
]


@pytest.mark.parametrize(
    ("place", "topic", "content", "expected"),
    [
        (
            0,
            "gateway/ble",
            GATEWAY,
            [
                ("spo2", 96.0),
                ("pulse_rate", 72.0),
                ("perfusion_index", 4.3),
                ("spo2", None),
                ("pulse_rate", None),
                ("nibp_sys", 118.0),
                ("nibp_dia", 76.0),
                ("nibp_pulse", 70.0),
            ],
        ),
        (
            1,
            "root/data",
            {"time": "2023-11-14T23:14:50", "spO2": 99, "pulse": 66},
            [("spo2", 99.0), ("pulse_rate", 66.0)],
        ),
        (
            2,
            "icu",
            ICU,
            [
                ("spo2", 97.0),
                ("pulse_rate", None),
                ("nibp_sys", 118.0),
                ("nibp_dia", 76.0),
                ("nibp_mean", 90.0),
            ],
        ),
        (
            3,
            "healthcare/7/vitals",
            {"device_id": 7, "timestamp": OPENED + 90, "heart_rate": 75, "spo2": 97},
            [("heart_rate", 75.0), ("spo2", 97.0)],
        ),
    ],
)
def test_the_mappings_on_the_page_read_the_conventions_they_are_for(
    place: int, topic: str, content: object, expected: list[tuple[str, float | None]]
) -> None:
    protocol = JsonProtocol({**mappings()[place], "opened_utc_s": OPENED})
    events = told(protocol, pack(Message(topic, msgspec.json.encode(content))))
    heard = [each for each in events if isinstance(each, Observation)]
    assert [(str(each.metric), each.value) for each in heard] == expected
    assert all(each.validity in {Validity.VALID, Validity.NOT_AVAILABLE} for each in heard)
    assert all(each.taken is not None and 89 <= each.taken / 1e9 <= 93 for each in heard)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"spo2":true}', "spo2: is no number"),
        (b'{"spo2":"0x61"}', "spo2: is no number"),
        (b'{"spo2":"nan"}', "spo2: is no number"),
        (b'{"spo2":[97]}', "spo2: is no number"),
        (b'{"spo2":1e12}', "spo2: is too large"),
        (b'{"spo2":150}', "spo2: 150 % cannot be"),
        (b'{"spo2":97,"time":"noon"}', "time is not understood"),
        (b'{"spo2":97,"time":-1}', "time is not understood"),
        (b'{"spo2":97,"time":12}', "spo2: time 12 is none"),
        (b'{"spo2":97', "no JSON"),
    ],
)
def test_a_field_that_says_no_number_is_refused_with_a_reason(payload: bytes, reason: str) -> None:
    events = told(JsonProtocol(), payload)
    assert not observed(events)
    assert reasons(events)[0].startswith(reason)


@pytest.mark.parametrize("marker", [None, "", "--", " --- ", -1, -100, 65535, "-1"])
def test_markers_for_missing_are_no_values(marker: object) -> None:
    events = told(JsonProtocol(), msgspec.json.encode({"SPO2": marker}))
    assert observed(events) == [(None, Validity.NOT_AVAILABLE, None)]


def test_zero_is_a_value_where_it_can_be_one() -> None:
    assert observed(told(JsonProtocol(), b'{"etco2":0}'))[0][0] == 0.0
    assert reasons(told(JsonProtocol(), b'{"spo2":0}')) == ["spo2: 0 % cannot be"]


def test_a_message_without_any_known_field_is_told_once() -> None:
    protocol = JsonProtocol()
    assert len(told(protocol, b'{"a":1}')) == 1
    assert not told(protocol, b'{"b":1}')


@pytest.mark.parametrize(
    ("topic", "pattern", "fits"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/+", True),
        ("a/b/c", "a/+", False),
        ("a/b/c", "a/#", True),
        ("a", "a/#", True),
        ("b", "a/#", False),
        ("", "a/b", True),
        ("x", "#", True),
    ],
)
def test_topics_fit_as_mqtt_says(topic: str, pattern: str, fits: bool) -> None:  # noqa: FBT001
    assert topic_fits(topic, pattern) is fits


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shapes": [{"fields": [{"path": "a", "metric": "etco2", "unit": "psi"}]}]}, "psi"),
        ({"shapes": [{"fields": [{"path": "a", "metric": "pleth"}]}]}, "waveform"),
        ({"shapes": [{"fields": [{"path": "a"}]}]}, "metric"),
        ({"shapes": [{"field": []}]}, "field"),
        ({"utc_offset_min": "one"}, "utc_offset_min"),
    ],
)
def test_a_wrong_mapping_is_refused_when_opened(options: dict[str, object], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        JsonProtocol(options)
