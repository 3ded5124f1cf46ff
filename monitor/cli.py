"""Arguments and exit codes of the command `vigil`.

Exit codes: 0 done, 1 a check found something, 2 wrong use or configuration, 3 the world failed.
Each command imports what it needs when it runs, so that `vigil --help` answers at once.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Final

from monitor.model.errors import ConfigError, MonitorError, RecordingError

NOT_A_DEVICE: Final = (
    "Vigil is a secondary display and recorder beside a cleared monitor. "
    "It is not a medical device and never commands a pump."
)
_DONE, _FOUND, _WRONG_USE, _WORLD_FAILED = 0, 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if not hasattr(chosen, "run"):
        parser.print_help()
        return _WRONG_USE
    code: int
    try:
        code = chosen.run(chosen)
        sys.stdout.flush()
    except (ConfigError, RecordingError) as error:
        sys.stderr.write(f"vigil: {error}\n")
        code = _WRONG_USE
    except MonitorError as error:
        sys.stderr.write(f"vigil: {error}\n")
        code = _WORLD_FAILED
    except FileNotFoundError as error:
        sys.stderr.write(f"vigil: {error.filename}: no such file\n")
        code = _WRONG_USE
    except BrokenPipeError:
        # The reader went away (`| head`): that is its right, and nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = _DONE
    except KeyboardInterrupt:
        code = 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vigil", description=NOT_A_DEVICE)
    parser.add_argument("--version", action="version", version=f"vigil {_version()}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for add in (
        _add_demo,
        _add_run,
        _add_serve,
        _add_dashboard,
        _add_check,
        _add_devices,
        _add_listen,
        _add_decode,
        _add_replay,
        _add_sessions,
        _add_verify,
        _add_reconcile,
    ):
        add(commands)
    return parser


def _version() -> str:
    try:
        return metadata.version("vigil-infusion")
    except metadata.PackageNotFoundError:
        return "unknown"


Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it


def _command(
    commands: "Commands[argparse.ArgumentParser]", name: str, does: str, example: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=does,
        description=f"{does[0].upper()}{does[1:]}. {NOT_A_DEVICE}",
        epilog=f"example: {example}",
    )


def _add_demo(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands,
        "demo",
        "a simulated chair, on devices that speak their real protocols",
        "vigil demo --scenario slow-apnoea",
    )
    parser.add_argument("--scenario", default="slow-apnoea", metavar="NAME", help="which course")
    parser.add_argument(
        "--speed", default="1", metavar="X", help="times real time, or max (headless only)"
    )
    parser.add_argument("--headless", action="store_true", help="alarm lines instead of a screen")
    parser.add_argument("--for", dest="for_s", type=float, metavar="S", help="end after S seconds")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="which patient")
    parser.add_argument("--chairs", type=int, default=1, metavar="N", help="how many chairs")
    parser.add_argument("--record", metavar="DIR", help="keep the record in DIR")
    parser.add_argument("--list", action="store_true", help="list the scenarios")
    parser.set_defaults(run=_demo)


def _add_run(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _command(commands, "run", "serve with a screen attached", "vigil run clinic.toml")
    parser.add_argument("config", metavar="CONFIG")
    _add_operator(parser)
    parser.set_defaults(run=_run)


def _add_serve(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands,
        "serve",
        "watch and record, without a screen; prints a line per alarm change",
        "vigil serve clinic.toml",
    )
    parser.add_argument("config", metavar="CONFIG")
    parser.add_argument("--speed", type=float, default=1.0, help=argparse.SUPPRESS)
    parser.set_defaults(run=_serve)


def _add_dashboard(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands,
        "dashboard",
        "attach a screen to a running serve",
        "vigil dashboard unix:///var/lib/vigil/vigil.sock",
    )
    parser.add_argument("url", metavar="URL", help="unix:///path/to/vigil.sock, or the path alone")
    parser.add_argument("--chair", metavar="NAME", help="which chair to show first")
    _add_operator(parser)
    parser.set_defaults(run=_dashboard)


def _add_operator(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--operator",
        default=os.environ.get("VIGIL_OPERATOR", os.environ.get("USER", "operator")),
        metavar="NAME",
        help="who acts at this screen (default: $VIGIL_OPERATOR, then the login name)",
    )


def _add_check(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands,
        "check",
        "check a configuration or a limit set, and prove that every rule can fire",
        "vigil check clinic.toml",
    )
    parser.add_argument("config", metavar="CONFIG", help="a configuration, or a limit set's TOML")
    parser.add_argument("--json", action="store_true", help="JSON lines")
    parser.set_defaults(run=_check)


def _add_devices(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _command(commands, "devices", "list the drivers", "vigil devices --json")
    parser.add_argument("--json", action="store_true", help="JSON lines")
    parser.set_defaults(run=_devices)


def _add_listen(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands,
        "listen",
        "decode one device live; nothing is stored",
        "vigil listen nonin serial:///dev/ttyUSB0",
    )
    parser.add_argument("driver", metavar="DRIVER")
    parser.add_argument("url", metavar="URL")
    parser.add_argument("--waves", action="store_true", help="waveforms too")
    _add_options(parser)
    parser.add_argument("--capture", metavar="FILE", help="keep the raw bytes with their instants")
    parser.add_argument("--for", dest="for_s", type=float, default=0, metavar="S", help="seconds")
    parser.set_defaults(run=_listen)


def _add_decode(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands,
        "decode",
        "decode captured bytes: raw, hex text, our own capture format, pcap or pcapng",
        "vigil decode capnostream - --hex < bytes.txt",
    )
    parser.add_argument("driver", metavar="DRIVER")
    parser.add_argument("file", metavar="FILE", help="- is standard input")
    parser.add_argument("--hex", action="store_true", help="the file is hex text")
    _add_options(parser)
    _add_sender(parser)
    parser.add_argument("--waves", action="store_true", help="waveforms too")
    parser.set_defaults(run=_decode)


def _add_replay(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands,
        "replay",
        "a recording through the alarm core: alarm lines, then a summary",
        "vigil replay night.csv --zero-is-missing spo2 --map SAT=spo2",
    )
    parser.add_argument("file", metavar="FILE", help="long or wide CSV, WFDB header, capture")
    parser.add_argument("--limits", default="", metavar="L", help="a preset's name or TOML file")
    parser.add_argument("--speed", default="max", metavar="X", help="times real time, or max")
    parser.add_argument(
        "--zero-is-missing", action="append", default=[], metavar="METRIC", help="may be repeated"
    )
    parser.add_argument(
        "--map", action="append", default=[], metavar="COLUMN=METRIC", help="may be repeated"
    )
    parser.add_argument(
        "--driver", metavar="DRIVER", help="the file holds raw bytes of this device"
    )
    _add_options(parser)
    _add_sender(parser)
    parser.set_defaults(run=_replay)


def _add_sender(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--from",
        dest="sender",
        metavar="ADDRESS",
        help="which device of a packet file, as in 10.0.0.9 or 10.0.0.7:4001",
    )


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an option of the driver, as in a configuration; may be repeated",
    )


def _add_sessions(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands, "sessions", "list recorded sessions", "vigil sessions /var/lib/vigil"
    )
    parser.add_argument("place", metavar="DIR|CONFIG", help="a data directory or a configuration")
    parser.add_argument("--json", action="store_true", help="JSON lines")
    parser.set_defaults(run=_sessions)


def _add_verify(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands,
        "verify",
        "prove a record: hash chain, and the same conclusions from the same inputs",
        "vigil verify /var/lib/vigil/2-20261123T081500Z.vigil",
    )
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--json", action="store_true", help="one JSON line")
    parser.set_defaults(run=_verify)


def _add_reconcile(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands,
        "reconcile",
        "hold a record against InfluxDB: counts per channel",
        "vigil reconcile clinic.toml 2-20261123T081500Z.vigil",
    )
    parser.add_argument("config", metavar="CONFIG")
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--json", action="store_true", help="JSON lines")
    parser.set_defaults(run=_reconcile)


# -- each command, imported when it runs -----------------------------------------------------------


def _demo(chosen: argparse.Namespace) -> int:
    from monitor.main.course import DemoWishes  # noqa: PLC0415
    from monitor.main.demo import demo  # noqa: PLC0415

    return demo(
        DemoWishes(
            scenario=chosen.scenario,
            speed=chosen.speed,
            is_headless=chosen.headless,
            for_s=chosen.for_s,
            seed=chosen.seed,
            chairs=chosen.chairs,
            record=chosen.record,
            only_lists=chosen.list,
        )
    )


def _run(chosen: argparse.Namespace) -> int:
    from monitor.main.screen import run_with_screen  # noqa: PLC0415

    return run_with_screen(chosen.config, chosen.operator)


def _serve(chosen: argparse.Namespace) -> int:
    from monitor.main.serve import serve  # noqa: PLC0415

    return serve(chosen.config, chosen.speed)


def _dashboard(chosen: argparse.Namespace) -> int:
    from monitor.main.screen import show  # noqa: PLC0415

    return show(chosen.url, chair=chosen.chair, operator=chosen.operator)


def _check(chosen: argparse.Namespace) -> int:
    from monitor.main.check import check  # noqa: PLC0415

    return check(chosen.config, as_json=chosen.json)


def _devices(chosen: argparse.Namespace) -> int:
    from monitor.main.devices import list_devices  # noqa: PLC0415

    return list_devices(as_json=chosen.json)


def _listen(chosen: argparse.Namespace) -> int:
    from drivers.registry import get  # noqa: PLC0415
    from monitor.main.devices import listen, read_options  # noqa: PLC0415

    return listen(
        get(chosen.driver),
        chosen.url,
        waves=chosen.waves,
        options=read_options(chosen.option),
        capture=chosen.capture,
        for_s=chosen.for_s,
    )


def _decode(chosen: argparse.Namespace) -> int:
    from drivers.registry import get  # noqa: PLC0415
    from monitor.main.decoding import Source  # noqa: PLC0415
    from monitor.main.devices import decode, read_options  # noqa: PLC0415

    source = Source(
        file=chosen.file,
        options=read_options(chosen.option),
        is_hex=chosen.hex,
        sender=chosen.sender,
    )
    return decode(get(chosen.driver), source, waves=chosen.waves)


def _replay(chosen: argparse.Namespace) -> int:
    from monitor.main.replay import ReplayWishes, replay  # noqa: PLC0415

    return replay(
        ReplayWishes(
            file=chosen.file,
            limits=chosen.limits,
            speed=chosen.speed,
            zero_is_missing=tuple(chosen.zero_is_missing),
            columns=tuple(chosen.map),
            driver=chosen.driver,
            options=tuple(chosen.option),
            sender=chosen.sender,
        )
    )


def _sessions(chosen: argparse.Namespace) -> int:
    from monitor.main.look_back import sessions  # noqa: PLC0415

    return sessions(chosen.place, as_json=chosen.json)


def _verify(chosen: argparse.Namespace) -> int:
    from monitor.main.look_back import verify  # noqa: PLC0415

    return verify(chosen.file, as_json=chosen.json)


def _reconcile(chosen: argparse.Namespace) -> int:
    from monitor.main.look_back import reconcile  # noqa: PLC0415

    return reconcile(chosen.config, chosen.file, as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
