"""`vigil serve` sends HL7 to `vigil listen hl7`: two processes, a socket, and a kill between."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.e2e.commands import COMMAND, Fields
from tests.e2e.site import Child, site
from tests.runtime.receivers import Receiver
from tests.services.servers import free_port

pytestmark = pytest.mark.service
SPEED = 10.0
_DECODER = msgspec.json.Decoder(Fields)


class Listener:
    """`vigil listen hl7` at a port, and what it said so far."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.lines: list[Fields] = []

    async def until(self, **wanted: object) -> Fields:
        """Return the next line that says all that is wanted."""
        async with asyncio.timeout(60):
            while text := await self.child.line():
                line = _DECODER.decode(text)
                self.lines.append(line)
                if all(line.get(key) == value for key, value in wanted.items()):
                    return line
        raise AssertionError("vigil listen ended")


@pytest.mark.hazard("H21")
async def test_our_own_listener_hears_what_we_send_and_knows_that_it_is_simulated(
    place: Path,
) -> None:
    port = free_port()
    more = f'\n[hl7]\nurl = "mllp://127.0.0.1:{port}"\nevery_s = 1.0\n'
    listener = Listener(
        await Child.start(*COMMAND, "listen", "hl7", f"tcp://127.0.0.1:{port}?listen=1")
    )
    async with site("slow-apnoea", place, speed=SPEED, more=more) as here:
        serving = await here.serve()
        here.begin()
        value = await listener.until(metric="spo2")
        assert value["mode"] == "demo"
        began = await listener.until(alarm="apnoea")
        assert (began["priority"], began["mode"], "present" in began) == ("high", "demo", False)
        assert await serving.end(at_once=True) == -9
        again = await here.serve()
        # A new connection knows nothing: what stands is said again, as going on and not as new.
        continued = await listener.until(alarm="apnoea")
        assert ("present" in continued, continued["detail"]) == (False, began["detail"])
        assert await again.end() == 0
    await listener.child.end()


async def test_a_receiver_that_never_answers_holds_up_neither_alarms_nor_record(
    place: Path,
) -> None:
    async with Receiver(lambda _: []).listen() as receiver:
        more = f'\n[hl7]\nurl = "mllp://127.0.0.1:{receiver.port}"\n'
        async with site("slow-apnoea", place, speed=SPEED, more=more) as here:
            serving = await here.serve()
            here.begin()
            told: dict[str, Fields] = {}
            async with asyncio.timeout(60):
                while not {"apnoea", "hl7"} <= told.keys():
                    line = _DECODER.decode(await serving.line())
                    told[str(line["alarm"])] = line
            assert (told["apnoea"]["priority"], told["hl7"]["priority"]) == ("high", "low")
            assert "no answer" in str(told["hl7"]["reason"])
            assert await serving.end() == 0
        assert {each.trigger for each in receiver.heard} == {"R01", "R40"}
