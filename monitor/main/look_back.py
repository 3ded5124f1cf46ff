"""`vigil sessions`, `verify` and `reconcile`: what was recorded, and whether it can be believed."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from alarms.limits import read_preset
from monitor.config import read_config
from monitor.installed import get_driver
from monitor.main.output import note, say, say_json, say_table
from monitor.main.serve import software
from monitor.main.upload import make_influx
from monitor.model.errors import ConfigError
from monitor.model.instant import in_seconds
from monitor.runtime.proof import Derivation, derive_again
from monitor.store.reading import SessionLine, list_sessions, read_header
from monitor.store.reconcile import reconcile as compare
from monitor.store.verify import ChainReport, check_chain


def sessions(place: str, *, as_json: bool) -> int:
    """List the sessions in a data directory, or in that of a configuration."""
    path = Path(place)
    folder = path if path.is_dir() else Path(read_config(path).site.data_dir)
    lines = list_sessions(folder)
    if as_json:
        for line in lines:
            say_json(_fields(line))
        return 0
    say_table(
        ("session", "chair", "opened (UTC)", "minutes", "entries", "state", "mode"),
        [_row(line) for line in lines],
    )
    return 0


def _fields(line: SessionLine) -> dict[str, object]:
    return {
        "session": line.session,
        "chair": line.chair,
        "opened_utc": _utc(line.opened_utc_ns),
        "duration_s": round(in_seconds(line.duration), 3),
        "entries": line.entries,
        "closed": line.is_closed,
        "mode": line.mode,
        "file": str(line.path),
        "trouble": line.trouble,
    }


def _row(line: SessionLine) -> tuple[str, ...]:
    if line.trouble:
        return (line.path.name, "", "", "", "", line.trouble, "")
    return (
        line.session,
        line.chair,
        _utc(line.opened_utc_ns),
        f"{in_seconds(line.duration) / 60:.1f}",
        str(line.entries),
        "closed" if line.is_closed else "open",
        line.mode,
    )


def _utc(utc_ns: int) -> str:
    return datetime.fromtimestamp(utc_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def verify(file: str, *, as_json: bool) -> int:
    """Prove one record; 0 if chain and conclusions hold, 1 with the first difference.

    Raises:
        MonitorError: the file cannot be read.
    """
    path = Path(file)
    if not path.is_file():
        raise ConfigError(f"{file}: no such file; `vigil sessions DIR` lists what there is")
    chain = check_chain(path, _progress if sys.stderr.isatty() else None)
    made_by = read_header(path).software
    if made_by != software():
        note(f"made by {made_by}; this is {software()}, which may rightly conclude otherwise")
    derived = derive_again(path, get_driver, read_preset) if chain.is_whole else None
    if as_json:
        say_json({"file": file, "chain": chain, "derivation": derived})
    else:
        _say_proof(file, chain, derived)
    return 0 if chain.is_whole and derived is not None and derived.is_same else 1


def _say_proof(file: str, chain: ChainReport, derived: Derivation | None) -> None:
    if chain.first_difference is not None:
        broken = chain.first_difference
        say(f"{file}: chain broken at entry {broken.seq}: {broken.what}")
        return
    say(f"{file}: chain whole, {chain.entries} entries")
    if derived is None:
        return
    if derived.difference is not None:
        say(f"first difference at entry {derived.difference.seq}: {derived.difference.what}")
        return
    say(f"{derived.conclusions} conclusions follow again from {derived.inputs} inputs")


def _progress(done: int, total: int) -> None:
    sys.stderr.write(f"\r{done} of {total} entries")
    if done >= total:
        sys.stderr.write("\n")
    sys.stderr.flush()


def reconcile(config_path: str, file: str, *, as_json: bool) -> int:
    """Hold a record against InfluxDB: counts per channel; 0 if they are equal.

    Raises:
        ConfigError: the configuration names no InfluxDB.
        MonitorError: InfluxDB does not answer.
    """
    config = read_config(Path(config_path))
    influx = make_influx(config)
    if influx is None:
        raise ConfigError(f"{config_path}: there is no [influx] table to reconcile with")
    path = Path(file)
    if not path.exists():
        path = Path(config.site.data_dir) / file
    found = compare(path, influx)
    if as_json:
        say_json(found)
    else:
        say_table(
            ("channel", "record", "influx"),
            [
                (str(each.channel), str(each.in_record), str(each.in_influx))
                for each in found.channels
            ],
        )
    for each in found.channels:
        if not each.is_equal:
            note(f"{each.channel}: {each.in_record} in the record, {each.in_influx} stored")
    if found.waiting or found.parked:
        note(f"{found.waiting} points wait for the upload; {found.parked} were refused for good")
    return 0 if found.is_equal else 1
