"""Arguments and exit codes of the command `vigil`.

Exit codes: 0 done, 1 a check found something, 2 wrong use or configuration, 3 the world failed.
Each command imports what it needs when it runs, so that `vigil --help` answers at once.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from monitor.arguments import make_parser
from monitor.model.errors import ConfigError, MonitorError, RecordingError

if TYPE_CHECKING:
    from monitor.main.replay import ReplayWishes

_DONE, _FOUND, _WRONG_USE, _WORLD_FAILED = 0, 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = make_parser()
    chosen = parser.parse_args(arguments)
    if chosen.command is None:
        parser.print_help()
        return _WRONG_USE
    code: int
    try:
        code = _COMMANDS[chosen.command](chosen)
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

    return serve(chosen.config, chosen.speed, ends_with_stdin=chosen.while_stdin)


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
    from monitor.installed import get_driver  # noqa: PLC0415
    from monitor.main.devices import read_options  # noqa: PLC0415
    from monitor.main.listen import ListenWishes, listen  # noqa: PLC0415

    return listen(
        get_driver(chosen.driver),
        chosen.url,
        ListenWishes(
            options=read_options(chosen.option),
            waves=chosen.waves,
            unknown=chosen.unknown,
            capture=chosen.capture,
            for_s=chosen.for_s,
        ),
    )


def _simulate(chosen: argparse.Namespace) -> int:
    from monitor.installed import get_driver  # noqa: PLC0415
    from monitor.main.simulate import simulate_device  # noqa: PLC0415

    return simulate_device(
        get_driver(chosen.driver),
        chosen.url,
        scenario=chosen.scenario,
        seed=chosen.seed,
        for_s=chosen.for_s,
    )


def _decode(chosen: argparse.Namespace) -> int:
    from monitor.installed import get_driver  # noqa: PLC0415
    from monitor.main.decoding import Source  # noqa: PLC0415
    from monitor.main.devices import decode, read_options  # noqa: PLC0415

    source = Source(
        file=chosen.file,
        options=read_options(chosen.option),
        is_hex=chosen.hex,
        sender=chosen.sender,
    )
    return decode(get_driver(chosen.driver), source, waves=chosen.waves)


def _replay(chosen: argparse.Namespace) -> int:
    from monitor.main.replay import replay  # noqa: PLC0415

    return replay(_recorded(chosen, speed=chosen.speed))


def _recorded(chosen: argparse.Namespace, *, speed: str = "max") -> "ReplayWishes":
    from monitor.main.replay import ReplayWishes  # noqa: PLC0415

    return ReplayWishes(
        file=chosen.file,
        limits=chosen.limits,
        speed=speed,
        zero_is_missing=tuple(chosen.zero_is_missing),
        missing=tuple(chosen.missing),
        columns=tuple(chosen.map),
        driver=chosen.driver,
        options=tuple(chosen.option),
        sender=chosen.sender,
    )


def _explain(chosen: argparse.Namespace) -> int:
    from monitor.main.explain import ExplainWishes, explain, read_seconds  # noqa: PLC0415

    metric, at = chosen.why_not or ("", chosen.at)
    return explain(
        ExplainWishes(
            source=_recorded(chosen),
            alarm=chosen.alarm,
            metric=metric,
            at_s=read_seconds(at),
            as_json=chosen.json,
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


_COMMANDS: Final[Mapping[str, Callable[[argparse.Namespace], int]]] = {
    "demo": _demo,
    "run": _run,
    "serve": _serve,
    "dashboard": _dashboard,
    "check": _check,
    "devices": _devices,
    "listen": _listen,
    "simulate": _simulate,
    "decode": _decode,
    "replay": _replay,
    "sessions": _sessions,
    "verify": _verify,
    "explain": _explain,
    "reconcile": _reconcile,
}


if __name__ == "__main__":
    sys.exit(main())
