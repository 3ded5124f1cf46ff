"""The text line of older Nonin handhelds, and rates of one packet that differ for a good reason."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.contract import finish
from drivers.devices.nonin import NoninProtocol, open_nonin
from monitor.cli import main
from monitor.model.event import DeviceEvent, DeviceNotice, Observation, Validity
from monitor.model.instant import Instant, instant_at
from monitor.model.metric import Metric
from tests.drivers.hearing import refusals

NOW = Instant(7)
few = settings(max_examples=60, deadline=None, derandomize=True)


def told(data: bytes) -> list[DeviceEvent]:
    """What a handheld's lines tell."""
    return list(open_nonin().receive(data, NOW))


def pairs(events: list[DeviceEvent]) -> list[tuple[Metric, float | None]]:
    return [(each.metric, each.value) for each in events if isinstance(each, Observation)]


@pytest.mark.parametrize(
    ("line", "spo2", "rate"),
    [
        (b"SPO2=097 HR=072\r\n", 97.0, 72.0),
        (b"12:34:56 SPO2=100 HR=180\r\n", 100.0, 180.0),
        (b"SPO2=097 HR=072 F\r\n", 97.0, 72.0),
        (b"SPO2=097 HR=072*\r\n", 97.0, 72.0),
        (b"SPO2=--- HR=---\r\n", None, None),
        (b"SPO2=000 HR=000\r\n", None, None),
    ],
)
def test_each_form_of_the_line_is_read(line: bytes, spo2: float | None, rate: float | None) -> None:
    assert pairs(told(line)) == [(Metric.SPO2, spo2), (Metric.PULSE_RATE, rate)]


@pytest.mark.parametrize("line", [b"SPO2=97 HR=072", b"SPO2=097 HR=0722", b"SPO2=097", b"9840"])
def test_a_line_out_of_form_gives_no_value(line: bytes) -> None:
    good = b"SPO2=097 HR=072\r\n"
    found = told(good + line + b"\r\n" + good)
    assert refusals(found) == ["no Nonin line"]
    assert len(pairs(found)) == 4


def test_frames_are_never_taken_for_text_nor_text_for_frames() -> None:
    line = b"\r\nSPO2=099 HR=111\r\n"
    packet = frames((72, 72, 72, 72))
    assert (
        pairs(told(packet + line + packet)) == [(Metric.SPO2, 97.0), (Metric.PULSE_RATE, 72.0)] * 2
    )
    assert (
        pairs(told(line + packet + line)) == [(Metric.SPO2, 99.0), (Metric.PULSE_RATE, 111.0)] * 2
    )


def test_a_mark_is_told_once_for_each_time_it_is_made() -> None:
    plain, marked = b"SPO2=097 HR=072\r\n", b"SPO2=097 HR=072*\r\n"
    found = told(plain + marked + marked + plain + marked)
    assert [each.detail for each in found if isinstance(each, DeviceNotice)] == 2 * [
        "marked: event"
    ]


def test_a_line_left_open_is_questionable() -> None:
    protocol = open_nonin()
    assert not protocol.receive(b"SPO2=097 HR=072", NOW)
    last = finish(protocol, NOW)
    assert {each.validity for each in last if isinstance(each, Observation)} == {
        Validity.QUESTIONABLE
    }


@few
@given(
    parts=st.lists(
        st.one_of(st.binary(max_size=40), st.sampled_from([b"SPO2=097 HR=072*\r\n", b"\n"])),
        max_size=6,
    ),
    cut=st.integers(min_value=0, max_value=120),
)
def test_every_cut_of_the_same_bytes_tells_the_same(parts: list[bytes], cut: int) -> None:
    noise = b"".join(parts)
    whole = told(noise)
    parted = open_nonin()
    assert [*parted.receive(noise[:cut], NOW), *parted.receive(noise[cut:], NOW)] == whole


def test_a_file_of_such_lines_is_read_without_being_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "handheld.txt"
    file.write_bytes(b"SPO2=--- HR=---\r\n" + b"SPO2=096 HR=061\r\n" * 8)
    assert main(["decode", "nonin", str(file)]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["value"] for row in rows if "value" in row] == [None, None] + [96.0, 61.0] * 8


def frames(rates: tuple[int, int, int, int]) -> bytes:
    """A format 2 packet and the next one's first frame: average, E-, shown, E-shown rate."""
    content = [0] * 25
    for at, rate in zip((0, 13, 19, 21), rates, strict=True):
        content[at : at + 2] = [rate >> 7, rate & 0x7F]
    for at in (2, 8, 9, 10, 15, 16):
        content[at] = 97
    rows = [
        [1, 0x81 if at in {0, 25} else 0x80, 0x64, each] for at, each in enumerate([*content, 0])
    ]
    return b"".join(bytes([*row, sum(row) & 0xFF]) for row in rows)


@pytest.mark.parametrize(
    ("rates", "shown"),
    [
        ((110, 511, 70, 70), 70.0),  # a new beat while the value shown is still held
        ((140, 100, 140, 98), 140.0),  # eight beats lag behind four
        ((72, 73, 511, 511), None),
    ],
)
def test_rates_of_one_packet_may_differ_while_the_one_shown_is_near_another(
    rates: tuple[int, int, int, int], shown: float | None
) -> None:
    found = list(NoninProtocol().receive(frames(rates), instant_at(1)))
    assert dict(pairs(found)) == {Metric.SPO2: 97.0, Metric.PULSE_RATE: shown}


@pytest.mark.parametrize(
    "rates", [(72, 73, 6, 72), (72, 73, 120, 72), (72, 73, 72, 0), (3, 72, 72, 72)]
)
def test_a_rate_that_cannot_be_refuses_its_packet(rates: tuple[int, int, int, int]) -> None:
    found = list(NoninProtocol().receive(frames(rates), instant_at(1)))
    assert refusals(found) == ["packet out of step"]
    assert not pairs(found)
