"""What must hold in every session, whatever befalls it. Each law is a function named as a sentence.

A law returns "" while it holds, else how it was broken. Laws about a moment are held against each
thing heard, told, announced or done; laws about a picture at every virtual second; the others after
each restart. What must hold of the record as a whole stands in `simulators.laws_of_record`.
"""

from typing import Final

from monitor.model.alarm import (
    AlarmChange,
    AlarmSnapshot,
    Change,
    Inactivation,
    Priority,
    SignalPresence,
)
from monitor.model.event import DeviceEvent, Observation
from monitor.model.instant import in_seconds, later, seconds
from monitor.model.link import LinkState
from monitor.model.metric import Metric
from monitor.model.session import Deed, Phase
from monitor.model.snapshot import MetricSnapshot
from simulators.scene import Scene, Signal, Told

LATE_MAX: Final = seconds(0.05)
ANNOUNCED_WITHIN_S: Final = 0.3
STALE_AFTER_S: Final = 10.5
DISK_TOLD_WITHIN_S: Final = 61.0
TASKS_A_LINK_MAX: Final = 3
TASKS_MAX: Final = 12
PENDING_MAX: Final = 20_000

# Past the hysteresis: from here on a value ends the condition. In the words of this module.
_INSIDE_LOW: Final = {
    "spo2_low": 91.0,
    "pulse_rate_low": 53.0,
    "heart_rate_low": 53.0,
    "resp_rate_low": 9.0,
    "etco2_low": 27.0,
    "nibp_sys_low": 95.0,
    "nibp_mean_low": 65.0,
    "temp_low": 35.3,
}
_INSIDE_HIGH: Final = {
    "pulse_rate_high": 117.0,
    "heart_rate_high": 117.0,
    "resp_rate_high": 29.0,
    "etco2_high": 48.0,
    "fico2_high": 6.0,
    "nibp_sys_high": 155.0,
    "nibp_dia_high": 95.0,
    "nibp_mean_high": 115.0,
    "temp_high": 38.2,
}
_FRESH_S: Final = 0.6
_BREATH_FRESH_S: Final = 6.0
_EITHER_FRESH_S: Final = 10.0
_DEED_OF: Final = {
    Inactivation.ACKNOWLEDGED: Deed.ACKNOWLEDGE,
    Inactivation.AUDIO_PAUSED: Deed.PAUSE_AUDIO,
    Inactivation.AUDIO_OFF: Deed.TURN_AUDIO_OFF,
    Inactivation.ALARM_PAUSED: Deed.PAUSE_ALARM,
    Inactivation.ALARM_OFF: Deed.TURN_ALARM_OFF,
}
_OF_CONDITION: Final = {
    Inactivation.AUDIO_OFF,
    Inactivation.ALARM_PAUSED,
    Inactivation.ALARM_OFF,
}
_DRUG_ACTS: Final = {Phase.INFUSING, Phase.PAUSED, Phase.OBSERVATION}
_BREATHING_AND_PRESSURE: Final = {
    Metric.SPO2,
    Metric.ETCO2,
    Metric.FICO2,
    Metric.RESP_RATE,
    Metric.NIBP_SYS,
    Metric.NIBP_DIA,
    Metric.NIBP_MEAN,
}
_PAUSED_AT_MOST: Final = seconds(120)
_REMINDED_EVERY: Final = seconds(180)


# -- about what was heard --------------------------------------------------------------------------


def nothing_heard_was_never_said(scene: Scene, link: str, event: DeviceEvent) -> str:
    """Hold a value against what that device was told lately."""
    if link not in scene.believed:
        return ""
    return scene.testimony.doubt(link, event, scene.now_s())


def nothing_is_stamped_with_another_moment(scene: Scene, link: str, event: DeviceEvent) -> str:
    """Hold the instant of an event against the moment it was heard."""
    now = scene.now()
    if event.at != now:
        return f"{link}: heard at {in_seconds(now)} s, stamped {in_seconds(event.at)} s"
    if isinstance(event, Observation) and event.taken is not None and event.taken > now:
        return f"{link}: {event.metric} taken at {in_seconds(event.taken)} s, in the future"
    return ""


# -- about what was told ---------------------------------------------------------------------------


def a_change_is_told_when_it_is_due(scene: Scene, change: AlarmChange) -> str:
    """Hold the instant of a change against the moment it was told."""
    late = scene.now() - change.at
    if 0 <= late <= LATE_MAX:
        return ""
    return f"{change.alarm} {change.change} due {in_seconds(change.at)} s, told {late / 1e9} s late"


def no_signal_ends_without_its_cause_ending(scene: Scene, change: AlarmChange) -> str:
    """Hold the end of a condition against fresh valid data, the end of a signal against a deed."""
    deed = _deed_behind(change)
    if deed is not None:
        is_done = scene.is_at_work(deed, change.alarm)
        return "" if is_done else f"nobody did it: {change.alarm} {change.change}"
    if change.change not in {Change.ENDED, Change.LATCHED}:
        return ""
    return _doubt_end(scene, change)


def _deed_behind(change: AlarmChange) -> Deed | None:
    """Return which deed alone can be behind a change; None where there is more than one way."""
    if change.change in {Change.ACKNOWLEDGED, Change.PAUSED}:
        return _DEED_OF[change.inactivation]
    return Deed.RESET if change.change is Change.RESET else None


def a_new_occurrence_signals_unless_the_condition_was_inactivated(
    scene: Scene, change: AlarmChange
) -> str:
    """Hold what is in force after something got worse against what was in force before."""
    if change.change not in {Change.PRESENT, Change.ESCALATED}:
        return ""
    before = scene.signals.get(change.alarm, Signal()).inactivation
    after = change.inactivation
    if after is Inactivation.NONE:
        return ""
    if change.change is Change.PRESENT and after is before and after in _OF_CONDITION:
        return ""
    return f"{change.alarm} {change.change}, and it is {after.words}; before {before.words}"


def _doubt_end(scene: Scene, change: AlarmChange) -> str:
    alarm, now_s = change.alarm, scene.now_s()
    if alarm == "apnoea":
        rate_s, rate = scene.valid_s.get(Metric.RESP_RATE, (-1e9, 0.0))
        is_seen = now_s - scene.breath_s <= _BREATH_FRESH_S
        is_claimed = rate > 0 and now_s - rate_s <= _BREATH_FRESH_S
        return "" if is_seen or is_claimed else "apnoea ended, and no breath was heard"
    if change.metric is None:
        return ""
    value_s, value = scene.valid_s.get(change.metric, (-1e9, 0.0))
    if alarm.startswith("no_data_"):  # a questionable value is one that is there
        newest = (seen for (_, metric), seen in scene.newest.items() if metric is change.metric)
        value_s = max((at_s for at_s, heard in newest if heard.value is not None), default=value_s)
    # Two devices agree again when either speaks, while the other has not fallen silent.
    fresh_s = _EITHER_FRESH_S if alarm.startswith("sources_differ_") else _FRESH_S
    if now_s - value_s > fresh_s:
        return f"{alarm} {change.change}, the last valid value is {now_s - value_s:.1f} s old"
    if value < _INSIDE_LOW.get(alarm, value) or value > _INSIDE_HIGH.get(alarm, value):
        return f"{alarm} {change.change} at {value:g}"
    return ""


def what_is_signalled_was_written_first(scene: Scene, told: Told) -> str:
    """Hold an announcement against what is durable; a disk that fails delays no signal."""
    assert scene.chair is not None
    record = scene.chair.record
    if told.seq <= record.written_seq or not scene.chair.disk_is_well:
        return ""
    change = told.change
    return f"{change.alarm} {change.change}: entry {told.seq}, written {record.written_seq}"


def what_is_announced_was_told_in_that_order(scene: Scene, change: AlarmChange) -> str:
    """Hold an announcement against the oldest change that waits for one."""
    oldest = scene.unannounced[0].change if scene.unannounced else None
    return "" if oldest == change else f"announced {change}, the oldest that waits is {oldest}"


# -- about what was done ---------------------------------------------------------------------------


def acting_on_one_alarm_leaves_the_others_alone(
    scene: Scene, before: tuple[AlarmSnapshot, ...], after: tuple[AlarmSnapshot, ...], alarm: str
) -> str:
    """Hold the other alarms before a deed against those after it."""
    others = [
        {each.alarm: each for each in side if each.alarm != alarm} for side in (before, after)
    ]
    if scene.acting is not None and scene.acting.deed is Deed.ENTER_PHASE:
        return _doubt_phase(*others)
    if others[0] == others[1]:
        return ""
    changed = [name for name in others[0] if others[0][name] != others[1].get(name)]
    return f"a deed about {alarm or 'none'} changed {changed or sorted(others[1])}"


def _doubt_phase(before: dict[str, AlarmSnapshot], after: dict[str, AlarmSnapshot]) -> str:
    """A phase is about no alarm: it may let inactivated conditions signal again, and only that."""
    for name, was in before.items():
        now = after.get(name)
        is_ended = now is None or now.inactivation is Inactivation.NONE
        if now != was and not (is_ended and was.inactivation in _OF_CONDITION):
            return f"a phase changed {name}"
    appeared = sorted(set(after) - set(before))
    return f"a phase brought {appeared}" if appeared else ""


# -- about a picture -------------------------------------------------------------------------------


def time_only_goes_forward(scene: Scene) -> str:
    """Hold a picture's instant against the one before and against the loop."""
    assert scene.picture is not None
    now = scene.picture.now
    if scene.before is not None and now <= scene.before.now:
        return f"{now} after {scene.before.now}"
    return ""


def what_is_on_the_screen_was_heard(scene: Scene) -> str:
    """Hold each tile against the newest words, and the newest value, of the device it names.

    A device that has not spoken since the station came up leaves a value of before in its place.
    """
    assert scene.picture is not None
    for tile in scene.picture.metrics:
        newest = scene.newest.get((tile.source, tile.metric))
        if newest is not None and tile.validity is not newest[1].validity:
            return f"{tile.metric} of {tile.source}: {tile.validity}, heard {newest[1].validity}"
        valued = scene.valued.get((tile.source, tile.metric))
        if valued is not None and (tile.value, tile.at) != (valued.value, valued.at):
            return (
                f"{tile.metric} of {tile.source}: shown {tile.value} of {tile.at}, heard {valued}"
            )
    return ""


def an_old_value_is_never_shown_as_current(scene: Scene) -> str:
    """Hold the age of each tile against what it says of its age."""
    assert scene.picture is not None
    for tile in scene.picture.metrics:
        if _is_too_old(tile, scene) and not tile.is_stale:
            return f"{tile.metric} {tile.value}"
    return ""


def _is_too_old(tile: MetricSnapshot, scene: Scene) -> bool:
    newest = scene.newest.get((tile.source, tile.metric))
    if newest is None or tile.metric.startswith("nibp") or tile.metric is Metric.TEMP:
        return False
    return scene.now_s() - newest[0] > STALE_AFTER_S


def the_alarms_shown_are_what_was_told(scene: Scene) -> str:
    """Hold the alarms on the screen against the sum of all changes told."""
    assert scene.picture is not None
    every = (*scene.picture.alarms, *scene.picture.inactivated)
    shown = {each.alarm: _signal_of(each) for each in every}
    if shown == scene.signals:
        return ""
    for alarm in sorted(set(shown) | set(scene.signals)):
        if shown.get(alarm) != scene.signals.get(alarm):
            return f"{alarm}: shown {shown.get(alarm)}, told {scene.signals.get(alarm)}"
    return ""


def _signal_of(alarm: AlarmSnapshot) -> Signal:
    return Signal(
        is_standing=alarm.signal is SignalPresence.ON,
        is_latched=alarm.signal is SignalPresence.LATCHED,
        is_held=alarm.held_since is not None,
        inactivation=alarm.inactivation,
    )


def nothing_is_inactivated_that_must_signal(scene: Scene) -> str:
    """Hold what is inactivated against what the organisation allows, in words of our own."""
    assert scene.picture is not None
    phase = scene.picture.sitting.phase
    for alarm in (*scene.picture.alarms, *scene.picture.inactivated):
        if alarm.inactivation not in _OF_CONDITION:
            continue
        if alarm.priority is Priority.HIGH:
            return f"{alarm.alarm} is high and {alarm.inactivation.words}"
        if phase in _DRUG_ACTS and alarm.metric in _BREATHING_AND_PRESSURE:
            return f"{alarm.alarm} is {alarm.inactivation.words} while {phase}"
    return ""


def a_pause_ends_and_what_is_off_reminds(scene: Scene) -> str:
    """Hold the age of what was done to a signal against its end, or its last reminder."""
    assert scene.picture is not None
    now = scene.picture.now
    for alarm in (*scene.picture.alarms, *scene.picture.inactivated):
        done_at, words = alarm.inactivated_at, alarm.inactivation.words
        if done_at is None:
            continue
        if words.endswith("paused") and now - done_at > _PAUSED_AT_MOST + LATE_MAX:
            return f"{alarm.alarm} is {words} since {in_seconds(done_at)} s"
        last = done_at if alarm.reminded_at is None else alarm.reminded_at
        if words.endswith("off") and not 0 <= now - last <= _REMINDED_EVERY + LATE_MAX:
            return f"{alarm.alarm} is {words}, last reminder at {in_seconds(last)} s"
    return ""


def low_for_long_enough_is_signalled_in_time(scene: Scene) -> str:
    """Hold the alarms on the screen against the demands of the oracle."""
    assert scene.picture is not None
    standing = {
        each.alarm: each for each in scene.picture.alarms if each.signal is SignalPresence.ON
    }
    for demand in scene.oracle.demands(scene.now_s()):
        alarm = standing.get(demand.alarm)
        if alarm is None:
            return f"{demand.alarm} is not present: {demand.why}"
        if demand.is_high and alarm.priority is not Priority.HIGH:
            return f"{demand.alarm} is only {alarm.priority}: {demand.why}"
    return ""


def a_lost_link_stays_told_until_it_is_up(scene: Scene) -> str:
    """Hold the end of a link's condition against the link, which may be lost again at once."""
    assert scene.picture is not None
    links = {each.link: each for each in scene.picture.links}
    ends, scene.link_ends = scene.link_ends, []
    for change in ends:
        link = links[change.alarm.removeprefix("link_")]
        if link.state is LinkState.UP or scene.link_up_at.get(link.link) == change.at:
            continue
        if link.since <= later(change.at, LATE_MAX):
            return f"{change.alarm} ended while the link is {link.state}"
    return ""


def what_was_told_is_announced_soon(scene: Scene) -> str:
    """Hold what waits to be announced against its age."""
    if not scene.unannounced:
        return ""
    oldest = scene.unannounced[0]
    if scene.now_s() - oldest.at_s <= ANNOUNCED_WITHIN_S:
        return ""
    return f"{oldest.change.alarm} {oldest.change.change}, told at {oldest.at_s:.3f} s"


def a_disk_that_fails_is_told(scene: Scene) -> str:
    """Hold a disk that has failed for longer than a group of entries against the alarms."""
    if scene.disk_failed_s is None or scene.now_s() - scene.disk_failed_s < DISK_TOLD_WITHIN_S:
        return ""
    signal = scene.signals.get("disk")
    return "" if signal is not None and signal.is_standing else "no such alarm is present"


def everything_that_grows_stays_bounded(scene: Scene) -> str:
    """Hold what waits and what runs against its limits."""
    assert scene.chair is not None
    assert scene.picture is not None
    tasks_max = TASKS_MAX + TASKS_A_LINK_MAX * len(scene.picture.links)
    sizes = {
        "entries pending": (scene.chair.record.pending_count, PENDING_MAX),
        "events listed": (len(scene.picture.events), 50),
        "gaps listed": (len(scene.picture.gaps), 100),
        "tasks": (scene.tasks_count(), tasks_max),
    }
    for what, (size, size_max) in sizes.items():
        if size > size_max:
            return f"{size} {what}, at most {size_max} are meant to be"
    return ""


EACH_SECOND: Final = (
    time_only_goes_forward,
    what_is_on_the_screen_was_heard,
    an_old_value_is_never_shown_as_current,
    the_alarms_shown_are_what_was_told,
    nothing_is_inactivated_that_must_signal,
    a_pause_ends_and_what_is_off_reminds,
    low_for_long_enough_is_signalled_in_time,
    a_lost_link_stays_told_until_it_is_up,
    what_was_told_is_announced_soon,
    a_disk_that_fails_is_told,
    everything_that_grows_stays_bounded,
)
