"""`vigil devices` and `decode`: what a clinical engineer asks of one device."""

import tomllib
from collections.abc import Sequence

from drivers.contract import Driver, Options, TransportKind
from monitor.installed import every_driver
from monitor.main.decoding import Beginning, Score, Source, decoded
from monitor.main.guessing import best_reading, guess, guess_speaker
from monitor.main.output import flush, note, say_json, say_table
from monitor.model.errors import ConfigError
from monitor.model.event import DeviceEvent, DeviceNotice, FrameRejected, NoticeKind
from monitor.recordings.notes import Notes
from monitor.runtime.replay import observation_line
from monitor.runtime.transports.serial import words


def list_devices(*, as_json: bool) -> int:
    """Say which drivers there are, what they need and what our knowledge of them rests on."""
    drivers, complaints = every_driver()
    for complaint in complaints:
        note(f"note: {complaint}")
    if as_json:
        for driver in drivers:
            say_json(_described(driver))
        return 0
    say_table(
        ("driver", "device", "transports", "metrics", "evidence"),
        [
            (
                driver.name,
                driver.title,
                " ".join(sorted(driver.transports)),
                " ".join(sorted(driver.metrics)),
                driver.evidence,
            )
            for driver in drivers
        ],
    )
    return 0


def _described(driver: Driver) -> dict[str, object]:
    is_serial = TransportKind.SERIAL in driver.transports
    return {
        "driver": driver.name,
        "device": driver.title,
        "transports": sorted(driver.transports),
        "metrics": sorted(driver.metrics),
        "evidence": driver.evidence,
        "reference": driver.reference,
        "serial": words(driver.serial) if is_serial else None,
        "silence_limit_s": driver.silence_limit / 1e9,
        "doubts": list(driver.doubts),
    }


def read_options(texts: Sequence[str]) -> Options:
    """Return driver options written as `KEY=VALUE`, the value as in TOML or else plain text.

    Raises:
        ConfigError: an option without a key or a value.
    """
    options: dict[str, object] = {}
    for text in texts:
        key, separator, value = text.partition("=")
        if not (key and separator):
            raise ConfigError(f'--option "{text}": write KEY=VALUE, as in format=8')
        try:
            options[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            options[key] = value
    return options


# -- decode ------------------------------------------------------------------------------------


def decode(driver: Driver, source: Source, *, waves: bool) -> int:
    """Say what the bytes in a file mean; 1 if they do not read as this device.

    They do if something was understood. Where no more was understood than refused, the driver
    itself, or another one that reads the file, may say that it is of another device; that one is
    offered.

    Raises:
        RecordingError: the file cannot be read, is a capture of another device, or mixes devices.
        ConfigError: hex text that is none, or an option the driver does not know.
    """
    source = best_reading(driver, source)
    if source.options:
        options = " ".join(f"--option {key}={value}" for key, value in source.options.items())
        note(f"read with {options}")
    notes, beginning, score = Notes("packet"), Beginning(), Score()
    is_heard = is_doubted = False
    for _, events in decoded(driver, source, notes, beginning):
        score.add(events)
        for event in events:
            is_doubt = _is_doubt(event)
            is_doubted |= is_doubt
            is_heard |= not (is_doubt or isinstance(event, FrameRejected))
            line = observation_line(event, device=driver.name, waves=waves)
            if line is not None:
                say_json(line)
    flush()
    for sentence in notes.sentences:
        note(f"note: {sentence}")
    offered = _guessed(driver, source, beginning) if score.good <= score.rejected else ()
    is_strange = bool(offered) or (is_doubted and score.good <= score.rejected)
    if is_heard and not is_strange:
        return 0
    note(f"{'little' if score.good else 'nothing'} in {source.file} reads as {driver.title}")
    if offered:
        how = " --hex" if source.is_hex else ""
        tries = " or ".join(f"vigil decode {name} {source.file}{how}" for name in offered)
        note(f"it looks like {' or '.join(offered)}; try {tries}")
    return 1


def _guessed(driver: Driver, source: Source, beginning: Beginning) -> tuple[str, ...]:
    drivers = every_driver()[0]
    if beginning.pieces or source.sender is not None:
        return guess(driver, beginning, drivers)
    return guess_speaker(driver, source.file, drivers)


def _is_doubt(event: DeviceEvent) -> bool:
    return isinstance(event, DeviceNotice) and event.notice is NoticeKind.NOT_THIS_DEVICE
