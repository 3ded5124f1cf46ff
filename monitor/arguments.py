"""The arguments of each command of `vigil`; what a command does is in `monitor.cli`."""

import argparse
import os
from importlib import metadata
from typing import Final

NOT_A_DEVICE: Final = (
    "Vigil is a secondary display and recorder beside a cleared monitor. "
    "It is not a medical device and never commands a pump."
)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line; the name chosen is in `command`."""
    parser = argparse.ArgumentParser(prog="vigil", description=NOT_A_DEVICE)
    parser.add_argument("--version", action="version", version=f"vigil {_version()}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for add in (
        _add_demo,
        _add_run,
        _add_serve,
        _add_dashboard,
        _add_check,
        _add_devices,
        _add_listen,
        _add_simulate,
        _add_decode,
        _add_replay,
        _add_sessions,
        _add_verify,
        _add_explain,
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


def _add_run(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _command(commands, "run", "serve with a screen attached", "vigil run clinic.toml")
    parser.add_argument("config", metavar="CONFIG")
    _add_operator(parser)


def _add_serve(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands,
        "serve",
        "watch and record, without a screen; prints a line per alarm change",
        "vigil serve clinic.toml",
    )
    parser.add_argument("config", metavar="CONFIG")
    parser.add_argument("--speed", type=float, default=1.0, help=argparse.SUPPRESS)
    parser.add_argument("--while-stdin", action="store_true", help=argparse.SUPPRESS)


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


def _add_devices(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _command(commands, "devices", "list the drivers", "vigil devices --json")
    parser.add_argument("--json", action="store_true", help="JSON lines")


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
    parser.add_argument(
        "--unknown",
        action="store_true",
        help="with each field that nobody knows, the bytes it was found in",
    )
    _add_options(parser)
    parser.add_argument("--capture", metavar="FILE", help="keep the raw bytes with their instants")
    parser.add_argument("--for", dest="for_s", type=float, default=0, metavar="S", help="seconds")


def _add_simulate(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands,
        "simulate",
        "a simulated device for others to connect to; says where it is as one JSON line",
        "vigil simulate suntech pty:",
    )
    parser.add_argument("driver", metavar="DRIVER")
    parser.add_argument(
        "url",
        metavar="URL",
        help="pty:, tcp://127.0.0.1:0 (listens; 0 is any free port), tcp://HOST:PORT?connect=1 "
        "(calls a host that listens), udp://127.0.0.1:0, or mqtt://HOST:PORT/TOPIC",
    )
    parser.add_argument("--scenario", default="slow-apnoea", metavar="NAME", help="which course")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="which patient")
    parser.add_argument("--for", dest="for_s", type=float, metavar="S", help="end after S seconds")


def _add_decode(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands,
        "decode",
        "decode captured bytes: raw, hex, dumps, logs, our own capture format, pcap or pcapng",
        "vigil decode capnostream - --hex < bytes.txt",
    )
    parser.add_argument("driver", metavar="DRIVER")
    parser.add_argument("file", metavar="FILE", help="- is standard input")
    parser.add_argument("--hex", action="store_true", help="insist that the file is hex text")
    _add_options(parser)
    _add_sender(parser)
    parser.add_argument("--waves", action="store_true", help="waveforms too")


def _add_replay(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands,
        "replay",
        "a recording through the alarm core: alarm lines, then a summary",
        "vigil replay night.csv --zero-is-missing spo2 --map SAT=spo2",
    )
    parser.description = (
        f"{parser.description} Of an alarm's changes, ended, latched and reset close it; "
        "docs/recordings.md says what each word means."
    )
    parser.add_argument("file", metavar="FILE", help="long or wide CSV, WFDB header, capture")
    parser.add_argument("--speed", default="max", metavar="X", help="times real time, or max")
    _add_reading(parser)


def _add_reading(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limits", default="", metavar="L", help="a preset's name or TOML file")
    parser.add_argument(
        "--zero-is-missing",
        action="append",
        default=[],
        metavar="METRIC",
        help="this recorder writes 0 where it has no reading; may be repeated",
    )
    parser.add_argument(
        "--missing",
        action="append",
        default=[],
        metavar="VALUE",
        help="a number or word that stands for no reading, in any column; may be repeated",
    )
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="COLUMN=METRIC",
        help="what a column holds, or co2_available or co2_not_available (also spo2_...) for a "
        "flag; may be repeated",
    )
    parser.add_argument(
        "--driver", metavar="DRIVER", help="the file holds raw bytes of this device"
    )
    _add_options(parser)
    _add_sender(parser)


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


def _add_verify(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands,
        "verify",
        "prove a record: hash chain, and the same conclusions from the same inputs",
        "vigil verify /var/lib/vigil/2-20261123T081500Z.vigil",
    )
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--json", action="store_true", help="one JSON line")


def _add_explain(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands,
        "explain",
        "what is behind the changes of an alarm, or why there was none",
        "vigil explain night.csv spo2_low --at 190; vigil explain night.csv --why-not spo2 185",
    )
    parser.add_argument("file", metavar="FILE", help="a recording, or the record of a session")
    wish = parser.add_mutually_exclusive_group(required=True)
    wish.add_argument("alarm", nargs="?", default="", metavar="ALARM", help="as in spo2_low")
    wish.add_argument(
        "--why-not", nargs=2, metavar=("METRIC", "T"), help="why there was no alarm at T seconds"
    )
    parser.add_argument("--at", metavar="T", help="only the change told last by T seconds")
    parser.add_argument("--json", action="store_true", help="JSON lines")
    _add_reading(parser)


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
