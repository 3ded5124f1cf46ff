"""Breaths, apnoea and the device's habits around them."""

from itertools import count
from math import pi, sin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms.breaths import BreathDetector
from monitor.model.alarm import Change
from monitor.model.event import NoticeKind, WaveformSegment
from monitor.model.instant import instant_at
from monitor.model.link import LinkState
from monitor.model.metric import Metric
from monitor.model.session import Deed
from tests.alarms.score import Score, capnogram


def ripple(rate: float, per_minute: float, amplitude: float) -> "list[float]":
    """Return ten minutes of compressions on an otherwise flat line."""
    turn = 2 * pi * per_minute / 60 / rate
    return [amplitude / 2 * (1 + sin(turn * number)) for number in range(int(600 * rate))]


def count_breaths(samples: list[float], rate: float) -> int:
    detector = BreathDetector()
    size = max(1, round(rate / 4))
    for start in range(0, len(samples), size):
        piece = tuple(samples[start : start + size])
        end = instant_at((start + len(piece) - 1) / rate)
        detector.feed(WaveformSegment(Metric.CO2_WAVE, end, rate, piece))
    return detector.breaths


@settings(max_examples=25)
@given(st.sampled_from([10.0, 20.0, 25.0, 125.0]), st.integers(4, 30), st.floats(12, 70))
def test_plain_breaths_are_counted_at_any_rate(rate: float, per_minute: int, peak: float) -> None:
    counted = count_breaths(capnogram(rate, per_minute, peak)[: int(60 * rate)], rate)
    assert abs(counted - per_minute) <= 1


@pytest.mark.hazard("H1")
@pytest.mark.parametrize("per_minute", [100, 110, 120])
@pytest.mark.parametrize("amplitude", [6, 15, 30])
@pytest.mark.parametrize("rate", [20.0, 40.0, 125.0])
def test_compressions_and_cardiogenic_ripple_are_no_breaths(
    per_minute: int, amplitude: float, rate: float
) -> None:
    assert count_breaths(ripple(rate, per_minute, amplitude)[: int(60 * rate)], rate) <= 1


@pytest.mark.hazard("H1")
def test_rises_after_pauses_too_short_to_inspire_are_no_breaths() -> None:
    samples = [30.0 if (number / 40) % 0.6 < 0.45 else 0.0 for number in range(40 * 60)]
    assert count_breaths(samples, 40.0) <= 1


@pytest.mark.parametrize("per_minute", [8, 12, 20])
def test_one_sample_a_second_still_tells_breathing_from_flat(per_minute: int) -> None:
    breathing = count_breaths(capnogram(1.0, per_minute)[:120], 1.0)
    assert breathing >= per_minute
    assert count_breaths([0.4] * 120, 1.0) == 0


def test_where_a_waveform_is_cut_does_not_matter() -> None:
    samples = capnogram(20.0, 14)[:1200]
    whole, bit_by_bit = BreathDetector(), BreathDetector()
    whole.feed(WaveformSegment(Metric.CO2_WAVE, instant_at(1199 / 20), 20.0, tuple(samples)))
    for number, sample in enumerate(samples):
        at = instant_at(number / 20)
        bit_by_bit.feed(WaveformSegment(Metric.CO2_WAVE, at, 20.0, (sample,)))
    assert whole == bit_by_bit


def test_a_piece_of_waveform_told_twice_changes_nothing() -> None:
    score = Score()
    piece = WaveformSegment(Metric.CO2_WAVE, instant_at(1), 20.0, tuple([30.0] * 20))
    score.hear(piece, 1)
    before = score.system.save()
    score.hear(piece, 1)
    assert score.system.save() == before


def breathing(until: float = 60) -> Score:
    """Return a score with a capnograph that has seen a patient breathe."""
    score = Score()
    wave = iter(capnogram(20.0, 12))
    for second in range(round(until)):
        score.wave(second, second + 1, wave, 20.0)
        score.see(second + 0.97, etco2=38, resp_rate=12)
    assert score.lines() == []
    return score


@pytest.mark.hazard("H1")
def test_a_flat_capnogram_is_an_apnoea_thirty_seconds_after_the_last_breath() -> None:
    score = breathing()
    for second in range(60, 100):
        score.wave(second, second + 1, [0.0] * 20, 20.0)
        score.see(second + 0.97, etco2=None, resp_rate=None)
    ((at, change),) = score.changes("apnoea")
    assert change == "present"
    assert 85 <= at <= 90
    snapshot = score.standing()["apnoea"]
    assert at - 30 == pytest.approx(snapshot.since / 1e9)


@pytest.mark.hazard("H1")
@pytest.mark.parametrize("per_minute", [100, 120])
def test_ripple_on_a_flat_line_is_an_apnoea_within_thirty_five_seconds(per_minute: int) -> None:
    score = breathing()
    wave = iter(ripple(20.0, per_minute, 15.0))
    for second in range(60, 100):
        score.wave(second, second + 1, wave, 20.0)
    assert score.changes("apnoea")[0][0] <= 60 + 35


@pytest.mark.hazard("H1")
def test_a_device_that_counts_ripple_as_breaths_hides_nothing() -> None:
    score = breathing()
    wave = iter(ripple(20.0, 110, 15.0))
    for second in range(60, 100):
        score.wave(second, second + 1, wave, 20.0)
        score.see(second + 0.97, etco2=15, resp_rate=110)
    assert score.changes("apnoea")[0][0] <= 60 + 35


@pytest.mark.hazard("H3")
def test_a_printed_rate_does_not_hide_a_flat_capnogram() -> None:
    score = breathing()
    for second in range(60, 120):
        score.wave(second, second + 1, [0.0] * 20, 20.0)
        score.see(second + 0.97, etco2=38, resp_rate=12)
    assert score.changes("apnoea")[0][0] <= 60 + 45


def test_rates_alone_arm_the_clock_and_a_rate_of_zero_is_an_apnoea() -> None:
    score = Score()
    score.run(0, 60, etco2=38, resp_rate=12)
    score.run(60, 100, etco2=0, resp_rate=0)
    assert score.changes("apnoea") == [(89, "present")]
    assert score.lines("resp_rate_low") == [(70, "resp_rate_low", "present", "medium")]


def test_without_airway_co2_a_rate_of_zero_is_a_lost_signal() -> None:
    score = Score()
    score.run(0, 60, spo2=99, resp_rate=12)
    score.run(60, 120, spo2=99, resp_rate=0)
    assert score.lines() == [(89, "no_data_resp_rate", "present", "medium")]


def test_no_apnoea_before_anybody_breathed() -> None:
    score = Score()
    score.wave(0, 100, [0.0] * 2000, 20.0)
    score.run(100, 160, resp_rate=0, etco2=0)
    assert score.changes("apnoea") == []


@pytest.mark.hazard("H2")
@pytest.mark.parametrize("notice", [NoticeKind.SAMPLE_LINE_OFF, NoticeKind.OCCLUSION])
def test_a_label_puts_apnoea_off_to_sixty_seconds_and_no_further(notice: NoticeKind) -> None:
    score = breathing()
    score.notice(notice, 62)
    for second in range(62, 150):
        score.wave(second, second + 1, [0.0] * 20, 20.0)
        score.see(second + 0.97, etco2=None, resp_rate=None)
    ((at, _),) = score.changes("apnoea")
    assert at <= 60 + 60
    assert "?" in score.first("apnoea", Change.PRESENT).reason


def test_auto_zero_prints_zeros_while_breathing_goes_on_and_nobody_is_told() -> None:
    score = breathing()
    score.notice(NoticeKind.AUTO_ZERO, 60)
    score.run(60, 75, etco2=None, resp_rate=None)
    score.notice(NoticeKind.AUTO_ZERO, 75, present=False)
    wave = iter(capnogram(20.0, 12))
    for second in range(75, 95):
        score.wave(second, second + 1, wave, 20.0)
        score.see(second + 0.97, etco2=0, resp_rate=0)
    for second in range(95, 120):
        score.wave(second, second + 1, wave, 20.0)
        score.see(second + 0.97, etco2=38, resp_rate=12)
    assert score.lines() == []


@pytest.mark.hazard("H2")
def test_zeros_beside_no_end_tidal_value_are_believed_within_a_minute() -> None:
    score = Score()
    score.run(0, 60, etco2=38, resp_rate=12)
    score.run(60, 150, etco2=None, resp_rate=0)
    assert score.changes("apnoea")[0][0] <= 59 + 60
    assert score.changes("resp_rate_low")[0][0] <= 60 + 60


def test_breaths_from_before_the_zeros_do_not_delay_the_alarm() -> None:
    score = breathing()
    for second in range(60, 90):
        score.wave(second, second + 1, [0.0] * 20, 20.0)
        score.see(second + 0.97, etco2=38, resp_rate=0 if second >= 70 else 12)
    assert score.changes("resp_rate_low") == [(80.97, "present")]


@pytest.mark.hazard("H2")
def test_zeros_printed_sooner_than_any_device_counts_wait_until_the_line_was_long_flat() -> None:
    score = breathing()
    for second in range(60, 90):
        score.wave(second, second + 1, [0.0] * 20, 20.0)
        score.see(second + 0.97, etco2=38, resp_rate=0)
    ((at, change),) = score.changes("resp_rate_low")
    assert change == "present"
    assert 60 + 11 + 10 <= at <= 60 + 15 + 10


def test_a_printed_zero_is_believed_after_a_minute_whatever_the_wave_shows() -> None:
    score = breathing()
    wave = iter(capnogram(20.0, 12))
    for second in range(60, 150):
        score.wave(second, second + 1, wave, 20.0)
        score.see(second + 0.97, etco2=38, resp_rate=0)
    ((at, change),) = score.changes("resp_rate_low")
    assert change == "present"
    assert at <= 60 + 60 + 11


def test_a_real_apnoea_after_an_auto_zero_is_told_by_sixty_seconds() -> None:
    score = breathing()
    score.notice(NoticeKind.AUTO_ZERO, 60)
    score.notice(NoticeKind.AUTO_ZERO, 70, present=False)
    for second in range(70, 140):
        score.wave(second, second + 1, [0.0] * 20, 20.0)
        score.see(second + 0.97, etco2=None, resp_rate=0)
    assert score.changes("apnoea")[0][0] <= 60 + 35


@pytest.mark.hazard("H2")
def test_an_auto_zero_that_drags_on_hides_an_apnoea_for_sixty_seconds_at_most() -> None:
    score = Score()
    score.run(0, 60, etco2=38, resp_rate=12)
    score.notice(NoticeKind.AUTO_ZERO, 60)
    score.run(60, 110, etco2=0, resp_rate=0)
    score.notice(NoticeKind.AUTO_ZERO, 110, present=False)
    score.run(110, 150, etco2=0, resp_rate=0)
    assert score.changes("apnoea") == [(59 + 60, "present")]


@pytest.mark.hazard("H1")
def test_the_devices_own_no_breath_is_believed() -> None:
    score = breathing()
    score.run(60, 85, etco2=None, resp_rate=None)
    score.device("no_breath", 85, detail="25 s")
    score.wait(86)
    assert score.changes("apnoea") == [(85, "present")]


def test_a_lost_link_is_a_lost_link_and_no_apnoea() -> None:
    score = breathing()
    metrics = (Metric.ETCO2, Metric.RESP_RATE, Metric.CO2_WAVE)
    score.link(LinkState.LOST, 60, *metrics)
    score.wait(300)
    assert score.changes("apnoea") == []
    assert score.changes("link_box") == [(65, "present")]


@pytest.mark.hazard("H3")
def test_an_apnoea_is_held_when_the_channel_is_lost_and_ends_by_breaths_only() -> None:
    score = Score()
    score.run(0, 60, etco2=38, resp_rate=12)
    score.run(60, 95, etco2=0, resp_rate=0)
    score.run(95, 400, etco2=None, resp_rate=None)
    assert score.changes("apnoea") == [(89, "present"), (95, "held")]
    score.run(400, 410, etco2=38, resp_rate=12)
    assert score.changes("apnoea")[2:] == [(400, "unheld"), (405, "latched")]


def test_an_apnoea_reset_unmeasured_arms_again_with_the_next_data() -> None:
    score = Score()
    score.run(0, 60, etco2=38, resp_rate=12)
    score.run(60, 95, etco2=0, resp_rate=0)
    score.run(95, 130, etco2=None, resp_rate=None)
    score.do(Deed.RESET, "apnoea", 130)
    score.run(200, 240, etco2=0, resp_rate=0)
    assert score.changes("apnoea")[-1] == (230, "present")


@settings(max_examples=30)
@given(st.lists(st.sampled_from(["breath", "zero", "none", "wave", "flat"]), max_size=40))
def test_the_clock_tells_every_measured_minute_without_breath(kinds: list[str]) -> None:
    score = Score()
    score.run(0, 10, etco2=38, resp_rate=12)
    wave = iter(capnogram(20.0, 20))
    second, start = 10, count(10, 5)
    for kind, at in zip(kinds, start, strict=False):
        for second in range(at, at + 5):
            match kind:
                case "breath":
                    score.see(second, etco2=38, resp_rate=12)
                case "zero":
                    score.see(second, etco2=0, resp_rate=0)
                case "none":
                    score.see(second, etco2=None, resp_rate=None)
                case "wave":
                    score.wave(second, second + 1, wave, 20.0)
                case _:
                    score.wave(second, second + 1, [0.0] * 20, 20.0)
    score.run(second + 2, second + 64, etco2=0, resp_rate=0)
    assert "apnoea" in score.standing()


@pytest.mark.parametrize(("at", "rate"), [(20.1, 1.0), (18.0, 1.0), (20.0, 0.0), (20.0, -1.0)])
def test_a_waveform_from_the_future_out_of_order_or_without_a_rate_is_refused_and_counted(
    at: float, rate: float
) -> None:
    score = Score()
    score.wave(0, 20, capnogram(1.0, 12), 1.0)
    score.now = 20.0
    for number in range(11):
        piece = WaveformSegment(Metric.CO2_WAVE, instant_at(at), rate, (38.0,))
        score.system.accept(piece, instant_at(20))
        assert score.system.rejected == number + 1
    rejected = score.standing()["input_rejected"]
    assert rejected.since == instant_at(20)
    watch = score.system.inspect("input_rejected")
    assert watch is not None
    assert watch.note.endswith("the last: waveform from the future or out of order")


def test_a_waveform_of_the_present_instant_is_not_refused() -> None:
    score = Score()
    piece = WaveformSegment(Metric.CO2_WAVE, instant_at(1), 0.5, (38.0,))
    score.system.accept(piece, instant_at(1))
    score.system.accept(piece, instant_at(1))
    assert score.system.rejected == 0


@pytest.mark.hazard("H1")
def test_an_apnoea_is_told_in_time_though_nothing_more_comes_after_the_waveform() -> None:
    score = Score()
    score.wave(0, 60, capnogram(1.0, 12), 1.0)
    for at in (65, 70, 75, 80, 85):
        score.hear(WaveformSegment(Metric.CO2_WAVE, instant_at(at), 1.0, (0.0,) * 5), at)
    score.wait(91)
    assert [change for _, change in score.changes("apnoea")] == ["present"]


@pytest.mark.hazard("H3")
def test_a_held_apnoea_goes_on_when_the_waveform_is_back_without_a_breath() -> None:
    score = Score()
    score.wave(0, 60, capnogram(1.0, 12), 1.0)
    score.wave(60, 100, [0.0] * 40, 1.0)
    score.wait(120)
    assert [change for _, change in score.changes("apnoea")] == ["present", "held"]
    score.wave(120, 125, [0.0] * 5, 1.0)
    assert [change for _, change in score.changes("apnoea")] == ["present", "held", "unheld"]


@pytest.mark.parametrize("deed", [Deed.RESET, Deed.ACKNOWLEDGE])
def test_what_is_done_to_another_alarm_never_starts_the_breath_clock_again(deed: Deed) -> None:
    score = Score()
    score.run(0, 60, spo2=88, etco2=38, resp_rate=12)
    score.run(60, 70, spo2=None, etco2=0, resp_rate=0)
    score.do(deed, "spo2_low", 70)
    score.run(71, 95, etco2=0, resp_rate=0)
    assert score.changes("apnoea") == [(89, "present")]


def test_an_apnoea_says_how_long_nobody_saw_a_breath_and_who_says_so() -> None:
    plain, labelled, by_device = Score(), Score(), Score()
    for score in (plain, labelled, by_device):
        score.run(0, 60, etco2=38, resp_rate=12)
    plain.run(60, 95, etco2=0, resp_rate=0)
    labelled.notice(NoticeKind.SAMPLE_LINE_OFF, 60)
    labelled.run(60, 125, etco2=None, resp_rate=0)
    by_device.device("no_breath", 79, detail="20 s")
    by_device.wait(80)
    told = [each.first("apnoea", Change.PRESENT).reason for each in (plain, labelled, by_device)]
    assert told == [
        "no breath seen for 30 s",
        "no breath seen for 60 s: sample line off?",
        "the device says so; no breath seen for 20 s",
    ]
