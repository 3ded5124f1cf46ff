"""Every sentence a nurse reads, as a string."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.actions import ACTIONS, hint
from dashboards.rehearsal import apnoea, quiet
from dashboards.views.alarm_bar import alarm_bar
from dashboards.views.choices import choices, conditions_to_choose, deeds_to_choose
from dashboards.views.foot import due, foot, links, store
from dashboards.views.header import header
from dashboards.views.keys import keys
from dashboards.views.layout import lay_out
from dashboards.views.line import Span, fit, plain, shorten, spread, width_of, words_of
from dashboards.views.sight import OtherChair
from dashboards.views.tiles import pressure_view, tile_lines, tile_view, tiles
from dashboards.views.words import (
    ago,
    baseline,
    broken_limit,
    clock_time,
    inactivation,
    lasting_s,
    left,
    limits,
    number,
    watermark,
)
from monitor.model.alarm import (
    FAR_SIGNAL_OFF,
    INDEFINITE,
    AlarmSnapshot,
    Inactivation,
    Priority,
    SignalPresence,
)
from monitor.model.event import GenerationMode, Validity
from monitor.model.instant import Instant, instant_at, later, seconds
from monitor.model.link import LinkState
from monitor.model.metric import Metric
from monitor.model.session import Deed, Phase
from monitor.model.snapshot import LinkSnapshot, MetricSnapshot, Offer, StoreSnapshot
from tests.dashboards.staging import HOSTILE, seen, text_of


@pytest.mark.parametrize(
    ("s", "said"),
    [(0, "0 s"), (34, "34 s"), (119, "119 s"), (120, "2 min"), (3540, "59 min"),
     (7199, "119 min"), (7200, "2 h 00 min"), (7500, "2 h 05 min"), (345_600, "4 d 0 h")],
)  # fmt: skip
def test_a_duration_is_read_as_people_say_it(s: int, said: str) -> None:
    assert lasting_s(s) == said


def test_an_age_is_short_while_it_is_young() -> None:
    assert ago(instant_at(0), instant_at(1.9)) == "1 s"
    assert ago(instant_at(0), instant_at(190)) == "3 min ago"
    assert ago(instant_at(5), instant_at(0)) == "0 s", "a clock ahead of ours is no negative age"


def test_what_is_left_of_a_pause_counts_down_to_nothing() -> None:
    now = instant_at(100)
    assert left(later(now, seconds(118)), now) == "118 s"
    assert left(now, now) == "0 s"
    assert left(instant_at(50), now) == "0 s"


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(90, None, "≥ 90"), (None, 50, "≤ 50"), (50, 120, "50–120"), (None, None, "no limit")],
)
def test_limits_are_told_with_their_direction(
    low: float | None, high: float | None, said: str
) -> None:
    assert limits(Metric.SPO2, low, high) == said


def test_a_number_has_the_decimals_of_its_metric() -> None:
    assert number(Metric.SPO2, 97.0) == "97"
    assert number(Metric.TEMP, 36.84) == "36.8"
    assert number(Metric.ETCO2, -0.2) == "0"


def test_a_condition_tells_value_and_limit() -> None:
    alarms = apnoea().alarms
    assert broken_limit(alarms[1]) == "88 %  below 90"
    assert broken_limit(alarms[0]) == ""


def test_the_distance_to_the_baseline_is_signed() -> None:
    metric = quiet().metrics[0]
    assert baseline(metric) == "base -1"
    assert baseline(msgspec.structs.replace(metric, baseline=97)) == "at base"
    assert baseline(msgspec.structs.replace(metric, baseline=None)) == ""


def test_wall_time_comes_from_the_opening() -> None:
    assert clock_time(quiet(), Instant(0)) == "20:26:40"
    assert clock_time(quiet(), instant_at(1880)) == "20:58:00"


@pytest.mark.hazard("H21")
def test_data_that_are_not_real_are_marked_even_if_the_server_forgot() -> None:
    chair = msgspec.structs.replace(quiet(), watermark="")
    assert watermark(chair) == "SIMULATED"
    assert watermark(msgspec.structs.replace(chair, mode=GenerationMode.TEST)) == "TEST DATA"
    assert watermark(msgspec.structs.replace(chair, watermark="replay")) == "SIMULATED REPLAY"
    real = msgspec.structs.replace(chair, mode=GenerationMode.REAL)
    assert watermark(real) == ""
    assert watermark(msgspec.structs.replace(real, watermark="REPLAY")) == "REPLAY"


def test_the_header_tells_the_sitting() -> None:
    first, second = (words_of(line) for line in header(seen(quiet()), 160))
    for said in ("CHAIR 2", "K-0417", "ketamine IV 0.5 mg/kg", "INFUSING", "min 23 of 40",
                 "━━", "20.1 of 35.0 mg planned"):  # fmt: skip
        assert said in first
    for said in ("SIMULATED", "not a medical device", "limits iv-ketamine", "20:58:00"):
        assert said in second


def test_before_the_infusion_there_is_no_minute_of_it() -> None:
    sitting = msgspec.structs.replace(quiet().sitting, phase=Phase.BASELINE)
    chair = msgspec.structs.replace(quiet(), sitting=sitting)
    assert "min 23" not in text_of(header(seen(chair), 160))


def test_another_chair_in_need_is_told_in_the_header() -> None:
    others = (OtherChair("3", is_lost=True), OtherChair("4", Priority.HIGH, "Apnoea"))
    said = text_of(header(seen(quiet(), others=others), 80))
    assert "CHAIR 3 LOST" in said
    assert "CHAIR 4 !!! Apnoea" in said
    assert "SIMULATED" in said


def test_the_alarm_bar_tells_everything_about_each_condition() -> None:
    now = quiet().now
    first, second = apnoea().alarms
    first = msgspec.structs.replace(
        first,
        inactivation=Inactivation.ACKNOWLEDGED,
        inactivated_until=later(now, seconds(94)),
        inactivated_by="nurse-1",
    )
    second = msgspec.structs.replace(
        second, inactivation=Inactivation.AUDIO_PAUSED, inactivated_until=later(now, seconds(60)),
        signal=SignalPresence.LATCHED, subsumed_by="probe_off",
    )  # fmt: skip
    chair = msgspec.structs.replace(apnoea(), alarms=(first, second))
    said = text_of(alarm_bar(seen(chair), 160, lay_out(160, 24)))
    assert "!!! APNOEA  34 s" in said
    assert "held 34 s, unmeasured  ✓ acknowledged, 94 s left, by nurse-1" in said
    assert "!! SpO2 low  88 %  below 90  for 12 s" in said
    assert "latched, cause gone: r resets  ⊝♪ audio paused, 60 s left  explained by" in said


@pytest.mark.hazard("H6")
def test_an_acknowledgement_steadies_the_band_and_leaves_the_lines() -> None:
    first, second = apnoea().alarms
    acknowledged = done_to(first, Inactivation.ACKNOWLEDGED, inactivated_until=instant_at(1900))
    chair = msgspec.structs.replace(apnoea(), alarms=(acknowledged, second))
    layout = lay_out(110, 34)
    styles = {alarm_bar(seen(chair, clock_s=s / 8), 110, layout)[0][0].style for s in range(16)}
    assert styles == {"high-lit"}
    flashing = {
        alarm_bar(seen(apnoea(), clock_s=s / 8), 110, layout)[0][0].style for s in range(16)
    }
    assert flashing == {"high-lit", "high"}
    assert "SpO2 low" in text_of(alarm_bar(seen(chair), 110, layout))


def done_to(alarm: AlarmSnapshot, state: Inactivation, **facts: object) -> AlarmSnapshot:
    return msgspec.structs.replace(alarm, inactivation=state, inactivated_by="nurse-1", **facts)


@pytest.mark.hazard("H6")
@pytest.mark.hazard("H22")
@pytest.mark.parametrize(
    ("state", "said"),
    [
        (Inactivation.AUDIO_PAUSED, "⊝♪ audio paused, 60 s left, by nurse-1"),
        (Inactivation.AUDIO_OFF, "⊗♪ audio off for 12 min, by nurse-1"),
        (Inactivation.ALARM_PAUSED, "⊝△ alarm paused, 60 s left, by nurse-1"),
        (Inactivation.ALARM_OFF, "⊗△ alarm off for 12 min, by nurse-1"),
        (Inactivation.ACKNOWLEDGED, "✓ acknowledged, 60 s left, by nurse-1"),
    ],
)
def test_each_state_has_its_symbol_its_words_and_its_time(state: Inactivation, said: str) -> None:
    now = quiet().now
    until = None if state in INDEFINITE else later(now, seconds(60))
    at = later(now, seconds(-725))
    alarm = done_to(apnoea().alarms[1], state, inactivated_at=at, inactivated_until=until)
    assert inactivation(alarm, now) == said
    chair = msgspec.structs.replace(apnoea(), alarms=(alarm,))
    assert said in text_of(alarm_bar(seen(chair), 160, lay_out(160, 24)))
    if until is not None:
        assert inactivation(alarm, until) == ""


@pytest.mark.hazard("H6")
@pytest.mark.parametrize("state", sorted(FAR_SIGNAL_OFF))
def test_alarm_paused_and_off_give_the_band_to_the_next_and_keep_their_line(
    state: Inactivation,
) -> None:
    first, second = apnoea().alarms
    layout = lay_out(160, 24)
    chair = msgspec.structs.replace(apnoea(), alarms=(second, done_to(first, state)))
    said = text_of(alarm_bar(seen(chair), 160, layout))
    assert "!! SPO2 LOW" in said
    assert "APNOEA" not in said
    assert (
        f"!!! Apnoea  for 34 s  held 34 s, unmeasured  {inactivation(chair.alarms[1], chair.now)}"
        in said
    )
    alone = msgspec.structs.replace(apnoea(), alarms=(done_to(first, state),))
    said = text_of(alarm_bar(seen(alone), 160, layout))
    assert "no alarm signal: 1 present, inactivated" in said
    assert "no alarm condition present" not in said
    assert "▶ !!! Apnoea" in said


@pytest.mark.hazard("H6")
def test_an_absent_condition_that_is_off_has_its_line() -> None:
    off = done_to(
        apnoea().alarms[1], Inactivation.ALARM_OFF, signal=SignalPresence.OFF, value=None,
        limit=None, inactivated_at=later(quiet().now, seconds(-60)),
    )  # fmt: skip
    chair = msgspec.structs.replace(quiet(), inactivated=(off,))
    said = text_of(alarm_bar(seen(chair), 160, lay_out(160, 24)))
    assert "no alarm condition present, 1 inactivated" in said
    assert "SpO2 low  not present  ⊗△ alarm off for 60 s, by nurse-1" in said
    assert "1 of 1" in said


def test_what_can_be_chosen_is_what_the_server_offers_and_what_can_be_resumed() -> None:
    off = done_to(apnoea().alarms[1], Inactivation.ALARM_OFF)
    temp = Offer(
        alarm="temp_high", title="Temp high", deeds=(Deed.TURN_AUDIO_OFF, Deed.TURN_ALARM_OFF)
    )
    chair = msgspec.structs.replace(apnoea(), alarms=(off,), offers=(temp,))
    sight = seen(chair)
    assert conditions_to_choose(sight) == [
        ("spo2_low", "SpO2 low: present, alarm off"),
        ("temp_high", "Temp high: not present"),
    ]
    assert [each.deeds for each in choices(sight)] == [(Deed.RESUME,), temp.deeds]
    assert deeds_to_choose(temp) == [
        ("turn_audio_off", "⊗♪ audio off: no sound, until somebody resumes it"),
        ("turn_alarm_off", "⊗△ alarm off: no sound, no band, until somebody resumes it"),
    ]
    assert conditions_to_choose(seen(quiet())) == []


def test_a_quiet_bar_says_so() -> None:
    assert "no alarm condition present" in text_of(alarm_bar(seen(quiet()), 80, lay_out(80, 24)))


def test_a_screen_without_a_picture_says_what_it_waits_for() -> None:
    sight = msgspec.structs.replace(seen(quiet()), chair=None)
    assert "connecting" in text_of(alarm_bar(sight, 80, lay_out(80, 24)))
    assert "waiting for the first picture" in text_of(header(sight, 80))
    assert "not a medical device" in text_of(header(sight, 80))
    assert "no device" in text_of(tiles(sight, 80, lay_out(80, 24)))


def test_a_tile_tells_figure_limits_trend_and_age() -> None:
    view = tile_view(quiet().metrics[0], seen(quiet()))
    assert (view.title, view.figure, view.limits) == ("SpO2 %", "97", "≥ 90")
    assert (view.trend, view.age, view.extra) == ("→", "1 s", "base -1")


@pytest.mark.hazard("H3")
def test_ages_go_on_while_no_picture_comes_and_then_the_value_goes() -> None:
    chair = quiet()
    young = seen(chair, now=later(chair.now, seconds(2)), picture_age_s=2.0)
    assert tile_view(chair.metrics[0], young).age == "3 s"
    old = seen(chair, now=later(chair.now, seconds(9.5)))
    view = tile_view(chair.metrics[0], old)
    assert (view.figure, view.was, view.age, view.note) == ("– –", "was 97", "10 s", "stale")


def test_a_held_value_tells_since_when_and_why() -> None:
    view = tile_view(apnoea().metrics[3], seen(apnoea()))
    assert (view.held, view.note, view.age) == ("held 34 s", "no breath", "")
    drawn = text_of(tile_lines(view, 18, 6, is_big=False))
    assert "!!!" in drawn
    assert "held 34 s" in drawn
    assert "– –" in drawn
    assert "no breath" in drawn


def test_a_missing_value_without_a_note_tells_its_validity() -> None:
    for validity in (Validity.MEASURING, Validity.NOT_AVAILABLE, Validity.OVERFLOW):
        metric = MetricSnapshot(metric=Metric.SPO2, value=None, validity=validity)
        assert tile_view(metric, seen(quiet())).note == validity.value.replace("_", " ")


def test_a_doubtful_value_says_so() -> None:
    metric = msgspec.structs.replace(quiet().metrics[0], validity=Validity.QUESTIONABLE)
    assert tile_view(metric, seen(quiet())).note == "questionable"


def test_the_cuff_tells_both_pressures_their_age_and_the_mean() -> None:
    view = pressure_view(seen(quiet()))
    assert view is not None
    assert (view.figure, view.age) == ("148/91", "3 min ago")
    assert view.limits == "sys 90–160  dia 50–100"
    assert view.extra == "mean 111  base +17"


def test_one_stale_pressure_makes_the_pair_stale() -> None:
    chair = quiet()
    metrics = (*chair.metrics[:5], msgspec.structs.replace(chair.metrics[5], is_stale=True))
    view = pressure_view(seen(msgspec.structs.replace(chair, metrics=metrics)))
    assert view is not None
    assert (view.figure, view.was, view.note) == ("– –", "was 148/91", "stale")


def test_a_metric_without_a_tile_is_shown_all_the_same() -> None:
    warm = MetricSnapshot(metric=Metric.TEMP, value=36.8, validity=Validity.VALID, at=quiet().now)
    chair = msgspec.structs.replace(quiet(), metrics=(*quiet().metrics, warm))
    said = text_of(tiles(seen(chair), 110, lay_out(110, 34, has_extras=True)))
    assert "Temp °C 36.8 no limit  0 s" in said


def test_the_heart_rate_stands_in_for_a_missing_pulse() -> None:
    heart = MetricSnapshot(
        metric=Metric.HEART_RATE, value=71, validity=Validity.VALID, at=quiet().now
    )
    chair = msgspec.structs.replace(quiet(), metrics=(heart,))
    assert "HR /min" in text_of(tiles(seen(chair), 110, lay_out(110, 34)))


def test_what_is_due_is_told_with_its_time() -> None:
    assert words_of(due(quiet(), quiet().now)) == "DUE  BP in 6 min  MOAA/S now   "
    late = later(quiet().now, seconds(130))
    assert "MOAA/S overdue 2 min" in words_of(due(quiet(), late))


def test_a_link_that_is_not_up_is_told_in_words() -> None:
    link = LinkSnapshot(link="suntech", driver="suntech", state=LinkState.LOST,
                        since=instant_at(1868), reason="unplugged", rejected=3,
                        notices=("low_battery",))  # fmt: skip
    chair = msgspec.structs.replace(quiet(), links=(link,))
    said = words_of(links(chair, chair.now))
    assert said == " LINKS  suntech ✕ lost 12 s, unplugged, low battery, 3 rejected"


def test_a_record_that_is_not_written_is_told_in_words() -> None:
    said = words_of(store(StoreSnapshot(record_is_well=False, reason="disk full")))
    assert "record ✕ NOT WRITTEN" in said
    assert "disk full" in said


def test_the_newest_event_comes_first() -> None:
    said = text_of(foot(seen(apnoea()), 110, 5, hint(108))).splitlines()
    assert "Apnoea present" in said[2]
    assert "oxygen given" in said[3]


def test_a_foot_of_one_line_is_the_answer() -> None:
    sight = seen(quiet(), status="acknowledge Apnoea: accepted")
    assert "accepted" in text_of(foot(sight, 80, 1, hint(78)))


def test_help_names_every_key() -> None:
    said = [words_of(line) for line in keys(78)]
    assert len(said) == len(ACTIONS)
    for action, line in zip(ACTIONS, said, strict=True):
        assert action.shown in line
        assert action.title in line, "the whole sentence fits the smallest screen"


def test_hints_fit_and_keep_the_way_out() -> None:
    for width in range(20, 200):
        assert len(hint(width)) <= max(width, 14)
        assert hint(width).endswith("? keys  q quit")


@given(st.text(max_size=60), st.integers(0, 80))
def test_a_line_is_fitted_to_the_cell(text: str, width: int) -> None:
    line = (Span(plain(text)),)
    assert width_of(fit(line, width)) == width
    assert width_of((Span(shorten(plain(text), width)),)) <= width
    assert width_of(spread(line, line, width)) == width


def test_a_hostile_note_is_only_text() -> None:
    said = plain(HOSTILE)
    assert "[red]owned[/]" in said
    assert "\x1b" not in said
    assert "\u202e" not in said
