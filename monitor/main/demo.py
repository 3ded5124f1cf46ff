"""`vigil demo`: everything on simulated devices that speak their real byte protocols.

Live, three processes work together as they would in a clinic: simulated devices on ptys and a
broker, `vigil serve`, and a screen attached to it. What lies before the interesting minute of the
course is played first, on virtual time, into the session's record; `serve` then goes on with that
session, as it would after a restart. With `--headless --speed max` the whole course runs on
virtual time in this process.
"""

import tempfile
import time
from pathlib import Path
from typing import Final

from monitor.config import config_of
from monitor.main.course import DemoWishes, Tally, configure, play_virtually
from monitor.main.output import note, say_json, say_table
from monitor.model.errors import ConfigError
from simulators.bed import posts_of
from simulators.scenario import Scenario, load, names

VIRTUAL_UTC_NS: Final = 1_700_000_000_000_000_000
CHAIRS_MAX: Final = 12
SPEED_MAX: Final = 100.0


def demo(wishes: DemoWishes) -> int:
    """Run a demonstration.

    Raises:
        ConfigError: a wish that cannot be; names it.
        MonitorError: a process of the demonstration did not come up.
    """
    if wishes.only_lists:
        say_table(("scenario", "what happens"), [(name, load(name).title) for name in names()])
        return 0
    scenario = load(wishes.scenario)
    if not 1 <= wishes.chairs <= CHAIRS_MAX:
        raise ConfigError(f"--chairs: {wishes.chairs} is not 1 to {CHAIRS_MAX}")
    with tempfile.TemporaryDirectory(prefix="vigil-demo-") as folder:
        data_dir = Path(wishes.record or folder).resolve()
        if wishes.speed == "max":
            if not wishes.is_headless:
                raise ConfigError("--speed max has no screen to follow it; add --headless")
            return _headless(wishes, scenario, data_dir)
        from monitor.main.live_demo import live  # noqa: PLC0415 - the screen costs 0.2 s

        return live(wishes, scenario, data_dir, speed_of(wishes.speed))


def speed_of(text: str) -> float:
    """Return `--speed` as a number.

    Raises:
        ConfigError: it is none, or too much to follow.
    """
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= SPEED_MAX:
        raise ConfigError(f'--speed: "{text}" is neither a number up to {SPEED_MAX:g} nor max')
    return speed


def _headless(wishes: DemoWishes, scenario: Scenario, data_dir: Path) -> int:
    note("SIMULATED. Vigil is not a medical device.")
    began_s = time.perf_counter()
    until_s = min(wishes.for_s or scenario.length_s, scenario.length_s)
    urls = {
        str(number): {post.driver: f"memory://{number}-{post.driver}" for post in posts_of(number)}
        for number in range(1, wishes.chairs + 1)
    }
    config = config_of(configure(scenario, data_dir, urls), "demonstration", data_dir)
    tally = Tally(chairs=wishes.chairs, tells=True)
    play_virtually(
        config, scenario, urls, wishes.seed, until_s=until_s, utc_ns=VIRTUAL_UTC_NS, tally=tally
    )
    say_json(
        {
            "summary": True,
            "mode": "demo",
            "scenario": scenario.name,
            "seed": wishes.seed,
            "span_s": until_s,
            "alarms": tally.begun,
            "digest": tally.digest.hexdigest(),
        }
    )
    note(f"{until_s:.0f} s of course in {time.perf_counter() - began_s:.1f} s")
    return 0
