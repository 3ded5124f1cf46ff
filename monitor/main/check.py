"""`vigil check`: a configuration or a limit set, read strictly and proved by synthetic ramps."""

import tomllib
from pathlib import Path

from alarms.check import Finding, prove
from alarms.limits import LimitSet, read_preset
from monitor.config import config_of
from monitor.main.output import note, say, say_json
from monitor.model.errors import ConfigError


def check(path: str, *, as_json: bool) -> int:
    """Check the file at `path`; 0 if it holds, 2 with what is wrong.

    Raises:
        ConfigError: names file, table, key and the reason.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    if "chair" in tables or "site" in tables:
        return _check_configuration(text, file, as_json=as_json)
    return _check_limits(read_preset(text, path), path, as_json=as_json)


def _check_configuration(text: str, file: Path, *, as_json: bool) -> int:
    config = config_of(text, str(file), file.parent)
    proved: dict[str, int] = {}
    for chair in config.chairs:
        if chair.preset not in proved:
            where = f"{file}, limits {chair.preset}"
            proved[chair.preset] = _check_limits(chair.limits, where, as_json=as_json)
    if not as_json:
        for chair in config.chairs:
            links = ", ".join(f"{device.link} at {device.url}" for device in chair.devices)
            say(f'chair "{chair.name}": limits {chair.preset}; {links}')
    return max(proved.values())


def _check_limits(limits: LimitSet, where: str, *, as_json: bool) -> int:
    findings = prove(limits)
    wrong = [finding for finding in findings if not finding.is_well]
    for finding in findings:
        _say_finding(finding, as_json=as_json)
    for finding in wrong:
        note(f"{where}: {finding.alarm}: {finding.text}")
    return 2 if wrong else 0


def _say_finding(finding: Finding, *, as_json: bool) -> None:
    if as_json:
        say_json(finding)
    else:
        say(f"{'holds' if finding.is_well else 'wrong'}  {finding.alarm}: {finding.text}")
