"""The servers of the service tests come up, answer, and go away."""

import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.servers import (
    LOOPBACK,
    Influxd,
    Mosquitto,
    Nginx,
    Server,
    ServerFailedError,
    ServerMissingError,
    answers_ping,
    answers_tcp,
    program,
    start_on_free_port,
)

pytestmark = pytest.mark.service


def test_influxd_keeps_its_port_and_database_over_a_restart(influxd: Influxd) -> None:
    assert answers_ping(influxd.server.port)
    influxd.stop()
    assert not answers_ping(influxd.server.port)
    influxd.start()
    assert answers_ping(influxd.server.port)


def test_nginx_stands_before_the_engine(nginx_v2: Nginx) -> None:
    assert answers_ping(nginx_v2.server.port)


def test_the_broker_answers(mosquitto: Mosquitto) -> None:
    assert answers_tcp(mosquitto.port)
    assert mosquitto.url == f"mqtt://{LOOPBACK}:{mosquitto.port}"


def test_the_tls_broker_proves_who_it_is(mosquitto_tls: Mosquitto) -> None:
    assert mosquitto_tls.ca_file is not None
    context = ssl.create_default_context(cafile=str(mosquitto_tls.ca_file))
    with (
        socket.create_connection(("localhost", mosquitto_tls.port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        assert secure.version() is not None


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(ServerMissingError, match="no-such-server"):
        program("no-such-server")


def test_a_server_that_dies_says_its_last_words(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "raise SystemExit('cannot bind')")

    def make(port: int) -> Server:
        return Server(command=command, folder=tmp_path, port=port, is_ready=answers_tcp)

    with pytest.raises(ServerFailedError, match="cannot bind"):
        start_on_free_port(make)


def test_the_install_script_is_plain_posix_shell() -> None:
    script = Path(__file__).with_name("install.sh")
    subprocess.run(("sh", "-n", str(script)), check=True)
