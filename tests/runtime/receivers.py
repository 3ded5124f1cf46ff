"""Receivers of HL7 for tests: on a real socket, good-natured or not; and a chair to send from."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias

from drivers.parts.hl7_message import Segment, read_segments
from drivers.parts.hl7_report import Bed
from drivers.parts.mllp import MllpSplitter, frame
from monitor.model.alarm import AlarmChange, AlarmSnapshot, Change, Kind, Priority
from monitor.model.event import GenerationMode, Validity
from monitor.model.instant import OPENING, Instant, instant_at
from monitor.model.metric import Metric
from monitor.model.snapshot import MetricSnapshot

Behaviour: TypeAlias = Callable[["Heard"], Sequence[tuple[float, bytes]]]
"""What is sent back for a message: pieces, each after so many seconds."""


class Heard:
    """A message as it arrived: the how-manieth, on which connection."""

    def __init__(self, data: bytes, number: int, connection: int) -> None:
        self.segments = read_segments(data)
        self.number = number
        self.connection = connection

    @property
    def control(self) -> str:
        return self.segments[0].text(10)

    @property
    def trigger(self) -> str:
        return self.segments[0].text(9, 2)

    def facet(self, name: str) -> str:
        rows = [each for each in self.segments if each.name == "OBX"]
        return next(each.text(5) for each in rows if each.text(3, 2).endswith(name))

    @property
    def said(self) -> tuple[str, str]:
        """The alarm's own word and its phase."""
        row = next(each for each in self.segments if each.name == "OBX")
        word = row.text(3, 4) if row.text(3, 6) else row.text(3)
        return word, self.facet("EVENT_PHASE")

    @property
    def order(self) -> Segment:
        return next(each for each in self.segments if each.name == "OBR")


def answer(heard: Heard, code: str = "AA", words: str = "") -> bytes:
    """The framed answer to a message."""
    lines = (r"MSH|^~\&|R||||20260101||ACK|1|P|2.6", f"MSA|{code}|{heard.control}|{words}", "")
    return frame("\r".join(lines))


def accept(heard: Heard) -> Sequence[tuple[float, bytes]]:
    return [(0.0, answer(heard))]


class Receiver:
    """A server that remembers what it heard and answers as `behave` says."""

    def __init__(self, behave: Behaviour = accept) -> None:
        self.behave = behave
        self.heard: list[Heard] = []
        self.connections = 0
        self.port = 0
        self._changed = asyncio.Event()
        self._peers: list[asyncio.StreamWriter] = []
        self._talks: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def listen(
        self, port: int = 0, tls: ssl.SSLContext | None = None
    ) -> AsyncIterator["Receiver"]:

        def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._talks.append(asyncio.ensure_future(self._take(reader, writer)))

        server = await asyncio.start_server(take, "127.0.0.1", port, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.hang_up()
            await asyncio.gather(*self._talks)

    def hang_up(self) -> None:
        """Drop every connection."""
        for each in self._peers:
            each.transport.abort()
        self._peers.clear()

    @property
    def said(self) -> list[tuple[str, str]]:
        """The alarms that were told, with their phases, in order."""
        return [each.said for each in self.heard]

    async def until(self, holds: Callable[["Receiver"], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds(self):
                self._changed.clear()
                await self._changed.wait()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._peers.append(writer)
        self.connections += 1
        connection, splitter = self.connections, MllpSplitter()
        loop = asyncio.get_running_loop()
        self._changed.set()
        try:
            while data := await reader.read(65536):
                for each in splitter.feed(data, OPENING):
                    assert not each.flaw
                    self.heard.append(heard := Heard(each.data, len(self.heard), connection))
                    self._changed.set()
                    for after_s, piece in self.behave(heard):
                        loop.call_later(after_s, self._say, writer, piece)
        except ConnectionError:
            return

    @staticmethod
    def _say(writer: asyncio.StreamWriter, piece: bytes) -> None:
        if not writer.is_closing():
            writer.write(piece)


class FakeChair:
    """A chair that is what a test says."""

    def __init__(self, name: str = "2", mode: GenerationMode = GenerationMode.DEMO) -> None:
        self.name = name
        self.mode = mode
        self.spo2 = 97.0
        self.at = instant_at(100)
        self.present: list[AlarmSnapshot] = []

    def bed(self) -> Bed:
        opened_ns = 1_790_000_000 * 10**9
        return Bed(
            site="n",
            chair=self.name,
            session=f"{self.name}-s",
            opened_utc_ns=opened_ns,
            mode=self.mode,
        )

    def now(self) -> Instant:
        return self.at

    def metrics(self) -> Sequence[MetricSnapshot]:
        return [
            MetricSnapshot(metric=Metric.SPO2, value=self.spo2, validity=Validity.VALID, at=self.at)
        ]

    def alarms(self) -> Sequence[AlarmSnapshot]:
        return self.present

    def title_of(self, alarm: str) -> str:
        return alarm


def change(alarm: str, what: Change = Change.PRESENT, at_s: float = 1) -> AlarmChange:
    return AlarmChange(
        at=instant_at(at_s),
        alarm=alarm,
        change=what,
        priority=Priority.HIGH,
        kind=Kind.PHYSIOLOGICAL,
        metric=Metric.SPO2,
    )
