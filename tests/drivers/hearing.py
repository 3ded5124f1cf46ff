"""What tests of single drivers share: what was told, by kind, and the same through the command."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from drivers.contract import DeviceProtocol, DeviceSide, finish
from monitor.cli import main
from monitor.model.event import (
    DeviceAlarm,
    DeviceEvent,
    DeviceNotice,
    FrameRejected,
    NoticeKind,
    Observation,
    Validity,
)
from monitor.model.instant import OPENING, Instant, instant_at
from monitor.model.metric import Metric


def values(events: Iterable[DeviceEvent]) -> dict[Metric, float | None]:
    """The last value of each metric."""
    return {each.metric: each.value for each in events if isinstance(each, Observation)}


def validities(events: Iterable[DeviceEvent]) -> dict[Metric, Validity]:
    return {each.metric: each.validity for each in events if isinstance(each, Observation)}


def notices(events: Iterable[DeviceEvent]) -> list[tuple[NoticeKind, bool]]:
    return [(each.notice, each.present) for each in events if isinstance(each, DeviceNotice)]


def details(events: Iterable[DeviceEvent], kind: NoticeKind) -> list[str]:
    return [
        each.detail for each in events if isinstance(each, DeviceNotice) and each.notice is kind
    ]


def alarms(events: Iterable[DeviceEvent]) -> list[tuple[str, bool]]:
    return [(each.alarm, each.present) for each in events if isinstance(each, DeviceAlarm)]


def refusals(events: Iterable[DeviceEvent]) -> list[str]:
    return [each.reason for each in events if isinstance(each, FrameRejected)]


def hear(protocol: DeviceProtocol, *pieces: bytes, every_s: float = 1) -> list[DeviceEvent]:
    """All that is told of `pieces`, one each `every_s`, and of their end."""
    told: list[DeviceEvent] = []
    now = OPENING
    for number, piece in enumerate(pieces):
        now = instant_at(number * every_s)
        told += protocol.receive(piece, now)
    return [*told, *finish(protocol, now)]


class Wire:
    """Both sides on virtual time. `sent` is what the host sent, `told` what it told."""

    def __init__(self, protocol: DeviceProtocol, device: DeviceSide) -> None:
        self.protocol = protocol
        self.device: DeviceSide | None = device
        self.now = OPENING
        self.sent: list[tuple[Instant, bytes]] = []
        self.told: list[DeviceEvent] = []

    def run(self, until_s: float) -> list[DeviceEvent]:
        """Go on until `until_s`; return what was told on the way."""
        begun = len(self.told)
        end = instant_at(until_s)
        while self.now <= end:
            self._step()
            sides = (self.protocol.wake_at, self.device.wake_at if self.device else None)
            due = [each for each in sides if each is not None]
            if not due or min(due) > end:
                break
            self.now = max(Instant(self.now + 1_000_000), min(due))
        self.now = end
        return self.told[begun:]

    def _step(self) -> None:
        if self.protocol.wake_at is not None and self.protocol.wake_at <= self.now:
            self.told += self.protocol.wake(self.now)
        for _ in range(8):  # answers to answers
            pieces = list(self.protocol.take_outgoing())
            self.sent += [(self.now, piece) for piece in pieces]
            if self.device is None:
                return
            for piece in pieces:
                self.device.receive(piece, self.now)
            self.device.wake(self.now)
            back = list(self.device.take_outgoing())
            for piece in back:
                self.told += self.protocol.receive(piece, self.now)
            if not back:
                return


def decoded(
    driver: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> list[dict[str, object]]:
    """What `vigil decode DRIVER FILE --hex` prints of hex text."""
    file = tmp_path / "bytes.txt"
    file.write_text(text)
    capsys.readouterr()
    main(["decode", driver, str(file), "--hex"])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def numerics(lines: Sequence[dict[str, object]]) -> list[tuple[object, object]]:
    """Metric and value of the numerics among printed lines, in order."""
    return [(line["metric"], line.get("value")) for line in lines if "validity" in line]
