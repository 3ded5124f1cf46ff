"""Real servers for tests: started by us on loopback, each with its own port and folder.

A system service is never touched: every process here is a child of ours, killed by its own id.
"""

import os
import shutil
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.services.certificates import tls_files

LOOPBACK: Final = "127.0.0.1"
START_TRIES_MAX: Final = 3
READY_POLLS_MAX: Final = 500
POLL_S: Final = 0.02
STOP_WITHIN_S: Final = 5.0
_PATH: Final = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))


class ServerMissingError(Exception):
    """The program is not installed on this machine."""


class ServerFailedError(Exception):
    """The program did not come up; the message ends with its own last words."""


def free_port() -> int:
    """Return a TCP port on loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def program(name: str) -> str:
    """Return the path of a server program.

    Raises:
        ServerMissingError: it is not installed.
    """
    found = shutil.which(name, path=_PATH)
    if found is None:
        raise ServerMissingError(f"{name} is not installed: run tests/services/install.sh as root")
    return found


@dataclass(kw_only=True)
class Server:
    """One server process; `start` and `stop` may alternate, the folder and the port stay."""

    command: Sequence[str]
    folder: Path
    port: int
    is_ready: Callable[[int], bool]
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def log(self) -> Path:
        """Return the file that holds what the server printed."""
        return self.folder / "server.log"

    def start(self) -> None:
        """Start the process and return once it answers.

        Raises:
            ServerFailedError: it ended, or did not answer in ten seconds.
        """
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, cwd=self.folder)
        for _ in range(READY_POLLS_MAX):
            if self.is_ready(self.port) and self.process.poll() is None:
                return
            if self._ended_within(POLL_S):
                break
        self.stop()
        raise ServerFailedError(self.log.read_text(errors="replace")[-2000:])

    def stop(self) -> None:
        """End the process: politely, then by force. Harmless when it is not running."""
        if self.process is None:
            return
        self.process.terminate()
        if not self._ended_within(STOP_WITHIN_S):
            self.process.kill()
            self.process.wait()
        self.process = None

    def kill(self) -> None:
        """End the process at once, as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _ended_within(self, wait_s: float) -> bool:
        assert self.process is not None
        try:
            self.process.wait(wait_s)
        except subprocess.TimeoutExpired:
            return False
        return True


def start_on_free_port(make: Callable[[int], Server]) -> Server:
    """Start what `make(port)` describes; try another port where one was taken meanwhile."""
    for _ in range(START_TRIES_MAX - 1):
        server = make(free_port())
        try:
            server.start()
        except ServerFailedError:
            continue
        return server
    server = make(free_port())
    server.start()
    return server


def answers_tcp(port: int) -> bool:
    """Return whether something accepts connections on this port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def answers_ping(port: int) -> bool:
    """Return whether an InfluxDB says 204 to /ping on this port."""
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/ping", timeout=1) as answer:
            return bool(answer.status == 204)
    except (urllib.error.URLError, OSError):
        return False


# --- InfluxDB ------------------------------------------------------------------------------------

_INFLUXD: Final = """\
bind-address = "127.0.0.1:{rpc_port}"
reporting-disabled = true
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
query-log-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
auth-enabled = {auth}
[monitor]
store-enabled = false
[subscriber]
enabled = false
"""


@dataclass
class Influxd:
    """A running InfluxDB 1.x with one empty database, `vigil`."""

    server: Server
    database: str = "vigil"

    @property
    def url(self) -> str:
        """Return where it is reached."""
        return f"http://{LOOPBACK}:{self.server.port}"

    def create_database(self, name: str) -> None:
        """Create a database, with the engine's default retention policy."""
        body = f"q=CREATE+DATABASE+{name}".encode()
        url = f"{self.url}/query"
        with urllib.request.urlopen(url, body, timeout=5) as answer:  # noqa: S310  # loopback
            assert answer.status == 200

    def stop(self) -> None:
        """Stop the server; its data stay."""
        self.server.stop()

    def start(self) -> None:
        """Start the server again on the same data."""
        self.server.start()


def start_influxd(folder: Path, *, auth: bool = False) -> Influxd:
    """Start an InfluxDB whose data lie in `folder`; with `auth`, no database is created."""
    command = program("influxd")

    def make(port: int) -> Server:
        config = folder / "influxd.conf"
        text = _INFLUXD.format(
            rpc_port=free_port(), port=port, folder=folder, auth=str(auth).lower()
        )
        config.write_text(text)
        return Server(
            command=(command, "-config", str(config)),
            folder=folder,
            port=port,
            is_ready=answers_ping,
        )

    influxd = Influxd(start_on_free_port(make))
    if not auth:
        influxd.create_database(influxd.database)
    return influxd


# --- nginx: the v2 write path in front of a 1.x engine -------------------------------------------

_NGINX: Final = """\
daemon off;
worker_processes 1;
{user}
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_max_body_size {body_size_max};
  client_body_buffer_size 8m;
  map $arg_precision $v1_precision {{ default n; ns n; us u; ms ms; s s; }}
  map $arg_bucket $v1_db {{ default $arg_bucket; "~*^(?<db>[^/%]+)(?:/|%2F)" $db; }}
  map $arg_bucket $v1_rp {{ default ""; "~*(?:/|%2F)(?<rp>.+)$" $rp; }}
  server {{
    listen 127.0.0.1:{port};
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    # A v2 token means nothing to a 1.x engine, which would refuse it.
    proxy_set_header Authorization "";
    location = /api/v2/write {{
      if (-f {folder}/busy) {{ return 503 "busy"; }}
      if (-f {folder}/too-many) {{ return 429; }}
      if (-f {folder}/forbidden) {{ return 401; }}
      add_header Retry-After 7 always;
      rewrite ^ /write?db=$v1_db&rp=$v1_rp&precision=$v1_precision? break;
      proxy_pass {upstream};
    }}
    location / {{ proxy_pass {upstream}; }}
  }}
}}
"""


@dataclass
class Nginx:
    """An nginx that gives an InfluxDB 1.x the write path of 2.x and 3.x."""

    server: Server

    @property
    def url(self) -> str:
        """Return where it is reached."""
        return f"http://{LOOPBACK}:{self.server.port}"

    def answer_with(self, trouble: str | None) -> None:
        """Let writes be refused: "busy" 503, "too-many" 429, "forbidden" 401; None: let them in."""
        for known in ("busy", "too-many", "forbidden"):
            (self.server.folder / known).unlink(missing_ok=True)
        if trouble is not None:
            (self.server.folder / trouble).touch()


def start_nginx_v2(folder: Path, influxd: Influxd, *, body_size_max: str = "50m") -> Nginx:
    """Start the proxy in front of `influxd`."""
    command = program("nginx")
    user = "user root;" if os.geteuid() == 0 else ""

    def make(port: int) -> Server:
        config = folder / "nginx.conf"
        config.write_text(
            _NGINX.format(
                user=user,
                folder=folder,
                port=port,
                upstream=influxd.url,
                body_size_max=body_size_max,
            )
        )
        return Server(
            command=(command, "-c", str(config), "-p", str(folder), "-e", "stderr"),
            folder=folder,
            port=port,
            is_ready=answers_tcp,
        )

    return Nginx(start_on_free_port(make))


# --- mosquitto -----------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Mosquitto:
    """A running MQTT broker; `username` and `password` are empty where anybody may enter."""

    server: Server
    username: str = ""
    password: str = ""
    ca_file: Path | None = None

    @property
    def port(self) -> int:
        """Return the TCP port on loopback."""
        return self.server.port

    @property
    def url(self) -> str:
        """Return where it is reached; the certificate is for `localhost`."""
        if self.ca_file is None:
            return f"mqtt://{LOOPBACK}:{self.port}"
        return f"mqtts://localhost:{self.port}"


def start_mosquitto(
    folder: Path, *, password: str = "", tls: bool = False, more: Sequence[str] = ()
) -> Mosquitto:
    """Start a broker with TCP_NODELAY (without it Nagle adds tens of milliseconds).

    With `password`, user `vigil` and that password are needed. With `tls`, it speaks only TLS,
    with a certificate for `localhost` signed by the CA in `ca_file`. `more`: further settings.
    """
    command = program("mosquitto")
    shared = ["set_tcp_nodelay true", "max_queued_messages 0", "log_dest stderr"]
    if os.geteuid() == 0:
        shared.append("user root")
    if password:
        shared += ["allow_anonymous false", f"password_file {_password_file(folder, password)}"]
    else:
        shared.append("allow_anonymous true")
    tls_lines, ca_file = _tls_lines(folder) if tls else ([], None)

    def make(port: int) -> Server:
        config = folder / "mosquitto.conf"
        listener = f"listener {port} {'localhost' if tls else LOOPBACK}"
        config.write_text("\n".join([listener, *tls_lines, *shared, *more]) + "\n")
        return Server(
            command=(command, "-c", str(config)),
            folder=folder,
            port=port,
            is_ready=_answers_tls if tls else answers_tcp,
        )

    server = start_on_free_port(make)
    username = "vigil" if password else ""
    return Mosquitto(server=server, username=username, password=password, ca_file=ca_file)


def _answers_tls(port: int) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection(("localhost", port), timeout=1) as plain,
            context.wrap_socket(plain),
        ):
            return True
    except OSError:
        return False


def _password_file(folder: Path, password: str) -> Path:
    file = folder / "passwords"
    command = (program("mosquitto_passwd"), "-b", "-c", str(file), "vigil", password)
    subprocess.run(command, check=True, capture_output=True)
    return file


def _tls_lines(folder: Path) -> tuple[list[str], Path]:
    """Return the broker's lines and the CA's file."""
    program("openssl")
    files = tls_files(folder)
    return [f"certfile {files.certificate}", f"keyfile {files.key}"], files.ca
