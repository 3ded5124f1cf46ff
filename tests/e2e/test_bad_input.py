"""Wrong words, files and bytes at the command line: a named error, and nothing made up."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from drivers.registry import names
from monitor.cli import main
from tests.e2e.commands import vigil

Run = Callable[..., tuple[int, str, str]]

CONFIG = """\
[site]
name = "north"
data_dir = "{folder}/data"
[[chair]]
name = "1"
devices = [ { driver = "nonin", url = "serial:///dev/null" } ]
"""


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Return what runs a command in this process: its code, its results, its notes."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        try:
            code = main([str(each) for each in arguments])
        except SystemExit as ended:  # argparse's own way
            code = ended.code if isinstance(ended.code, int) else 1
        said = capfd.readouterr()
        return code, said.out, said.err

    return run


# -- configuration ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("was", "becomes", "names_it"),
    [
        ("data_dir", "data_dri", ("[site]", "data_dri", "data_dir")),
        ("[[chair]]", "[[chiar]]", ("chiar", "chair")),
        ('driver = "nonin"', 'driver = "nonnin"', ("device 1", "nonnin", "nonin")),
        ('url = "serial', 'url = "ftp', ("device 1", "url", "ftp", "serial")),
        (
            'name = "1"',
            'name = "1"\nlimits = "iv-ketamin"',
            ("limits", "iv-ketamin", "iv-ketamine"),
        ),
        ('name = "1"', "name = 1", ("name", "str")),
        ('name = "1"', 'name = ""', ("name", "letters")),
        ("serial:///dev/null", "serial:///dev/null?baud=fast", ("url", "baud", "fast")),
        ("serial:///dev/null", "serial:///dev/null?baud=0", ("url", "baud", "above 0")),
        ("serial:///dev/null", "serial:///dev/null?parity=X", ("url", "parity", "N, E or O")),
        ('"nonin",', '"nonin", colour = "red",', ("nonin", "colour")),
        ('name = "north"', "name = north", ("TOML",)),
        ("devices = [", "devices = [ 5,", ("devices",)),
        ('name = "1"', 'name = "1"\npriority_of_source = { spo3 = ["nonin"] }', ("spo3", "spo2")),
        ('name = "1"', 'name = "1"\npriority_of_source = { spo2 = ["cap"] }', ("cap", "nonin")),
        ('name = "north"', 'name = "north"\nsocket = 5', ("socket", "str")),
    ],
)
@pytest.mark.parametrize("command", ["serve", "check"])
def test_what_is_wrong_in_a_configuration_is_named(
    run: Run, tmp_path: Path, command: str, was: str, becomes: str, names_it: tuple[str, ...]
) -> None:
    assert was in CONFIG
    file = tmp_path / "site.toml"
    text = CONFIG.replace(was, becomes, 1).replace("{folder}", str(tmp_path))
    file.write_text(text, encoding="utf-8")
    code, out, err = run(command, file)
    assert (code, out) == (2, "")
    for word in ("site.toml", *names_it):
        assert word in err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("command", ["serve", "check", "run"])
@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"", b"[site\n"])
def test_what_is_no_configuration_is_named(
    run: Run, tmp_path: Path, command: str, content: bytes | None
) -> None:
    file = tmp_path / "site.toml"
    if content is not None:
        file.write_bytes(content)
    code, out, err = run(command, file)
    assert (code, out) == (2, "")
    assert str(file) in err


@pytest.mark.parametrize(
    ("was", "becomes", "names_it"),
    [
        ("[limits.spo2.low]", "[limits.spo3.low]", ("spo3",)),
        ("[limits.spo2.low]", "[limits.spo2.lwo]", ("lwo",)),
        ("delay_s = 10", 'delay_s = "ten"', ("delay_s",)),
        ("delay_s = 10", "delay_s = -1", ("delay_s", "-1")),
        ("[data]", "[date]", ("[data]",)),
    ],
)
def test_what_is_wrong_in_a_limit_set_is_named(
    run: Run, tmp_path: Path, was: str, becomes: str, names_it: tuple[str, ...]
) -> None:
    shipped = Path(main.__code__.co_filename).parents[1] / "alarms/presets/iv-ketamine.toml"
    text = shipped.read_text(encoding="utf-8")
    assert f"\n{was}\n" in text
    preset = tmp_path / "own.toml"
    preset.write_text(text.replace(f"\n{was}\n", f"\n{becomes}\n", 1), encoding="utf-8")
    recording = tmp_path / "rec.csv"
    recording.write_text("time_s,metric,value\n0,spo2,97\n", encoding="utf-8")
    code, out, err = run("replay", recording, "--limits", preset)
    assert (code, out) == (2, "")
    for word in ("own.toml", *names_it):
        assert word in err


# -- files and words -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("decode", "nonin", "absent.bin"),
        ("replay", "absent.csv"),
        ("verify", "absent.vigil"),
        ("check", "absent.toml"),
        ("serve", "absent.toml"),
        ("sessions", "absent.toml"),
        ("reconcile", "absent.toml", "absent.vigil"),
    ],
)
def test_a_file_that_is_not_there_is_named(run: Run, arguments: tuple[str, ...]) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert "absent" in err


@pytest.mark.parametrize("command", ["decode", "listen"])
def test_an_unknown_driver_is_named_with_the_nearest(run: Run, command: str) -> None:
    code, out, err = run(command, "capnostraem", "serial:///dev/null")
    assert (code, out) == (2, "")
    assert "capnostraem" in err
    assert "capnostream" in err


@pytest.mark.parametrize(
    ("arguments", "names_it"),
    [
        (("replay", "{csv}", "--speed", "quick"), "--speed"),
        (("replay", "{csv}", "--zero-is-missing", "spo3"), "spo3"),
        (("replay", "{csv}", "--map", "SAT=spo3"), "spo3"),
        (("replay", "{csv}", "--map", "SAT"), "SAT"),
        (("replay", "{csv}", "--limits", "none-such"), "none-such"),
        (("listen", "nonin", "nowhere"), "nowhere"),
        (("decode", "nonin", "{csv}", "--hex"), "hex"),
        (("nonsense",), "nonsense"),
        (("demo", "--for", "soon"), "soon"),
    ],
)
def test_a_wrong_word_is_named(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], names_it: str
) -> None:
    recording = tmp_path / "rec.csv"
    recording.write_text("time_s,metric,value\n0,spo2,97\n", encoding="utf-8")
    code, out, err = run(*(each.replace("{csv}", str(recording)) for each in arguments))
    assert (code, out) == (2, "")
    assert names_it in err


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 5000,
        bytes(range(256)) * 20,
        b"\x89PNG\r\n\x1a\n" + bytes(2000),
        b"BZh91AY&SY" + bytes(200),
        b"\x1f\x8b\x08\x00" + bytes(200),
        b"time_s,metric,value\n0,spo2",
        b"time_s,metric,value\nsoon,spo2,97\n",
        b"a,b,c\n1,2,3\n",
        b"time_s,spo2,spo2\n0,97,98\n",
    ],
)
def test_a_recording_that_is_none_is_named(run: Run, tmp_path: Path, content: bytes) -> None:
    recording = tmp_path / "night.csv"
    recording.write_bytes(content)
    code, out, err = run("replay", recording)
    assert "night.csv" in err or "rejected" in out or code == 0
    if code == 0:  # nothing readable in a readable frame: counted, and nothing made up
        summary = json.loads(out.splitlines()[-1])
        assert summary["observations"] in ({}, {"spo2": 1})
        assert summary["alarms"] == {}
        assert summary["rejected"] or summary["missing"] or summary["notes"]
    else:
        assert (code, out) == (2, "")


# -- bytes -----------------------------------------------------------------------------------------


def _hostile() -> dict[str, bytes]:
    chance = random.Random(20)
    return {
        "nothing": b"",
        "zeros": bytes(70_000),
        "ones": b"\xff" * 70_000,
        "noise": chance.randbytes(70_000),
        "starts": bytes([0x85, 0x80, 0x02, 0x01, 0x3E, 0x10, 0x7E, 0xAA]) * 9_000,
        "deep": b"[" * 40_000,
        "deeper": b'{"v":' * 20_000,
        "endless line": b"9" * 70_000,
        "huge numbers": b'[{"n":"spo2","v":1e999,"t":-9e307}]',
        "not text": b'{"spo2":"\xff\xfe"}',
        "digits": b'[{"n":"spo2","v":' + b"9" * 5_000 + b"}]",
        "halves": b'[{"bn":null,"n":5,"v":[],"t":{}}]',
    }


@pytest.mark.parametrize("driver", names())
@pytest.mark.parametrize("kind", list(_hostile()))
def test_hostile_bytes_are_refused_and_counted_whatever_the_driver(
    run: Run, tmp_path: Path, driver: str, kind: str
) -> None:
    file = tmp_path / "bytes"
    file.write_bytes(_hostile()[kind])
    code, out, err = run("decode", driver, file)
    assert code in {0, 1}, err
    assert len(out) < 2_000_000
    for line in out.splitlines():
        said = json.loads(line)
        assert said.get("value") is None or abs(said["value"]) < 1e6
        assert {"metric", "rejected", "notice", "alarm"} & set(said)


def test_a_process_ends_with_the_code_and_without_a_traceback(tmp_path: Path) -> None:
    wrong = vigil("decode", "nonin", tmp_path / "none")
    assert (wrong.code, wrong.out) == (2, "")
    nothing = vigil("decode", "nonin", "-", stdin=b"\xfe" * 900)
    assert nothing.code == 1
    assert {"rejected"} == {key for line in nothing.lines for key in line if key == "rejected"}
    assert vigil().code == 2
