"""`vigil check`: a configuration or a limit set, read strictly and proved by synthetic ramps.

Behind what was proved it says, for each alarm, how long the whole way takes: the device's own
averaging, the next sample, the delay with its evidence, this software's pipeline, the screen.
"""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from alarms.check import prove
from alarms.limits import LimitSet, read_preset
from alarms.permission import allowed
from alarms.ramps import Finding
from monitor.config import Chair, config_of
from monitor.main.output import note, say, say_json, say_table
from monitor.model.errors import ConfigError
from monitor.model.metric import NIBP, Metric
from monitor.runtime.committer import SIGNAL_DEADLINE_S

SAMPLE_S: Final = 1.0
"""A value may become bad just after a sample: most devices give one a second."""
SCREEN_S: Final = 0.25
"""A change is sent at once; a screen paints eight times a second. Nothing sounds."""
_HEAD: Final = (
    "alarm",
    "told",
    "device",
    "sample",
    "delay",
    "evidence",
    "record",
    "screen",
    "total",
)
_AT_ONCE: Final = frozenset(NIBP)


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """The whole way of one alarm, part by part, in seconds; `device_s` is None where unknown.

    `evidence_s` is what the ramps needed beyond the delay. `total_s` leaves out what is unknown.
    """

    alarm: str
    told: str
    device_s: float | None
    sample_s: float
    delay_s: float
    evidence_s: float
    pipeline_s: float
    annunciation_s: float
    total_s: float


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
    findings = _check_limits(read_preset(text, path), path, as_json=as_json)
    _say_latencies(findings, (), as_json=as_json)
    return _exit_code(findings)


def _check_configuration(text: str, file: Path, *, as_json: bool) -> int:
    config = config_of(text, str(file), file.parent)
    proved: dict[str, list[Finding]] = {}
    for chair in config.chairs:
        if chair.preset not in proved:
            where = f"{file}, limits {chair.preset}"
            proved[chair.preset] = _check_limits(chair.limits, where, as_json=as_json)
        if not as_json:
            links = ", ".join(f"{device.link} at {device.url}" for device in chair.devices)
            say(f'chair "{chair.name}": limits {chair.preset}; {links}')
        _say_latencies(proved[chair.preset], (chair,), as_json=as_json)
    return max(_exit_code(findings) for findings in proved.values())


def _exit_code(findings: Sequence[Finding]) -> int:
    return 0 if all(each.is_well for each in findings) else 2


def _check_limits(limits: LimitSet, where: str, *, as_json: bool) -> list[Finding]:
    findings = prove(limits)
    for finding in findings:
        if as_json:
            say_json(finding)
        else:
            phase = f" in phase {finding.phase}" if finding.phase else ""
            told = "holds" if finding.is_well else "wrong"
            say(f"{told}  {finding.alarm}{phase}: {finding.text}")
    if not as_json:
        for sentence in allowed(limits.operator.inactivation):
            say(f"allows {sentence}")
    for finding in findings:
        if not finding.is_well:
            place = f"{finding.place} " if finding.place else ""
            note(f"{where}: {place}{finding.alarm}: {finding.text}")
    return findings


def _say_latencies(findings: Sequence[Finding], chairs: Sequence[Chair], *, as_json: bool) -> None:
    """Say how long each alarm that was proved takes, on these chairs' devices or on any."""
    averaging = averaging_of(chairs)
    rows = [
        latency_of(each, averaging)
        for each in findings
        if each.is_well and each.latency_s is not None
    ]
    if as_json:
        chair = {"chair": chairs[0].name} if chairs else {}
        for row in rows:
            say_json({**chair, "latency": msgspec.to_builtins(row)})
        return
    say("")
    say("From the patient to the screen at the latest, in seconds. Nothing sounds.")
    say_table(_HEAD, (_cells(each) for each in rows))
    say("device: its own averaging, unknown where its driver does not say; sample: one a second;")
    say("evidence: beyond the delay while data come. Where more than half of them are missing, the")
    say(
        "alarm waits until half of its delay was measured, and no_data_METRIC says what is missing."
    )


def averaging_of(chairs: Sequence[Chair]) -> dict[Metric, float]:
    """Return the longest averaging that the chairs' drivers declare for each metric, in seconds.

    A metric of which one of the devices that give it says nothing is left out: unknown.
    """
    devices = [device for chair in chairs for device in chair.devices]
    known: dict[Metric, float] = {}
    for metric in Metric:
        said = [
            each.driver.averaging_s.get(metric) for each in devices if metric in each.driver.metrics
        ]
        if said and None not in said:
            known[metric] = max(each for each in said if each is not None)
    return known


def latency_of(finding: Finding, averaging: dict[Metric, float]) -> Latency:
    """Return the whole way of one proved alarm."""
    assert finding.latency_s is not None
    delay_s = finding.latency_s if finding.delay_s is None else finding.delay_s
    evidence_s = max(0.0, round(finding.latency_s - delay_s, 3))
    is_episodic = finding.metric in _AT_ONCE
    device_s = 0.0 if finding.metric is None else averaging.get(finding.metric)
    sample_s = 0.0 if is_episodic else SAMPLE_S
    parts = (sample_s, delay_s, evidence_s, SIGNAL_DEADLINE_S, SCREEN_S)
    return Latency(
        alarm=finding.alarm + (f" ({finding.phase})" if finding.phase else ""),
        told=finding.band or finding.text.split(":")[0],
        device_s=device_s,
        sample_s=sample_s,
        delay_s=delay_s,
        evidence_s=evidence_s,
        pipeline_s=SIGNAL_DEADLINE_S,
        annunciation_s=SCREEN_S,
        total_s=round(sum(parts) + (device_s or 0.0), 3),
    )


def _cells(row: Latency) -> tuple[str, ...]:
    numbers = (row.sample_s, row.delay_s, row.evidence_s, row.pipeline_s, row.annunciation_s)
    device = "unknown" if row.device_s is None else f"{row.device_s:g}"
    total = f"{row.total_s:g}" + (" + device" if row.device_s is None else "")
    return (row.alarm, row.told, device, *(f"{each:g}" for each in numbers), total)
