"""What a person may do to signals beyond the two quick keys: the lists the screen asks with.

What is allowed comes from the server with the picture; nothing is decided here.
"""

from typing import Final

from dashboards.views.line import plain
from dashboards.views.sight import Sight, target
from dashboards.views.words import MARKS_OF_INACTIVATION
from monitor.model.alarm import AlarmSnapshot, Inactivation
from monitor.model.session import Deed
from monitor.model.snapshot import Offer

_IN_WORDS: Final = {
    Deed.TURN_AUDIO_OFF: (Inactivation.AUDIO_OFF, "no sound, until somebody resumes it"),
    Deed.PAUSE_ALARM: (Inactivation.ALARM_PAUSED, "no sound, no band, for a time"),
    Deed.TURN_ALARM_OFF: (Inactivation.ALARM_OFF, "no sound, no band, until somebody resumes it"),
}


def choices(sight: Sight) -> tuple[Offer, ...]:
    """Return the conditions something can be done to: the marked one, present ones, the others."""
    if sight.chair is None:
        return ()
    present = {alarm.alarm: alarm for alarm in sight.chair.alarms}
    known = present | {alarm.alarm: alarm for alarm in sight.chair.inactivated}
    offers = {offer.alarm: offer for offer in sight.chair.offers}
    for name, alarm in known.items():
        if alarm.inactivation is not Inactivation.NONE:
            offered = offers[name].deeds if name in offers else ()
            offers[name] = Offer(alarm=name, title=alarm.title, deeds=(Deed.RESUME, *offered))
    aim = target(sight)

    def order(offer: Offer) -> tuple[bool, bool, bool, str]:
        is_aim = aim is not None and aim.alarm == offer.alarm
        return (not is_aim, offer.alarm not in present, offer.alarm not in known, offer.title)

    return tuple(sorted(offers.values(), key=order))


def conditions_to_choose(sight: Sight) -> list[tuple[str, str]]:
    """Return each condition with its words: its title, whether it is present, what was done."""
    return [(offer.alarm, _condition(offer, sight)) for offer in choices(sight)]


def _condition(offer: Offer, sight: Sight) -> str:
    alarms = sight.chair.alarms if sight.chair else ()
    absent = sight.chair.inactivated if sight.chair else ()
    standing = "present" if any(each.alarm == offer.alarm for each in alarms) else "not present"
    found = [each for each in (*alarms, *absent) if each.alarm == offer.alarm]
    done = f", {_done(found[0])}" if found and _done(found[0]) else ""
    return f"{plain(offer.title)}: {standing}{done}"


def _done(alarm: AlarmSnapshot) -> str:
    return "" if alarm.inactivation is Inactivation.NONE else alarm.inactivation.words


def deeds_to_choose(offer: Offer) -> list[tuple[str, str]]:
    """Return each deed with its words."""
    return [(deed.value, deed_words(deed)) for deed in offer.deeds]


def deed_words(deed: Deed) -> str:
    """Return a deed as a person chooses it, with the symbol of the state it leads to."""
    if deed is Deed.RESUME:
        return "resume: all signals again"
    state, meaning = _IN_WORDS[deed]
    return f"{MARKS_OF_INACTIVATION[state]} {state.words}: {meaning}"
