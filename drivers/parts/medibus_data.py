"""Measured data of a MEDIBUS device into observations: items of six, absent where not valid."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from drivers.parts.medibus_codes import (
    AMBIENT,
    ETCO2_CODES,
    FICO2_CODES,
    KNOWN,
    NIBP_AGE,
    NIBP_CODES,
    PLAIN,
    READ,
    RESP_RATE_BY_CO2,
    RESP_RATE_OTHERS,
    TEMP_CODES,
    UNITS,
)
from drivers.reading import UnknownFields, read
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    Observation,
    Validity,
    reject,
)
from monitor.model.instant import OPENING, Instant, seconds
from monitor.model.metric import Metric

_ITEM_SIZE: Final = 6
_CODE: Final = re.compile(r"[0-9A-F]{2}")
_ITEM: Final = re.compile(r"([0-9A-F]{2}) *(?:(-?(?:\d+\.?\d*|\.\d+))|[-.*?]*) *")
_MMHG_PER_KPA: Final = 7.50062
_MMHG_PER_MBAR: Final = 0.750062
_OXIMETER: Final = frozenset({Metric.SPO2, Metric.PULSE_RATE})


@lru_cache(maxsize=1024)
def _item(item: bytes) -> tuple[int, float | None] | None:
    """Return code and value of an item; None where it has not its form.

    Of a value that nobody here reads, a ratio for one, the form is not known and does not matter.
    """
    text = item.decode("ascii")
    found = _ITEM.fullmatch(text)
    if found is not None:
        return int(found[1], 16), None if found[2] is None else float(found[2])
    if not _CODE.fullmatch(text[:2]) or int(text[:2], 16) in READ:
        return None
    return int(text[:2], 16), None


def items_of(data: bytes) -> dict[int, float | None] | str:
    """Return the items by code, or why they are not to be believed."""
    if len(data) % _ITEM_SIZE:
        return "items of another size"
    items: dict[int, float | None] = {}
    for at in range(0, len(data), _ITEM_SIZE):
        item = _item(data[at : at + _ITEM_SIZE])
        if item is None:
            return "an item without its form"
        if items.get(item[0], item[1]) != item[1]:
            return "an item met twice"
        items[item[0]] = item[1]
    return items


class MeasuredReader:
    """Remembers units, what was there before, and the last cuff reading, of one conversation."""

    def __init__(self, ambient_mmhg: float) -> None:
        self._ambient_mmhg = ambient_mmhg
        self._unknown = UnknownFields()
        self._had: set[Metric] = set()
        self._had_rate_by_co2 = False
        self._unit = "mmHg"  # of the CO2 told last
        self._pressures: tuple[float | None, ...] = (None, None, None)
        self._pressures_age: float | None = None
        self._is_first = True
        self.unit_of_text: str | None = None
        """The CO2 unit that the device names in its text messages."""

    def read(
        self, data: bytes, now: Instant, states: frozenset[NoticeKind | str]
    ) -> list[DeviceEvent]:
        """Return what an answer says; `states` are the device's notices and alarms of now."""
        items = items_of(data)
        if isinstance(items, str):
            return [reject(items, data, now)]
        events: list[DeviceEvent] = []
        for code in items.keys() - KNOWN:
            events += self._unknown.meet(f"measured data {code:02X}", now)
        told = self._co2(items, now, states, events)
        told += self._rates(items, now, states)
        told += self._pressure(items, now)
        heard = {each.metric for each in told}
        told += [read(metric, None, now) for metric in sorted(self._had - heard)]
        self._had |= {each.metric for each in told if each.value is not None} - {
            metric for _, metric in NIBP_CODES
        }
        return [*sorted(events, key=str), *told]

    def _co2(
        self,
        items: Mapping[int, float | None],
        now: Instant,
        states: frozenset[NoticeKind | str],
        events: list[DeviceEvent],
    ) -> list[Observation]:
        """Tell CO2 in the one unit that counts: the device's own, else the first that is there."""
        wanted = [self.unit_of_text] if self.unit_of_text else []
        present = [
            unit
            for unit in (*wanted, *UNITS)
            if unit in UNITS and items.keys() & {ETCO2_CODES[unit], FICO2_CODES[unit]}
        ]
        if not present:
            return []
        unit = present[0]
        ambient = items.get(AMBIENT)
        ambient_mmhg = ambient * _MMHG_PER_MBAR if ambient else self._ambient_mmhg
        scale = {"mmHg": 1.0, "kPa": _MMHG_PER_KPA, "%": ambient_mmhg / 100}[unit]
        is_unsure = unit == "%" and not ambient
        is_unsure |= bool(states & {NoticeKind.OCCLUSION, NoticeKind.WARMING_UP})
        trust = Validity.QUESTIONABLE if is_unsure else Validity.VALID
        events += self._convert(unit, now, f"{ambient_mmhg:.0f} mmHg ambient")
        told = []
        for metric, codes in ((Metric.ETCO2, ETCO2_CODES), (Metric.FICO2, FICO2_CODES)):
            if codes[unit] in items:
                value = items[codes[unit]]
                scaled = None if value is None else round(value * scale, 2)
                told.append(read(metric, scaled, now, validity=trust))
        return told

    def _convert(self, unit: str, now: Instant, ambient: str) -> list[DeviceEvent]:
        if unit == self._unit:
            return []
        self._unit = unit
        if unit == "mmHg":
            return [DeviceNotice(NoticeKind.UNIT_CONVERTED, now, present=False)]
        detail = f"CO2 comes in {unit} and is told in mmHg"
        detail += f" at {ambient}" if unit == "%" else ""
        return [DeviceNotice(NoticeKind.UNIT_CONVERTED, now, detail=detail)]

    def _rates(
        self, items: Mapping[int, float | None], now: Instant, states: frozenset[NoticeKind | str]
    ) -> list[Observation]:
        told = []
        is_off = bool(states & {NoticeKind.SENSOR_OFF, NoticeKind.SENSOR_FAULT})
        for code, metric in PLAIN:
            if code in items:
                value = None if is_off and metric in _OXIMETER else items[code]
                trust = Validity.VALID
                if metric in _OXIMETER and "pulse_not_found" in states:
                    trust = Validity.QUESTIONABLE
                told.append(read(metric, value or None, now, validity=trust))
        if items.get(RESP_RATE_BY_CO2) is not None:
            self._had_rate_by_co2 = True
            told.append(read(Metric.RESP_RATE, items[RESP_RATE_BY_CO2], now))
        else:
            others = [items[code] for code in RESP_RATE_OTHERS if items.get(code) is not None]
            # Where CO2 counted breaths before, another way of counting is no full replacement.
            trust = Validity.QUESTIONABLE if self._had_rate_by_co2 else Validity.VALID
            told += [read(Metric.RESP_RATE, value, now, validity=trust) for value in others[:1]]
        temps = [items[code] for code in TEMP_CODES if items.get(code) is not None]
        return told + [read(Metric.TEMP, value, now) for value in temps[:1]]

    def _pressure(self, items: Mapping[int, float | None], now: Instant) -> list[Observation]:
        """Tell a cuff reading that is new: other numbers, or an age that restarted."""
        values = tuple(items.get(code) for code, _ in NIBP_CODES)
        age = items.get(NIBP_AGE)
        is_first, self._is_first = self._is_first, False
        before, before_age = self._pressures, self._pressures_age
        if all(each is None for each in values):
            return []
        self._pressures, self._pressures_age = values, age
        is_restarted = age is not None and before_age is not None and age < before_age
        if values == before and not is_restarted:
            return []
        taken = max(OPENING, Instant(now - seconds(60 * age))) if age is not None else now
        trust = Validity.QUESTIONABLE if is_first and age is None else Validity.VALID
        return [
            msgspec.structs.replace(read(metric, value or None, now, validity=trust), taken=taken)
            for (_, metric), value in zip(NIBP_CODES, values, strict=True)
        ]


def alarm_items(data: bytes) -> Sequence[tuple[int, int, str]] | str:
    """Return priority (1 to 31), code and phrase of each alarm, or why not to believe them."""
    if len(data) % 15:
        return "alarms of another size"
    alarms = []
    for at in range(0, len(data), 15):
        code = data[at + 1 : at + 3].decode("ascii")
        if not _CODE.fullmatch(code) or data[at] < 0x30:
            return "an alarm without its form"
        alarms.append((data[at] - 0x30, int(code, 16), data[at + 3 : at + 15].decode().strip()))
    return alarms


def text_items(data: bytes) -> Mapping[int, str] | str:
    """Return the text messages by code, or why not to believe them."""
    texts: dict[int, str] = {}
    at = 0
    while at < len(data):
        code, size = data[at : at + 2].decode("ascii"), data[at + 2 : at + 3]
        end = at + 3 + (size[0] - 0x30 if size else 0)
        if not _CODE.fullmatch(code) or end < at + 3 or data[end : end + 1] != b"\x03":
            return "a text without its form"
        texts[int(code, 16)] = data[at + 3 : end].decode("ascii").strip()
        at = end + 1
    return texts
