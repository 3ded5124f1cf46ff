"""States of a MEDIBUS device: alarms, text messages, identity, date; each told at its edges."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from drivers.clock import ClockOptions, DeviceClock, seconds_since_1970
from drivers.parts.medibus_codes import (
    ALARMS_1,
    DEVICES,
    MONTHS,
    TEXT_LANGUAGE,
    TEXT_STANDBY,
    TEXT_UNITS,
)
from drivers.parts.medibus_data import alarm_items, text_items
from drivers.parts.medibus_frames import Code, Frame
from drivers.reading import UnknownFields
from monitor.model.event import (
    DeviceAlarm,
    DeviceEvent,
    DeviceNotice,
    GenerationMode,
    NoticeKind,
    reject,
)
from monitor.model.instant import Instant

_IDENTITIES_MAX: Final = 8
_IDENTITY: Final = re.compile(r"([0-9A-F]{4})'([^']{0,40})'?(.{0,11})")
_DATE: Final = re.compile(
    r" ?(\d{1,2}):([ \d]\d)(?::([ \d]\d))? ?([ \d]?\d)-([A-Z]{3})-(\d\d)", re.ASCII
)

States = dict[NoticeKind | str, DeviceNotice | DeviceAlarm]


class StateReader:
    """Remembers what stands, to tell what begins and ends.

    `unit` is the CO2 unit that the texts name, None where they name none. `mode` is what the texts
    make of all data.
    """

    def __init__(self, options: ClockOptions, unknown: UnknownFields) -> None:
        self.unit: str | None = None
        self.mode = GenerationMode.REAL
        self._clock = DeviceClock(options.opened_utc_s, options.utc_offset_min)
        self._unknown = unknown
        self._pages: dict[int, States] = {}  # alarms by the code that asks for them
        self._is_standby = False
        self._identities: set[str] = set()

    def present(self) -> frozenset[NoticeKind | str]:
        """Return the notices and alarms that stand now."""
        return frozenset(key for page in self._pages.values() for key in page)

    def read_alarms(self, told: Frame, now: Instant) -> list[DeviceEvent]:
        """Tell what began and what ended; a code nobody knows is told with the device's phrase."""
        items = alarm_items(told.data)
        if isinstance(items, str):
            return [reject(items, told.data, now)]
        is_first = told.code == Code.ALARMS_1
        present: States = {}
        for priority, code, phrase in items:
            unknown = f"medibus_{1 if is_first else 2}_{code:02x}"
            says, metric, words = (
                ALARMS_1.get(code, (unknown, None, ""))
                if is_first
                else (
                    unknown,
                    None,
                    "",
                )
            )
            detail = f"{words}; {phrase}" if words and phrase else words or phrase
            if says in present:
                continue
            present[says] = (
                DeviceNotice(says, now, detail=detail)
                if isinstance(says, NoticeKind)
                else DeviceAlarm(says, now, metric=metric, priority=str(priority), detail=detail)
            )
        before = self._pages.get(told.code, {})
        self._pages[told.code] = present
        ended = [
            msgspec.structs.replace(each, at=now, present=False, detail="")
            for key, each in before.items()
            if key not in present
        ]
        return [*ended, *(each for key, each in present.items() if key not in before)]

    def read_texts(self, told: Frame, now: Instant) -> list[DeviceEvent]:
        """Take the messages of now: the CO2 unit, standby, a demonstration."""
        texts = text_items(told.data)
        if isinstance(texts, str):
            return [reject(texts, told.data, now)]
        events: list[DeviceEvent] = []
        units = [TEXT_UNITS[code] for code in texts if code in TEXT_UNITS]
        self.unit = units[0] if units else None
        is_standby = bool(texts.keys() & TEXT_STANDBY)
        if is_standby != self._is_standby:
            self._is_standby = is_standby
            events.append(DeviceNotice(NoticeKind.STANDBY, now, is_standby))
        is_demo = any("DEMO" in words.upper() for words in texts.values())
        self.mode = GenerationMode.DEMO if is_demo else GenerationMode.REAL
        for code, words in texts.items():
            if code not in TEXT_UNITS and code not in TEXT_STANDBY and code != TEXT_LANGUAGE:
                events += self._unknown.meet(f"text {code:02X}: {words}", now)
        return events

    def read_identity(self, told: Frame, now: Instant) -> Sequence[DeviceEvent]:
        """Tell once who the device says it is."""
        if not told.data:
            return ()
        found = _IDENTITY.fullmatch(told.data.decode("ascii"))
        if found is None:
            return [reject("identity not understood", told.data, now)]
        name = found[2] or DEVICES.get(found[1], "unknown")
        return self._identify(f"{name} ({found[1]}), version {found[3].strip()}", now)

    def _identify(self, words: str, now: Instant) -> Sequence[DeviceEvent]:
        if words in self._identities or len(self._identities) > _IDENTITIES_MAX:
            return ()
        self._identities.add(words)
        return [DeviceNotice(NoticeKind.DEVICE_IDENTITY, now, detail=words)]

    def read_date(self, told: Frame, now: Instant) -> Sequence[DeviceEvent]:
        """Tell once what the device takes for the time, and how far that is off."""
        found = _DATE.fullmatch(told.data.decode("ascii").strip())
        if found is None or found[5] not in MONTHS:
            return [reject("date not understood", told.data, now)] if told.data.strip() else ()
        hour, minute, second, day = (int(found[at] or 0) for at in (1, 2, 3, 4))
        year = int(found[6]) + (1900 if int(found[6]) >= 70 else 2000)
        month = MONTHS[found[5]]
        local_s = seconds_since_1970((year, month, day), (hour, minute, second))
        if local_s is None:
            return [reject("no such date", told.data, now)]
        events: list[DeviceEvent] = []
        if not any(each.startswith("clock") for each in self._identities):
            shown = f"clock at {year}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}:{second:02d}"
            events += self._identify(shown, now)
        return [*events, *self._clock.hear(local_s, now)]
