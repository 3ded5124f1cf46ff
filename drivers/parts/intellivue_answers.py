"""What a simulated IntelliVue monitor says: objects with their values, waves and alarm lists."""

from collections.abc import Mapping, Sequence
from struct import pack
from typing import Final

from drivers.bedside import Said
from drivers.parts.intellivue_alarms import (
    CAPNOGRAPH,
    CODES,
    OXIMETER,
    PATIENT_LIST,
    TECHNICAL_LIST,
)
from drivers.parts.intellivue_alarms import DEMO as ALARM_DEMO
from drivers.parts.intellivue_messages import (
    ACTION,
    ALARMS,
    EXTENDED_POLL,
    LINKED,
    NUMERICS,
    RESULT,
    SINGLE_POLL,
    TICKS_PER_S,
    clock_digits,
    command,
    data_message,
)
from drivers.parts.intellivue_values import (
    BEATS,
    BREATHS,
    CALIBRATING,
    CELSIUS,
    COMPOUND,
    DEMO,
    INVALID,
    LABEL,
    MEASURING,
    MMHG,
    NO_UNIT,
    PERCENT,
    SINGLE,
    TAKEN_CLOCK,
    TEST,
    float_word,
)
from drivers.parts.intellivue_values import QUESTIONABLE as QUESTIONABLE_STATE
from drivers.parts.intellivue_waves import (
    BLOCK,
    CO2_CODE,
    PERIOD,
    PLETH_CODE,
    SAMPLE_FORM,
    SCALE,
    UNIT,
)
from monitor.model.event import GenerationMode, NoticeKind, Observation, Validity
from monitor.model.instant import Instant, in_seconds
from monitor.model.metric import NIBP, Metric

CLOCK_AT_OPENING: Final = 1_700_000_000
PLETH_RATE_HZ, CO2_RATE_HZ = 125, 62.5
PLETH_BLOCK, CO2_BLOCK = 32, 16  # samples in 256 ms
_CO2_HIGH_MMHG, _CO2_HIGH_RAW = 150, 30_000
_OBJECTS_TO_A_PART: Final = 4

# Identifier, unit, decimals, handle.
_NUMERICS: Final[Mapping[Metric, tuple[int, int, int, int]]] = {
    Metric.SPO2: (0x4BB8, PERCENT, 1, 0x83D5),
    Metric.PULSE_RATE: (0x4822, BEATS, 0, 0x83DC),
    Metric.PERFUSION_INDEX: (0x4BB0, NO_UNIT, 2, 0x83DE),
    Metric.ETCO2: (0x50B0, MMHG, 0, 0x8421),
    Metric.FICO2: (0x50BA, MMHG, 0, 0x8423),
    Metric.RESP_RATE: (0x5012, BREATHS, 0, 0x8422),
    Metric.HEART_RATE: (0x4182, BEATS, 0, 0x8001),
    Metric.TEMP: (0x4B48, CELSIUS, 2, 0x8500),
    Metric.NIBP_PULSE: (0xF0E5, BEATS, 0, 0x826B),
    Metric.NIBP_SYS: (0x4A05, MMHG, 0, 0x826A),
    Metric.NIBP_DIA: (0x4A06, MMHG, 0, 0x826A),
    Metric.NIBP_MEAN: (0x4A07, MMHG, 0, 0x826A),
}
_CO2: Final = frozenset({Metric.ETCO2, Metric.FICO2, Metric.RESP_RATE})
_CUFF: Final = frozenset({*NIBP, Metric.NIBP_PULSE})
_SOURCES: Final = {Metric.RESP_RATE: 0x5012, Metric.SPO2: 0x4BB8, Metric.ETCO2: 0x50B0}
_SOURCES_BY_WORD: Final = {
    "pulse_rate": 0x4822,
    "heart_rate": 0x4182,
    **{metric.value: code for metric, code in _SOURCES.items()},
}
_MODES: Final = {GenerationMode.DEMO: DEMO, GenerationMode.TEST: TEST}
_TYPES: Final = {"low": 1, "medium": 2, "high": 4}

Attributes = Sequence[tuple[int, bytes]]


def clock_s(now: Instant) -> int:
    """Return the monitor's clock at an instant."""
    return CLOCK_AT_OPENING + int(in_seconds(now))


def listed(count: int, content: bytes) -> bytes:
    """Return a list: how many, how long, content."""
    return pack(">HH", count, len(content)) + content


def _object(handle: int, attributes: Attributes) -> bytes:
    content = b"".join(pack(">HH", name, len(value)) + value for name, value in attributes)
    return pack(">H", handle) + listed(len(attributes), content)


def _value(metric: Metric, told: Observation, said: Said) -> bytes:
    code, unit, decimals, _ = _NUMERICS[metric]
    state = INVALID if told.value is None else 0
    state |= QUESTIONABLE_STATE if told.validity is Validity.QUESTIONABLE else 0
    state |= _MODES.get(told.mode, 0)
    if metric in _CO2 and NoticeKind.AUTO_ZERO in said.notices:
        state |= CALIBRATING
    if metric in _CUFF and NoticeKind.CUFF_INFLATING in said.notices:
        state |= MEASURING
    return pack(">HHHI", code, state, unit, float_word(told.value, decimals))


def numerics(said: Said, *, with_labels: bool = False) -> list[bytes]:
    """Return the numeric objects; the cuff's carry the time at which they were taken."""
    objects = []
    for metric, (code, _, _, handle) in _NUMERICS.items():
        told = said.observations.get(metric)
        if told is None or metric in NIBP:
            continue
        attributes = [(SINGLE, _value(metric, told, said))]
        if metric is Metric.NIBP_PULSE:
            attributes.append((TAKEN_CLOCK, clock_digits(clock_s(told.taken or told.at))))
        if with_labels:
            attributes.append((LABEL, pack(">I", 0x20000 | code)))
        objects.append(_object(handle, attributes))
    pressures = [(each, said.observations[each]) for each in NIBP if each in said.observations]
    if pressures:
        values = b"".join(_value(metric, told, said) for metric, told in pressures)
        told = pressures[0][1]
        taken = clock_digits(clock_s(told.taken or told.at))
        attributes = [(COMPOUND, listed(len(pressures), values)), (TAKEN_CLOCK, taken)]
        objects.append(_object(_NUMERICS[NIBP[0]][3], attributes))
    return objects


def wave(
    metric: Metric, samples: Sequence[float | None], *, with_form: bool, is_demo: bool = False
) -> bytes:
    """Return a wave object; `with_form`: also what its samples mean."""
    state = DEMO if is_demo else 0
    if all(each is None for each in samples):
        state |= INVALID
    is_pleth = metric is Metric.PLETH
    step = 1.0 if is_pleth else _CO2_HIGH_MMHG / _CO2_HIGH_RAW
    raw = [max(0, min(0xFFFF, round((each or 0.0) / step))) for each in samples]
    code, handle = (PLETH_CODE, 0x9001) if is_pleth else (CO2_CODE, 0x9002)
    rate_hz = PLETH_RATE_HZ if is_pleth else CO2_RATE_HZ
    block = pack(f">HHH{len(raw)}H", code, state, 2 * len(raw), *raw)
    attributes = [(BLOCK, block)]
    if with_form:
        high = 0xFFFF if is_pleth else _CO2_HIGH_RAW
        top = float_word(0xFFFF if is_pleth else _CO2_HIGH_MMHG, 0)
        attributes += [
            (SAMPLE_FORM, pack(">HBBH", len(raw), 16, 16, 0)),
            (SCALE, pack(">IIHH", 0, top, 0, high)),
            (PERIOD, pack(">I", round(TICKS_PER_S / rate_hz))),
            (UNIT, pack(">H", NO_UNIT if is_pleth else MMHG)),
            (LABEL, pack(">I", 0x20000 | code)),
        ]
    return _object(handle, attributes)


def _entry(source: int, code: int, kind: int, state: int, text: str) -> bytes:
    words = text.encode("utf-16-be") + b"\x00\x00"
    more = pack(">HIHHH", 1, 0, 0, 0x4000, len(words)) + words
    return pack(">HHHHHHHHH", source, code, kind, state, ALARMS, 0, 0, 0x0204, len(more)) + more


def alarms(said: Said) -> list[bytes]:
    """Return the alarm monitor with both its lists; what has no code is left out."""
    codes = {word: code for code, word in CODES.items()}
    patient, technical = [], []
    for name, alarm in said.alarms.items():
        state = ALARM_DEMO if alarm.mode is GenerationMode.DEMO else 0
        kind = _TYPES.get(alarm.priority, 4) << 8
        source = _SOURCES_BY_WORD.get(name.rpartition("_")[0], _SOURCES[Metric.RESP_RATE])
        code = codes.get(name, codes.get(name.rpartition("_")[2]))
        if code is not None:
            patient.append(_entry(source, code, kind, state, name.replace("_", " ").upper()))
    for words, metric in ((OXIMETER, Metric.SPO2), (CAPNOGRAPH, Metric.ETCO2)):
        for kind_of, word in {kind: word for word, kind in words.items()}.items():
            notice = said.notices.get(kind_of)
            if notice is not None:
                state = ALARM_DEMO if notice.mode is GenerationMode.DEMO else 0
                technical.append(_entry(_SOURCES[metric], codes[word], 1, state, word))
    lists = [
        (PATIENT_LIST, listed(len(patient), b"".join(patient))),
        (TECHNICAL_LIST, listed(len(technical), b"".join(technical))),
    ]
    return [_object(1, lists)]


def poll_result(
    objects: Sequence[bytes],
    *,
    invoke: int,
    number: int,
    about: tuple[int, int],
    now: Instant,
    sequence: int | None = None,
) -> list[bytes]:
    """Return the message, or the linked messages, that answer a poll about (class, group)."""
    kind = SINGLE_POLL if sequence is None else EXTENDED_POLL
    head = pack(">H", number) + (b"" if sequence is None else pack(">H", sequence & 0xFFFF))
    ticks = int(in_seconds(now) * TICKS_PER_S) & 0xFFFFFFFF
    head += pack(">I", ticks) + clock_digits(clock_s(now)) + pack(">HHH", 1, *about)
    parts = [
        objects[at : at + _OBJECTS_TO_A_PART]
        for at in range(0, len(objects), _OBJECTS_TO_A_PART)
        if about[0] == NUMERICS and sequence is not None
    ] or [objects]
    messages = []
    for place, part in enumerate(parts):
        context = pack(">H", 0) + listed(len(part), b"".join(part))
        body = head + listed(1, context)
        action = command(ACTION, invoke, pack(">HH", kind, len(body)) + body)
        is_last = place == len(parts) - 1
        linked = b"" if is_last else bytes([1 if place == 0 else 2, place + 1])
        messages.append(data_message(RESULT if is_last else LINKED, action, linked=linked))
    return messages


def wave_objects(said: Said, *, with_form: bool) -> list[bytes]:
    """Return the next 256 ms of each wave."""
    is_demo = any(each.mode is GenerationMode.DEMO for each in said.observations.values())
    pleth, co2 = said.tapes[Metric.PLETH], said.tapes[Metric.CO2_WAVE]
    blocks = (
        (Metric.PLETH, [pleth.take() for _ in range(PLETH_BLOCK)]),
        (Metric.CO2_WAVE, [co2.take() for _ in range(CO2_BLOCK)]),
    )
    return [wave(metric, each, with_form=with_form, is_demo=is_demo) for metric, each in blocks]
