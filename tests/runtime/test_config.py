"""A configuration is read whole or refused with file, table, key, value and what would be right."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import Config, broker_secrets, config_of, read_config, secret
from monitor.model.errors import ConfigError
from monitor.runtime.transports.contract import Secrets

WHOLE = """\
[site]
name = "north"
data_dir = "/var/lib/vigil"

[[chair]]
name = "2"
pseudonym = "K-0417"
devices = [
  { driver = "capnostream", url = "serial:///dev/ttyUSB0?baud=115200" },
  { driver = "nonin", url = "serial:///dev/ttyUSB1", name = "finger" },
  { driver = "nonin", url = "tcp://10.0.0.7:4001" },
  { driver = "senml", url = "mqtt://clinic/chair2/#" },
]
priority_of_source = { spo2 = ["finger", "capnostream"] }
[chair.plan]
protocol = "ketamine"
dose_mg = 35.0
infusion_min = 40.0

[influx]
url = "http://influx:8086"
org = "clinic"
token_env = "TOKEN"

[mqtt]
url = "mqtts://clinic:8883"
username = "vigil"
password_env = "BROKER_PASSWORD"
"""


def read(text: str) -> Config:
    return config_of(text, "site.toml", Path())


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as refused:
        read(text)
    return str(refused.value)


def test_a_whole_configuration_is_read_as_it_is_written() -> None:
    config = read(WHOLE)
    (chair,) = config.chairs
    assert [device.link for device in chair.devices] == ["capnostream", "finger", "nonin", "senml"]
    assert chair.priority_of_source == {"spo2": ("finger", "capnostream")}
    assert (chair.preset, chair.plan.dose_mg) == ("iv-ketamine", 35.0)
    assert config.socket == Path("/var/lib/vigil/vigil.sock")
    assert config.influx is not None
    assert config.influx.api == "v2"
    assert not config.site.simulated


LINES = [
    line for line in WHOLE.splitlines() if "=" in line and not line.startswith((" ", "devices"))
]


@given(st.sampled_from(LINES), st.integers(0, 5))
def test_a_key_spelt_wrong_is_named_and_the_right_one_is_proposed(line: str, place: int) -> None:
    key = line.split(" = ", maxsplit=1)[0]
    at = min(place, len(key) - 1)
    wrong = key[:at] + "q" + key[at:]
    said = refusal(WHOLE.replace(f"{line}\n", f"{wrong}{line[len(key) :]}\n", 1))
    assert said.startswith("site.toml")
    assert wrong in said or key in said  # a required key that is missing may be named first
    assert key in said


@given(st.sampled_from(LINES))
def test_a_value_of_the_wrong_kind_is_named_by_its_key(line: str) -> None:
    key = line.split(" = ", maxsplit=1)[0]
    said = refusal(WHOLE.replace(f"{line}\n", f"{key} = 1979-05-27\n", 1))
    assert said.startswith("site.toml")
    assert key in said


@given(st.text(max_size=200))
def test_whatever_text_is_no_configuration_is_refused_by_the_files_name(text: str) -> None:
    assert refusal(text).startswith("site.toml")


@given(st.binary(max_size=200))
def test_whatever_bytes_are_no_configuration_are_refused_by_the_files_name(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_bytes(data)
    with pytest.raises(ConfigError, match=r"any\.toml"):
        read_config(file)


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ('name = "2"', 'name = "../2"', ("key name", "../2", "letters")),
        ('name = "finger"', 'name = "capnostream"', ("device 2", "taken")),
        ('name = "finger"', 'name = "a b"', ("device 2", "a b")),
        ('"serial:///dev/ttyUSB1"', '"serial://"', ("device 2", "name the port")),
        ('"tcp://10.0.0.7:4001"', '"tcp://:4001"', ("device 3", "host")),
        ('"tcp://10.0.0.7:4001"', '"tcp://10.0.0.7:99999"', ("device 3", "99999")),
        ('"tcp://10.0.0.7:4001"', "5", ("device 3", "key url")),
        ('"mqtt://clinic/chair2/#"', '"mqtt://clinic"', ("device 4", "topic")),
        ('"mqtt://clinic/chair2/#"', '"tcp://clinic:1"', ("device 4", "senml", "mqtt")),
        ('spo2 = ["finger"', 'spo2 = ["thumb"', ("priority_of_source", "thumb", "finger")),
        ('spo2 = ["finger"', 'sp02 = ["finger"', ("priority_of_source", "sp02", "spo2")),
        ('org = "clinic"', 'api = "v3"', ("[influx]", "key api", "v3", "v1", "v2")),
        ("?baud=115200", "?baud=-1", ("device 1", "key url", "above 0")),
        ("?baud=115200", "?speed=9", ("device 1", "speed", "baud")),
        ("?baud=115200", "?bits=9", ("device 1", "bits")),
    ],
)
def test_what_cannot_be_is_named_with_a_remedy(
    was: str, becomes: str, says: tuple[str, ...]
) -> None:
    assert was in WHOLE
    said = refusal(WHOLE.replace(was, becomes, 1))
    for word in ("site.toml", *says):
        assert word in said


def test_a_site_without_a_chair_and_a_chair_without_a_device_watch_nobody() -> None:
    site = '[site]\nname = "n"\ndata_dir = "d"\n'
    assert "chair" in refusal(site)
    assert "at least one chair" in refusal("chair = []\n" + site)
    assert "watches nobody" in refusal(site + '[[chair]]\nname = "1"\ndevices = []\n')


def test_two_chairs_of_one_name_are_refused() -> None:
    chair = '[[chair]]\nname = "1"\ndevices = [{ driver = "nonin", url = "tcp://h:1" }]\n'
    said = refusal('[site]\nname = "n"\ndata_dir = "d"\n' + chair + chair)
    assert '"1" is used twice' in said


# -- secrets ---------------------------------------------------------------------------------------


def test_a_secret_comes_from_the_environment_or_from_a_file_that_is_private(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text("open sesame\n", encoding="utf-8")
    file.chmod(0o600)
    monkeypatch.setenv("BROKER_PASSWORD_FILE", str(file))
    assert broker_secrets(read(WHOLE)) == {"clinic": Secrets("vigil", "open sesame", None)}
    file.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        secret("BROKER_PASSWORD", "[mqtt]")
    monkeypatch.setenv("BROKER_PASSWORD", "from here")
    assert secret("BROKER_PASSWORD", "[mqtt]") == "from here"


@pytest.mark.parametrize("places", [{}, {"TOKEN_FILE": "/nowhere/token"}])
def test_a_secret_that_is_nowhere_is_named(
    monkeypatch: pytest.MonkeyPatch, places: dict[str, str]
) -> None:
    for name, value in places.items():
        monkeypatch.setenv(name, value)
    assert "TOKEN" not in os.environ
    with pytest.raises(ConfigError, match=r"\[influx\], key token_env.*(TOKEN|nowhere)"):
        secret("TOKEN", "[influx], key token_env")


def test_no_secret_is_asked_for_where_none_is_named() -> None:
    assert secret("", "[mqtt]") is None
