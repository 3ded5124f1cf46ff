"""The `[hl7]` and `[mqtt]` tables: read whole, or refused with key, value and remedy."""

import re
from pathlib import Path

import pytest

from monitor.config import Config, broker_secrets, config_of
from monitor.model.errors import ConfigError
from monitor.runtime.hl7.table import target_of, wishes_of
from monitor.runtime.transports.contract import Secrets
from tests.services.certificates import tls_files

SITE = """\
[site]
name = "north|clinic"
data_dir = "d"
[[chair]]
name = "1"
devices = [{ driver = "nonin", url = "tcp://h:1" }]
"""


def read(more: str) -> Config:
    return config_of(SITE + more, "site.toml", Path())


def refusal(more: str) -> str:
    with pytest.raises(ConfigError) as refused:
        read(more)
    return str(refused.value)


def test_a_url_is_enough() -> None:
    table = read('[hl7]\nurl = "mllp://gateway.clinic:2575"\n').hl7
    assert table is not None
    wishes, target = wishes_of(table, "north|clinic"), target_of(table)
    assert (target.host, target.port, target.tls) == ("gateway.clinic", 2575, None)
    assert (wishes.sends_observations, wishes.sends_alarms, wishes.every_s) == (True, True, 10.0)
    assert (wishes.sender.application, wishes.sender.facility) == ("VIGIL", "north clinic")
    assert not wishes.sender.asks_commit


def test_all_of_it_may_be_said() -> None:
    table = read(
        '[hl7]\nurl = "mllp://[::1]:1"\nsend = ["alarms"]\nevery_s = 60\n'
        'application = "V^1^ISO"\n'
        'facility = "F"\nreceiving_application = "R"\n'
        'receiving_facility = "RF"\nanswers = "commit"\n'
    ).hl7
    assert table is not None
    wishes = wishes_of(table, "n")
    assert (wishes.sends_observations, wishes.sends_alarms, wishes.every_s) == (False, True, 60)
    assert wishes.sender.asks_commit
    names = (wishes.sender.application, wishes.sender.facility, wishes.sender.receiving_facility)
    assert names == ("V^1^ISO", "F", "RF")


def test_without_a_table_nothing_is_sent() -> None:
    assert read("").hl7 is None


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('url = "tcp://h:1"', ("key url", "tcp://h:1", "mllp://gateway.clinic:2575")),
        ('url = "mllp://h"', ("key url", "mllp://h", "2575")),
        ('url = "mllp://h:99999"', ("key url", "99999")),
        ('url = "mllp://u:p@h:1"', ("key url", "write mllp://")),
        ('send = ["waves"]', ("key send", "waves", "observations, alarms")),
        ("send = []", ("key send", "both")),
        ("every_s = 0", ("key every_s", "0", "1 to 3600")),
        ('answers = "both"', ("key answers", "both", '"application" or "commit"')),
        ('application = ""', ("key application", "VIGIL")),
        ('application = "a|b"', ("key application", "a|b", "without")),
        ('receiving_facility = "a\\nb"', ("key receiving_facility", "without")),
        ('ca_file = "ca.crt"', ("key url", "mllps://")),
        ('cert_file = "a"', ("cert_file and key_file", "both")),
        ('uri = "x"', ("[hl7]", "key uri", 'did you mean "url"')),
        ("every_s = 1979-05-27", ("hl7.every_s",)),
    ],
)
def test_what_cannot_be_is_named_with_a_remedy(line: str, says: tuple[str, ...]) -> None:
    key = line.split(" = ", maxsplit=1)[0]
    url = "" if key == "url" else 'url = "mllp://h:1"\n'
    said = refusal(f"[hl7]\n{url}{line}\n")
    for word in ("site.toml", "hl7", *says):
        assert word in said


def test_certificates_are_read_when_sending_begins(tmp_path: Path) -> None:
    files = tls_files(tmp_path)
    table = read(
        f'[hl7]\nurl = "mllps://h:1"\nca_file = "{files.ca}"\n'
        f'cert_file = "{files.certificate}"\nkey_file = "{files.key}"\n'
    ).hl7
    assert table is not None
    assert target_of(table).tls is not None
    files.certificate.write_text("no certificate")
    with pytest.raises(ConfigError, match=r"tls\.crt"):
        target_of(table)


def test_a_broker_may_be_shown_a_certificate_of_ours() -> None:
    whole = '[mqtt]\nurl = "mqtts://b:8883"\nca_file = "a"\ncert_file = "c"\nkey_file = "k"\n'
    assert broker_secrets(read(whole)) == {"b": Secrets(None, None, "a", "c", "k")}
    assert "both or none" in refusal(whole.replace('key_file = "k"\n', ""))


@pytest.mark.parametrize("page", ["hl7-out.md", "mqtt.md"])
def test_what_the_page_shows_is_a_configuration(page: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")
    shown = re.findall(r"^```toml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert shown
    for each in shown:
        config = read(each)
        assert config.hl7 is not None or config.mqtt is not None
