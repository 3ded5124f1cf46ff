"""The bounds of the breath detector, sample by sample at 100 Hz.

The line lies at 26 mmHg and above, where the baseline stands at its highest, 25 mmHg, and does not
follow: heights and halves are exact there.
"""

from math import exp

import pytest

from alarms.breaths import BreathDetector
from monitor.model.event import WaveformSegment
from monitor.model.instant import NS_PER_S, Duration, Instant, seconds
from monitor.model.metric import Metric

STEP_NS = NS_PER_S // 100
BASE = 25.0
LOW = 26.0


class Line:
    """A waveform that is drawn piece by piece into a detector."""

    def __init__(self) -> None:
        self.detector = BreathDetector()
        self.next = seconds(100)

    def draw(self, value: float | None, samples: int, rate: float = 100.0) -> Instant:
        """Hold the line at a value for so many samples; return the instant of the first."""
        first, period = Instant(self.next), round(NS_PER_S / rate)
        end = Instant(first + (samples - 1) * period)
        self.detector.feed(WaveformSegment(Metric.CO2_WAVE, end, rate, (value,) * samples))
        self.next = Duration(end + period)
        return first

    def breathe(self, height: float, times: int) -> None:
        """Draw breaths of a second out and two in."""
        for _ in range(times):
            self.draw(BASE + height, 100)
            self.draw(LOW, 200)


def low() -> Line:
    """Return a line that has lain at its lowest for two seconds."""
    line = Line()
    line.draw(LOW, 200)
    assert line.detector.baseline == BASE
    return line


@pytest.mark.parametrize(("samples", "breaths"), [(38, 0), (39, 1)])
def test_a_rise_that_lasts_for_038_s_is_a_breath_from_its_first_sample_on(
    samples: int, breaths: int
) -> None:
    line = low()
    rose = line.draw(45.0, samples)
    line.draw(LOW, 100)
    assert line.detector.breaths == breaths
    assert line.detector.breath_at == (rose if breaths else None)


@pytest.mark.parametrize(("samples", "breaths"), [(37, 1), (38, 2)])
def test_a_rise_after_a_fall_of_less_than_038_s_is_none(samples: int, breaths: int) -> None:
    line = low()
    line.draw(45.0, 100)
    line.draw(LOW, samples)
    line.draw(45.0, 100)
    line.draw(LOW, 100)
    assert line.detector.breaths == breaths


@pytest.mark.parametrize(("samples", "breaths"), [(44, 1), (45, 2)])
def test_a_cycle_of_less_than_095_s_is_no_breath(samples: int, breaths: int) -> None:
    line = low()
    line.draw(45.0, 50)
    line.draw(LOW, samples)
    line.draw(45.0, 50)
    assert line.detector.breaths == breaths


@pytest.mark.parametrize(("samples", "breaths"), [(19, 1), (20, 0)])
def test_a_blip_of_less_than_02_s_is_no_rise_to_count_a_cycle_from(
    samples: int, breaths: int
) -> None:
    line = low()
    line.draw(45.0, samples)
    line.draw(LOW, 50)
    line.draw(45.0, 50)
    assert line.detector.breaths == breaths


@pytest.mark.parametrize(("value", "is_high"), [(BASE + 8.0, False), (BASE + 8.01, True)])
def test_a_breath_opens_above_8_mmhg_over_the_baseline(value: float, *, is_high: bool) -> None:
    line = low()
    line.draw(value, 50)
    assert line.detector.is_high is is_high
    assert line.detector.breaths == is_high


@pytest.mark.parametrize(("value", "is_high"), [(35.0, True), (34.99, False)])
def test_a_breath_ends_below_half_of_its_peak(value: float, *, is_high: bool) -> None:
    line = low()
    for out in (36.0, 45.0, 40.0):
        line.draw(out, 20)
    line.draw(value, 1)
    assert line.detector.is_high is is_high
    assert line.detector.rhythm.etco2 == (None if is_high else 45.0)


def test_a_small_breath_ends_below_half_of_what_opens_one() -> None:
    line = low()
    line.draw(BASE + 8.5, 50)
    line.draw(BASE + 4.3, 1)
    assert line.detector.is_high
    line.draw(BASE + 4.2, 1)
    assert not line.detector.is_high


def test_what_opens_a_breath_is_three_tenths_of_the_usual_one() -> None:
    line = low()
    line.breathe(60.0, 30)
    assert line.detector.usual == pytest.approx(60, rel=0.001)
    line.draw(BASE + 17.9, 50)
    assert not line.detector.is_high
    line.draw(BASE + 18.1, 50)
    assert line.detector.is_high


def test_the_usual_breath_moves_by_a_quarter_and_at_once_to_one_far_smaller() -> None:
    line = low()
    line.breathe(60.0, 30)
    line.breathe(40.0, 1)
    assert line.detector.usual == pytest.approx(55, rel=0.001)
    line.draw(LOW, 3000)
    line.breathe(16.0, 1)
    assert line.detector.usual == 16.0
    assert line.detector.opens == 8.0


def test_what_opens_a_breath_shrinks_after_fifteen_seconds_without_one() -> None:
    line = low()
    line.breathe(60.0, 30)
    opens = line.detector.opens
    line.draw(LOW, 1201)
    assert line.detector.is_breathless(seconds(15))
    assert not line.detector.is_breathless(Duration(seconds(15) + 1))
    assert line.detector.opens == opens
    line.draw(LOW, 500)
    assert line.detector.opens == pytest.approx(opens * exp(-5 / 15), rel=0.01)
    line.draw(LOW, 5000)
    assert line.detector.opens == 8.0


def test_between_samples_far_apart_it_shrinks_as_within_a_second() -> None:
    line = low()
    line.breathe(60.0, 30)
    line.draw(LOW, 1201)
    opens = line.detector.opens
    line.next = Duration(line.next + seconds(2) - STEP_NS)
    line.draw(LOW, 5, 0.5)
    assert line.detector.opens == pytest.approx(opens * (1 - 1 / 15) ** 5, rel=1e-6)


def test_the_baseline_follows_up_slowly_and_down_at_once() -> None:
    line = Line()
    line.draw(10.0, 1)
    line.draw(16.0, 3000)
    assert line.detector.baseline == pytest.approx(16 - 6 * exp(-1), rel=0.001)
    line.draw(3.0, 1)
    assert line.detector.baseline == 3.0


@pytest.mark.hazard("H1")
@pytest.mark.parametrize(
    ("breaths", "height", "stir"), [(0, 0.0, 4.0), (40, 20.0, 5.0), (30, 60.0, 7.0)]
)
def test_a_line_is_still_while_it_moves_by_less_than_a_quarter_of_the_usual_breath(
    breaths: int, height: float, stir: float
) -> None:
    for moved, is_still in ((stir - 0.01, True), (stir + 0.01, False)):
        line = low()
        line.breathe(height, breaths)
        line.draw(LOW, 300)
        for _ in range(10):
            line.draw(LOW + moved, 40)
            line.draw(LOW, 40)
        assert line.detector.is_still(seconds(8)) is is_still


def test_stillness_counts_from_the_first_sample_that_moved_no_more() -> None:
    line = low()
    began = line.draw(LOW + 4.0, 701)
    assert line.detector.still_from == began
    assert line.detector.is_still(seconds(7))
    assert not line.detector.is_still(Duration(seconds(7) + 1))
    began = line.draw(LOW, 100)
    assert line.detector.still_from == began


@pytest.mark.parametrize(
    ("value", "is_taken"), [(-10.0, True), (150.0, True), (-10.1, False), (150.1, False)]
)
def test_what_no_line_can_be_is_no_sample_and_interrupts_a_still_one(
    value: float, *, is_taken: bool
) -> None:
    line = Line()
    first = line.draw(value, 1)
    assert line.detector.sampled_at == (first if is_taken else None)
    line = low()
    line.draw(150.1, 1)
    assert not line.detector.is_still(Duration(0))


@pytest.mark.parametrize(("pause_ns", "is_hole"), [(0, False), (1000, True)])
def test_more_than_three_seconds_without_a_sample_is_a_hole(
    pause_ns: int, *, is_hole: bool
) -> None:
    line = low()
    line.breathe(40.0, 3)
    assert line.detector.sampled_at is not None
    line.next = Duration(line.detector.sampled_at + seconds(3) + pause_ns)
    first = line.draw(LOW, 2)
    assert (line.detector.rhythm.begun == []) is is_hole
    assert (line.detector.still_from == first) is is_hole


def test_a_line_that_is_high_before_and_after_a_hole_rose_after_it() -> None:
    line = low()
    line.draw(45.0, 20)
    line.next = Duration(line.next + seconds(4))
    rose = line.draw(45.0, 39)
    assert (line.detector.breaths, line.detector.breath_at) == (1, rose)


@pytest.mark.parametrize(("rate", "is_timed"), [(3.99, False), (4.0, True)])
def test_phases_are_timed_from_four_samples_a_second_on(rate: float, *, is_timed: bool) -> None:
    line = Line()
    line.draw(LOW, 1, rate)
    line.draw(45.0, 1, rate)
    assert line.detector.is_timed is is_timed
    assert line.detector.breaths == (not is_timed)


def test_a_line_that_is_high_from_its_first_sample_on_rose_with_it() -> None:
    line = Line()
    rose = line.draw(45.0, 39)
    assert (line.detector.breaths, line.detector.breath_at) == (1, rose)


def test_the_first_breath_makes_a_quarter_of_the_usual_one() -> None:
    line = low()
    line.breathe(40.0, 1)
    assert line.detector.usual == 10.0


def test_each_breath_knows_the_one_before_it() -> None:
    line = low()
    first = line.draw(45.0, 100)
    line.draw(LOW, 100)
    second = line.draw(45.0, 100)
    assert (line.detector.breath_before, line.detector.breath_at) == (first, second)


def test_a_line_was_still_for_no_time_at_its_first_sample_and_without_one() -> None:
    line = low()
    line.draw(None, 1)
    assert line.detector.still_for(Instant(line.next)) == Duration(0)
    first = line.draw(LOW, 1)
    assert line.detector.still_for(first) == Duration(0)
    assert line.detector.still_for(Instant(first - STEP_NS)) == Duration(0)
    assert line.detector.still_for(Instant(first + STEP_NS)) == STEP_NS


def test_where_no_breath_was_seen_yet_none_is_missing() -> None:
    line = low()
    assert line.detector.breathless_for(Instant(line.next)) == Duration(0)
    assert not line.detector.is_breathless(Duration(0))
    rose = line.draw(45.0, 100)
    assert line.detector.breathless_for(Instant(rose + seconds(2))) == seconds(2)


@pytest.mark.hazard("H1")
@pytest.mark.parametrize(("samples", "is_hole"), [(299, False), (300, True)])
def test_an_interval_with_three_seconds_of_unmeasured_time_in_it_is_part_of_no_rate(
    samples: int, *, is_hole: bool
) -> None:
    line = low()
    line.breathe(40.0, 3)
    line.detector.look_away(Instant(line.next))
    line.draw(LOW, samples)
    line.detector.look_again(Instant(line.next))
    rose = line.draw(45.0, 39)
    assert line.detector.breath_at == rose
    assert (line.detector.rhythm.begun == [rose]) is is_hole
