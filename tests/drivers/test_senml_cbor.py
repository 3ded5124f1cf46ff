"""SenML in CBOR: the standard's own example, and all that is not it."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.devices.senml import SenMLProtocol
from drivers.envelope import Message, pack
from drivers.parts.cbor import CborError, read_cbor
from drivers.parts.senml_cbor import is_cbor, read_records
from monitor.model.event import Observation
from monitor.model.instant import Instant
from monitor.model.metric import Metric
from tests.drivers.hearing import hear, refusals, values

few = settings(max_examples=100, deadline=None, derandomize=True)
# RFC 8428, section 6: the beginning of its example, closed after two records.
STANDARD = bytes.fromhex(
    "82 A7 21 78 1B 75 72 6E 3A 64 65 76 3A 6F 77 3A 31 30 65 32 30 37 33 61 30 31 30 38 30 30 36"
    "3A 22 FB 41 D3 03 A1 5B 00 10 62 23 61 41 20 05 00 67 76 6F 6C 74 61 67 65 01 61 56 02 FB 40"
    "5E 06 66 66 66 66 66 A3 00 67 63 75 72 72 65 6E 74 06 24 02 FB 3F F3 33 33 33 33 33 33"
)


def head(major: int, count: int) -> bytes:
    """The head of an item in its shortest form."""
    for size, kind in ((1, 24), (2, 25), (4, 26), (8, 27)):
        if count < 24:
            return bytes([major << 5 | count])
        if count < 256**size:
            return bytes([major << 5 | kind]) + count.to_bytes(size, "big")
    raise AssertionError(count)


def written(item: object) -> bytes:
    """CBOR as the standard writes it; told apart from the reader on purpose."""
    if isinstance(item, bool) or item is None:
        return {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[item]
    if isinstance(item, int):
        return head(0, item) if item >= 0 else head(1, -1 - item)
    if isinstance(item, float):
        return b"\xfb" + struct.pack(">d", item)
    if isinstance(item, bytes | str):
        raw = item if isinstance(item, bytes) else item.encode()
        return head(2 if isinstance(item, bytes) else 3, len(raw)) + raw
    if isinstance(item, list):
        return head(4, len(item)) + b"".join(map(written, item))
    assert isinstance(item, dict)
    pairs = (written(key) + written(value) for key, value in item.items())
    return head(5, len(item)) + b"".join(pairs)


whole = st.integers(-(2**64), 2**64 - 1)
plain = whole | st.floats(allow_nan=False) | st.text(max_size=9) | st.binary(max_size=9)
items = st.recursive(
    plain | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.integers(-9, 99) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


def test_the_standards_example_is_read() -> None:
    first, second = read_records(STANDARD)
    assert first == {
        "bn": "urn:dev:ow:10e2073a0108006:",
        "bt": 1276020076.001,
        "bu": "A",
        "bver": 5.0,
        "n": "voltage",
        "u": "V",
        "v": 120.1,
    }
    assert second == {"n": "current", "t": -5.0, "v": 1.2}


@few
@given(items)
def test_what_is_written_is_read(item: object) -> None:
    depth = written(item).count(b"\x81") + 1
    if depth < 7:
        assert read_cbor(written(item)) == item
        assert read_cbor(b"\xd9\xd9\xf7" + written(item)) == item


@few
@given(items, st.integers(0, 200))
def test_what_is_cut_short_is_refused(item: object, size: int) -> None:
    data = written(item)
    if size < len(data):
        with pytest.raises(CborError):
            read_cbor(data[:size])
    with pytest.raises(CborError, match="left over"):
        read_cbor(data + b"\0")


@few
@given(st.binary(max_size=120))
def test_noise_is_refused_or_something(noise: bytes) -> None:
    for first in (b"", b"\x82", b"\x9f"):
        with suppress(CborError):
            assert isinstance(read_records(first + noise), list)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("f9 3c00", 1.0),
        ("fa 47c35000", 100000.0),
        ("c4 82 21 19 6ab3", 273.15),
        ("9f 01 02 ff", [1, 2]),
        ("bf 01 02 ff", {1: 2}),
        ("3b ffffffffffffffff", -(2**64)),
    ],
)
def test_each_kind_of_number_and_open_length_is_read(data: str, value: object) -> None:
    assert read_cbor(bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    "data",
    [
        "81" * 2000,
        "9b ffffffffffffffff",
        "bb ffffffffffffffff",
        "7b ffffffffffffffff 61",
        "a2 01 02 01 03",
        "a1 81 01 02",
        "a1 fb 7ff8000000000000 01",
        "62 c328",
        "c2 41 01",
        "c4 82 1a 7fffffff 01",
        "c4 01",
        "9f 01",
        "ff",
        "1c",
        "f8 20",
        "",
    ],
)
def test_what_is_not_read_is_refused(data: str) -> None:
    with pytest.raises(CborError):
        read_cbor(bytes.fromhex(data))


def test_a_pack_means_the_same_in_both_forms() -> None:
    json = b'[{"n":"n1:spo2","u":"%","v":97},{"n":"rr","u":"1/min","v":14.5}]'
    records = [{0: "n1:spo2", 1: "%", 2: 97}, {0: "rr", 1: "1/min", 2: 14.5}]
    cbor = written(records)
    assert is_cbor(cbor)
    assert not is_cbor(json)
    assert values(hear(SenMLProtocol(), cbor)) == values(hear(SenMLProtocol(), json))
    assert values(hear(SenMLProtocol(), b"\xd9\xd9\xf7" + cbor))[Metric.SPO2] == 97.0


def test_nan_strings_and_nested_values_are_no_readings() -> None:
    for value in (float("nan"), float("inf"), "97", True, None):
        assert not values(hear(SenMLProtocol(), written([{0: "spo2", 1: "%", 2: value}])))
    for broken in ([{0: "spo2", 1: "%", 2: [97]}], {0: "spo2"}, [97]):
        told = hear(SenMLProtocol(), written(broken))
        assert len(refusals(told)) == 1


def test_an_unknown_label_costs_nothing_and_one_that_must_be_understood_its_record() -> None:
    odd = [{0: "spo2", 1: "%", 2: 97, 99: 1}, {0: "rr", 1: "1/min", 2: 14, "x_": 1}]
    told = hear(SenMLProtocol(), written(odd))
    assert values(told) == {Metric.SPO2: 97.0}
    assert refusals(told) == ["field 'x_' must be understood and is not"]


def test_a_message_kept_by_the_broker_is_as_old_in_cbor() -> None:
    payload = written([{0: "spo2", 1: "%", 2: 97}])
    told = SenMLProtocol().receive(pack(Message("t", payload, is_retained=True)), Instant(7))
    assert not [each for each in told if isinstance(each, Observation)]
