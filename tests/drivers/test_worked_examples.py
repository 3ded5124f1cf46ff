"""The protocol pages' worked examples, read from the pages themselves where they lie beside us."""

import re
from pathlib import Path

import pytest

from drivers import registry
from drivers.contract import finish
from monitor.model.event import DeviceAlarm, DeviceNotice, Observation, WaveformSegment
from monitor.model.instant import Instant

PAGES = Path(__file__).resolve().parents[3] / "shared" / "protocols"
EXAMPLES = {
    "nonin": (
        ("01 81 64 00 E6", "spo2 97 pulse_rate 72"),
        ("01 81 64 01 E7 01 80 66 34 1B", "pulse_rate 180"),
        ("01 C9 00 03 CD 01 C8 00 7F 48 01 C8 00 7F 48", "sensor_off spo2 None pulse_rate None"),
        (
            "81 4E 20 00 EF 80 4F 00 48 17 80 50 00 61 31",
            "wave 20000 20224 20480 spo2 97 pulse_rate 72",
        ),
        ("80 48 61 00", "spo2 97 pulse_rate 72"),
        ("81 34 5F 00", "spo2 95 pulse_rate 180"),
        ("E3 7F 7F 08", "sensor_off searching spo2 None pulse_rate None"),
    ),
    "capnostream": (
        ("85 1F 04 56 30 34 2E 35 35", "device_identity"),
        ("85 05 00 2A 25 80 00 00 8A", "wave 37.5"),
        ("85 05 00 80 05 25 80 00 08 2D", "wave 37.5"),
        (
            "85 1C 01 65 53 F1 00 26 00 0E 61 48",
            "etco2 38 fico2 0 resp_rate 14 spo2 97 pulse_rate 72",
        ),
        (
            "85 1C 01 65 53 F1 3C FF FF FF 61 48",
            "no_breath etco2 None fico2 None resp_rate None spo2 97 pulse_rate 72",
        ),
    ),
    "suntech": (
        ("3E 05 80 00 3D", "cuff_pressure 128"),
        ("3E 05 02 01 BA", "cuff_pressure 258"),
        ("3E 18 73 00 4A 00 1E 01", "nibp_sys 115 nibp_dia 74 nibp_mean 88 nibp_pulse 85"),
        ("3E 18 00 00 00 00", "cuff_failed nibp_sys None nibp_dia None nibp_mean None"),
    ),
    "senml": (('[{"bn":"urn:dev:mac', "nibp_sys 118 spo2 97 pulse_rate 72 resp_rate 14 etco2 38"),),
    "json": (('{"time":"2023-11-14T22:13:20"', "spo2 97 pulse_rate 72"),),
}
CASES = [(driver, *example) for driver, examples in EXAMPLES.items() for example in examples]


def printed(page: str, beginning: str) -> bytes:
    """Return the whole example that begins so, as it stands on the page."""
    if beginning[0] in "[{":
        start = page.index(beginning)
        return page[start : page.index("`", start)].encode()
    spaced = re.sub(r"[`,:;]|and|frame \d|\(MSB \d+\)|[ \n]+", " ", page)
    start = " ".join(spaced.split()).index(beginning)
    text = " ".join(spaced.split())[start:]
    pairs = re.match(r"(?:[0-9A-F]{2}(?: |$))+", text)
    assert pairs is not None
    return bytes.fromhex(pairs[0])


def words(driver: str, data: bytes) -> str:
    """Return what the driver tells, as short words."""
    protocol = registry.get(driver).open_protocol({})
    told = []
    for each in [*protocol.receive(data, Instant(0)), *finish(protocol, Instant(0))]:
        if isinstance(each, Observation):
            told.append(f"{each.metric} {each.value if each.value is None else f'{each.value:g}'}")
        elif isinstance(each, WaveformSegment):
            told.append("wave " + " ".join(f"{sample:g}" for sample in each.samples if sample))
        elif isinstance(each, DeviceNotice):
            told.append(str(each.notice))
        elif isinstance(each, DeviceAlarm):
            told.append(each.alarm)
    return " ".join(told)


@pytest.mark.shared
@pytest.mark.parametrize(("driver", "beginning", "expected"), CASES)
def test_a_worked_example_gives_the_values_printed_beside_it(
    driver: str, beginning: str, expected: str
) -> None:
    page = PAGES / f"{'mqtt' if driver in {'senml', 'json'} else driver}.md"
    if not page.exists():
        pytest.skip("the protocol pages do not lie beside this checkout")
    examples = page.read_text().split("## Worked examples")[1]
    data = printed(examples, beginning)
    if driver == "nonin" and len(beginning) < 15:
        data = data[: 125 if beginning.startswith("01") else 4]
    assert expected in words(driver, data)
