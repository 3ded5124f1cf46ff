"""The app under keys, answers and sizes, on a link that plays what was recorded."""

import msgspec
import pytest
from textual.screen import Screen
from textual.widgets import Input

from dashboards.actions import ACTIONS
from dashboards.picture import picture
from dashboards.rehearsal import RecordedFeed, apnoea, messages, quiet
from dashboards.screens.chair import ChairScreen
from dashboards.screens.modals import EventForm, Help, Question
from dashboards.widgets.palette import STYLES, style
from monitor.attach.messages import Answer, Command, SnapshotMessage
from monitor.model.alarm import Inactivation, SignalPresence
from monitor.model.instant import instant_at
from monitor.model.session import Deed, Phase
from monitor.model.snapshot import Offer
from tests.dashboards.staging import HOSTILE, Stage, moved


async def test_the_marked_condition_is_acknowledged_by_one_key() -> None:
    stage = Stage()
    async with stage.play() as pilot:
        await stage.press(pilot, "a")
        assert stage.sent == [
            Command(number=1, chair="2", view=4712, deed=Deed.ACKNOWLEDGE, operator="nurse-1",
                    alarm="apnoea")
        ]  # fmt: skip
        assert "acknowledge Apnoea: accepted" in stage.text


async def test_a_refusal_is_shown_with_its_reason() -> None:
    def refuse(command: Command) -> Answer:
        return Answer(command.number, is_accepted=False, reason="the alarm has changed since")

    stage = Stage(feed=RecordedFeed(messages(apnoea()), refuse))
    async with stage.play() as pilot:
        await stage.press(pilot, "a")
        assert "acknowledge Apnoea: REFUSED: the alarm has changed since" in stage.text


async def test_a_command_without_an_answer_is_said_to_be_unknown() -> None:
    stage = Stage(feed=RecordedFeed(messages(apnoea()), lambda _: None))
    async with stage.play() as pilot:
        await stage.press(pilot, "a")
        assert "acknowledge Apnoea: sent, no answer yet" in stage.text
        stage.now_s += 3
        await stage.hear(pilot, SnapshotMessage(moved(apnoea(), 3)))
        assert "acknowledge Apnoea: no answer, not known to be done" in stage.text


@pytest.mark.parametrize("keys", [("down",), ("tab",), ("up", "up"), ("shift+tab", "up")])
async def test_keys_are_about_the_selected_condition(keys: tuple[str, ...]) -> None:
    stage = Stage()
    async with stage.play() as pilot:
        await stage.press(pilot, *(key for key in keys if key in {"down", "tab"}))
        assert ("▶  !! SpO2 low" in stage.text) == (keys in {("down",), ("tab",)})
        await stage.press(pilot, *(key for key in keys if key not in {"down", "tab"}), "a")
        alarm = "spo2_low" if keys in {("down",), ("tab",)} else "apnoea"
        assert [command.alarm for command in stage.sent] == [alarm]


async def test_a_selection_ends_with_its_condition() -> None:
    stage = Stage()
    async with stage.play() as pilot:
        await stage.press(pilot, "down")
        alone = moved(apnoea(), 1, alarms=apnoea().alarms[:1])
        await stage.hear(pilot, SnapshotMessage(alone))
        await stage.hear(pilot, SnapshotMessage(moved(apnoea(), 2)))
        assert "▶ !!! Apnoea" in stage.text


async def test_space_pauses_the_audio_and_lets_it_sound_again() -> None:
    stage = Stage()
    async with stage.play() as pilot:
        await stage.press(pilot, "space")
        paused = msgspec.structs.replace(
            apnoea().alarms[0],
            inactivation=Inactivation.AUDIO_PAUSED,
            inactivated_until=instant_at(2000),
        )
        picture_ = moved(apnoea(), 1, alarms=(paused, apnoea().alarms[1]))
        await stage.hear(pilot, SnapshotMessage(picture_))
        await stage.press(pilot, "space")
        assert [command.deed for command in stage.sent] == [Deed.PAUSE_AUDIO, Deed.RESUME]
        assert [command.view for command in stage.sent] == [4712, 4713]


async def test_a_condition_and_what_to_do_to_it_are_chosen_from_what_is_offered() -> None:
    offers = (
        Offer(alarm="temp_high", title="Temp high", deeds=(Deed.TURN_AUDIO_OFF, Deed.PAUSE_ALARM)),
        Offer(alarm="spo2_low", title="SpO2 low", deeds=(Deed.TURN_AUDIO_OFF,)),
    )
    stage = Stage(*messages(msgspec.structs.replace(apnoea(), offers=offers)))
    async with stage.play() as pilot:
        await stage.press(pilot, "o")
        assert "SpO2 low: present" in stage.text
        assert "Temp high: not present" in stage.text
        await stage.press(pilot, "down", "enter")
        assert "alarm paused: no sound, no band, for a time" in stage.text
        await stage.press(pilot, "down", "enter")
        assert [(each.deed, each.alarm) for each in stage.sent] == [(Deed.PAUSE_ALARM, "temp_high")]
        assert "pause alarm: Temp high: accepted" in stage.text
        await stage.press(pilot, "o", "escape")
        await stage.press(pilot, "o", "enter", "escape")
        assert len(stage.sent) == 1


async def test_space_resumes_what_is_off() -> None:
    off = msgspec.structs.replace(apnoea().alarms[1], inactivation=Inactivation.ALARM_OFF)
    stage = Stage(*messages(msgspec.structs.replace(apnoea(), alarms=(off,))))
    async with stage.play() as pilot:
        await stage.press(pilot, "space")
        assert [(each.deed, each.alarm) for each in stage.sent] == [(Deed.RESUME, "spo2_low")]


async def test_where_nothing_may_be_inactivated_that_is_said() -> None:
    stage = Stage()
    async with stage.play() as pilot:
        await stage.press(pilot, "o")
        assert "inactivate: the limit set allows nothing in this phase" in stage.text
        assert stage.sent == []


async def test_reset_finds_the_latched_signal_and_says_when_there_is_none() -> None:
    stage = Stage()
    async with stage.play() as pilot:
        await stage.press(pilot, "r")
        assert "reset: no signal is latched; ↓ selects what is held" in stage.text
        latched = msgspec.structs.replace(apnoea().alarms[1], signal=SignalPresence.LATCHED)
        picture_ = moved(apnoea(), 1, alarms=(apnoea().alarms[0], latched))
        await stage.hear(pilot, SnapshotMessage(picture_))
        await stage.press(pilot, "r")
        assert [(each.deed, each.alarm) for each in stage.sent] == [(Deed.RESET, "spo2_low")]


async def test_reset_is_about_the_selected_condition_and_never_about_another() -> None:
    held = msgspec.structs.replace(apnoea().alarms[0], held_since=instant_at(1))
    latched = msgspec.structs.replace(apnoea().alarms[1], signal=SignalPresence.LATCHED)
    stage = Stage(*messages(msgspec.structs.replace(apnoea(), alarms=(held, latched))))
    async with stage.play() as pilot:
        await stage.press(pilot, "down", "up", "r")
        assert [(each.deed, each.alarm) for each in stage.sent] == [(Deed.RESET, held.alarm)]


async def test_an_event_is_marked_with_its_note() -> None:
    stage = Stage()
    async with stage.play() as pilot:
        await stage.press(pilot, "e")
        assert isinstance(stage.app.screen, EventForm)
        await stage.press(pilot, "down", "enter", *"[red]a", "enter")
        assert [(each.deed, each.note) for each in stage.sent] == [
            (Deed.MARK_EVENT, "dissociation, distressing: [red]a")
        ]
        assert isinstance(stage.app.screen, ChairScreen)


async def test_an_event_without_a_note_is_enough() -> None:
    stage = Stage()
    async with stage.play() as pilot:
        await stage.press(pilot, "e", "enter", "enter")
        await stage.press(pilot, "e", "escape")
        assert [each.note for each in stage.sent] == ["nausea or vomiting"]


async def test_a_pasted_note_cannot_act_on_a_terminal() -> None:
    stage = Stage()
    async with stage.play() as pilot:
        await stage.press(pilot, "e", "enter")
        stage.app.screen.query_one(Input).value = HOSTILE
        await stage.press(pilot, "enter")
        assert "\x1b" not in stage.sent[0].note
        assert "\u202e" not in stage.sent[0].note


async def test_the_next_phase_is_asked_for_after_a_question() -> None:
    stage = Stage()
    async with stage.play() as pilot:
        await stage.press(pilot, "p")
        assert isinstance(stage.app.screen, Question)
        assert "go to observation" in stage.text
        await stage.press(pilot, "escape", "p", "down", "enter")
        assert [(each.deed, each.phase) for each in stage.sent] == [
            (Deed.ENTER_PHASE, Phase.PAUSED)
        ]


async def test_a_server_that_offers_no_phase_is_not_asked_for_one() -> None:
    sitting = msgspec.structs.replace(quiet().sitting, next_phases=())
    stage = Stage(*messages(msgspec.structs.replace(quiet(), sitting=sitting)))
    async with stage.play() as pilot:
        await stage.press(pilot, "p")
        assert "phase: serve offers no next phase here" in stage.text
        assert stage.sent == []


async def test_blood_pressure_is_asked_for_by_one_key() -> None:
    stage = Stage()
    async with stage.play() as pilot:
        await stage.press(pilot, "n")
        assert [each.deed for each in stage.sent] == [Deed.MEASURE_NIBP]


async def test_leaving_asks_first_and_says_that_serve_goes_on() -> None:
    stage = Stage()
    async with stage.play() as pilot:
        await stage.press(pilot, "q")
        assert "goes on alarming and recording" in stage.text
        await stage.press(pilot, "escape")
        assert isinstance(stage.app.screen, ChairScreen)
        await pilot.press("q", "enter")
        await pilot.pause()
        assert not stage.app.is_running
    assert stage.sent == []


async def test_help_shows_every_key_and_leaves_the_alarm_in_sight() -> None:
    stage = Stage()
    for size in ((80, 24), (110, 34)):
        stage = Stage()
        async with stage.play(size) as pilot:
            await stage.press(pilot, "question_mark")
            assert isinstance(stage.app.screen, Help)
            for action in ACTIONS:
                assert action.title in stage.text
            assert "!!! Apnoea" in stage.text
            assert "SIMULATED" in stage.text
            await stage.press(pilot, "question_mark")
            assert isinstance(stage.app.screen, ChairScreen)


async def test_a_new_alarm_shows_behind_an_open_question() -> None:
    stage = Stage(*messages(quiet()))
    async with stage.play() as pilot:
        await stage.press(pilot, "q")
        assert "Apnoea" not in stage.text
        await stage.hear(pilot, SnapshotMessage(moved(apnoea(), 1)))
        assert "!!! Apnoea" in stage.text
        assert isinstance(stage.app.screen, Question)


def test_every_action_of_the_table_can_be_done_and_no_key_does_two() -> None:
    keys = [key for action in ACTIONS for key in action.keys.split(",")]
    assert len(keys) == len(set(keys))
    for action in ACTIONS:
        assert callable(getattr(ChairScreen, f"action_{action.name}"))


async def test_the_timeline_is_zoomed_and_scrolled_by_key() -> None:
    stage = Stage()
    async with stage.play() as pilot:
        assert " whole " in stage.text
        await stage.press(pilot, "plus")
        assert " 15 min " in stage.text
        close = stage.text
        await stage.press(pilot, "left")
        assert stage.text != close
        await stage.press(pilot, "right")
        assert stage.text == close
        await stage.press(pilot, "minus")
        assert " whole " in stage.text
        await stage.press(pilot, "plus", "plus", "home")
        assert " whole " in stage.text


@pytest.mark.parametrize("size", [(1, 1), (20, 5), (80, 24), (81, 29), (200, 60)])
async def test_no_size_breaks_the_screen(size: tuple[int, int]) -> None:
    stage = Stage()
    async with stage.play(size) as pilot:
        await pilot.resize_terminal(*reversed(size))
        await pilot.resize_terminal(*size)
        await stage.press(pilot, "question_mark", "escape", "e", "escape", "q", "escape")
        assert isinstance(stage.app.screen, Screen)


async def test_hostile_words_are_drawn_as_words() -> None:
    hostile = moved(apnoea(), 1, pseudonym=HOSTILE, preset=HOSTILE)
    titled = tuple(msgspec.structs.replace(each, title=HOSTILE) for each in hostile.alarms)
    stage = Stage(*messages(msgspec.structs.replace(hostile, alarms=titled)))
    async with stage.play() as pilot:
        await stage.press(pilot, "a")
        assert "[red]owned[/]" in stage.text
        assert "\x1b" not in stage.text


@pytest.mark.hazard("H22")
async def test_without_colours_what_is_lit_still_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stage = Stage()
    async with stage.play() as pilot:
        lit = picture(stage.app)
        stage.now_s += 0.25
        stage.app.paint()
        await pilot.pause()
        unlit = picture(stage.app)
        assert "#c1121f" not in lit + unlit
        assert _fills(lit) != _fills(unlit)


def _fills(svg: str) -> set[str]:
    return {part.split('"')[0] for part in svg.split('fill="')[1:] if part.startswith("#")}


@pytest.mark.hazard("H22")
@pytest.mark.parametrize("name", sorted(STYLES.keys() - {"frame", "gap"}))
def test_every_text_can_be_read_against_its_ground(name: str) -> None:
    assert _contrast(name) >= (3.0 if name == "limit" else 4.5)


def _contrast(name: str) -> float:
    found = style(name)
    assert found.color is not None
    assert found.bgcolor is not None
    lights = sorted(
        sum(
            weight * _linear(part / 255)
            for weight, part in zip((0.2126, 0.7152, 0.0722), color.get_truecolor(), strict=True)
        )
        for color in (found.color, found.bgcolor)
    )
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _linear(part: float) -> float:
    return float(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)


async def test_a_picture_fetches_nothing() -> None:
    stage = Stage()
    async with stage.play():
        svg = picture(stage.app)
        assert svg.startswith("<svg")
        assert "@font-face" not in svg
        assert "url(http" not in svg
        assert "APNOEA" not in svg or "Apnoea" in svg
