"""Every answer a server can give has one meaning, and only acceptance moves the cursor."""

import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.errors import ConfigError
from monitor.store.influx import (
    RETRY_AFTER_S_MAX,
    Answer,
    Api,
    Influx,
    InfluxFailedError,
    Target,
    Verdict,
    classify,
)
from monitor.store.isolate import isolate
from monitor.store.uploader import RETRY_S_MAX, retry_delay_s
from tests.services.servers import LOOPBACK, free_port

SECRET = "s3cr3t"  # noqa: S105  # of no server


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (204, "", Verdict.ACCEPTED),
        (200, "<html>Welcome to the guest network</html>", Verdict.MISCONFIGURED),
        (301, "", Verdict.MISCONFIGURED),
        (400, '{"error":"partial write: field type conflict: x dropped=1"}', Verdict.LINES_REFUSED),
        (400, '{"error":"unable to parse \'x\': missing fields"}', Verdict.LINES_REFUSED),
        (
            400,
            '{"code":"invalid","message":"partial write of line protocol"}',
            Verdict.LINES_REFUSED,
        ),
        (422, '{"message":"points beyond retention policy"}', Verdict.LINES_REFUSED),
        (400, '{"error":"database is required"}', Verdict.MISCONFIGURED),
        (401, '{"error":"authorization failed"}', Verdict.MISCONFIGURED),
        (403, "", Verdict.MISCONFIGURED),
        (404, '{"error":"database not found: \\"nodb\\""}', Verdict.MISCONFIGURED),
        (408, "", Verdict.LATER),
        (413, "", Verdict.TOO_LARGE),
        (418, "", Verdict.MISCONFIGURED),
        (429, "", Verdict.LATER),
        (500, '{"error":"timeout"}', Verdict.LATER),
        (500, '{"error":"retention policy not found"}', Verdict.MISCONFIGURED),
        (503, "", Verdict.LATER),
        (599, "", Verdict.LATER),
    ],
)
def test_each_answer_has_its_meaning(status: int, body: str, verdict: Verdict) -> None:
    answer = classify(status, {}, body)
    assert answer.verdict is verdict
    assert (answer.reason == "") == (verdict is Verdict.ACCEPTED)


@given(st.integers(100, 999), st.text(max_size=400), st.text(max_size=20))
def test_nothing_but_204_is_ever_acceptance(status: int, body: str, wait: str) -> None:
    answer = classify(status, {"Retry-After": wait}, body)
    assert (answer.verdict is Verdict.ACCEPTED) == (status == 204)
    assert len(answer.reason) <= 300


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [
        ("7", 7.0),
        ("999999", RETRY_AFTER_S_MAX),
        ("-1", None),
        ("soon", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("٣", None),
    ],
)
def test_the_wait_a_server_asks_for_is_bounded(wait: str, seconds: float | None) -> None:
    assert classify(503, {"Retry-After": wait}, "").retry_after_s == seconds


def test_how_many_lines_are_bad_is_read_where_it_is_said() -> None:
    assert classify(400, {}, "partial write: x dropped=3").dropped == 3
    assert classify(400, {}, "partial write: unable to parse 'x' dropped=0").dropped is None


@pytest.mark.parametrize(
    ("url", "bucket"),
    [
        ("influx:8086", "b"),
        ("ftp://influx", "b"),
        ("http://", "b"),
        ("http://me:pw@influx:8086", "b"),
        ("http://influx:8086", ""),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(url: str, bucket: str) -> None:
    with pytest.raises(ConfigError, match=r"\[influx\]") as refused:
        Target(url=url, bucket=bucket)
    assert "pw" not in str(refused.value)


def test_a_target_never_shows_its_secrets() -> None:
    target = Target(url="http://h", bucket="b", token=SECRET, username="u", password=SECRET)
    assert SECRET not in repr(target)
    assert SECRET not in f"{target}"


@given(st.integers(1, 10_000), st.floats(0, 0.999), st.none() | st.floats(0, 300))
def test_the_delay_grows_is_spread_and_stays_bounded(
    tries: int, chance: float, asked: float | None
) -> None:
    delay = retry_delay_s(Answer(Verdict.LATER, retry_after_s=asked), tries, chance)
    assert delay >= (asked or 0.25)
    assert delay <= max(RETRY_S_MAX, asked or 0)
    longer = retry_delay_s(Answer(Verdict.LATER, retry_after_s=asked), tries + 1, chance)
    assert longer >= delay
    assert retry_delay_s(Answer(Verdict.MISCONFIGURED), tries, chance) >= RETRY_S_MAX


# --- a server that says what we tell it ----------------------------------------------------------


class _Scripted(BaseHTTPRequestHandler):
    """Answers with what the test wrote down, and remembers what it was asked."""

    protocol_version = "HTTP/1.1"
    timeout = 5  # seconds without a word
    status: ClassVar[int] = 204
    body: ClassVar[bytes] = b""
    asked: ClassVar[list[tuple[str, dict[str, list[str]], str]]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        url = urlsplit(self.path)
        authorization = self.headers.get("Authorization", "")
        self.asked.append((url.path, parse_qs(url.query), authorization))
        self.send_response(self.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        """Say nothing on standard error."""


@pytest.fixture
def scripted() -> Iterator[str]:
    """The address of a server whose answers are `_Scripted.status` and `_Scripted.body`."""
    _Scripted.status, _Scripted.body = 204, b""
    _Scripted.asked.clear()
    # Threads, so that a connection which a failed test left open does not hold up the end.
    server = ThreadingHTTPServer((LOOPBACK, 0), _Scripted)
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://{LOOPBACK}:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_each_api_has_its_path_and_says_no_precision(scripted: str) -> None:
    influx = Influx(Target(url=scripted, bucket="db/rp", org="clinic", token=SECRET))
    assert influx.write(b"m f=1 1").verdict is Verdict.ACCEPTED
    influx.close()
    influx = Influx(Target(url=scripted, bucket="db/rp", api=Api.V1, username="u", password="p"))  # noqa: S106
    assert influx.write(b"m f=1 1").verdict is Verdict.ACCEPTED
    influx.close()
    assert _Scripted.asked == [
        ("/api/v2/write", {"bucket": ["db/rp"], "org": ["clinic"]}, f"Token {SECRET}"),
        ("/write", {"db": ["db"], "rp": ["rp"]}, "Basic dTpw"),
    ]


def test_a_redirect_is_not_followed_and_not_success(scripted: str) -> None:
    _Scripted.status = 302
    influx = Influx(Target(url=scripted, bucket="b"))
    assert influx.write(b"m f=1 1").verdict is Verdict.MISCONFIGURED
    assert len(_Scripted.asked) == 1
    influx.close()


def test_a_secret_that_the_server_echoes_is_not_passed_on(scripted: str) -> None:
    _Scripted.status, _Scripted.body = 401, f"bad token {SECRET}".encode()
    influx = Influx(Target(url=scripted, bucket="b", token=SECRET))
    assert influx.write(b"m f=1 1").reason == "401: bad token ***"
    influx.close()


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[]", b'{"results":7}', b"<html>"])
def test_rubbish_from_a_server_is_an_answer_too(scripted: str, body: bytes) -> None:
    _Scripted.status, _Scripted.body = 200, body
    influx = Influx(Target(url=scripted, bucket="b"))
    assert influx.write(b"m f=1 1").verdict in {Verdict.MISCONFIGURED, Verdict.LATER}
    with pytest.raises(InfluxFailedError):
        influx.query("SHOW DATABASES")
    influx.close()


def test_nobody_there_means_later() -> None:
    influx = Influx(Target(url=f"http://{LOOPBACK}:{free_port()}", bucket="b"))
    answer = influx.write(b"m f=1 1")
    assert answer.verdict is Verdict.LATER
    assert "no answer" in answer.reason
    with pytest.raises(InfluxFailedError, match="no answer"):
        influx.query("SHOW DATABASES")
    influx.close()


# --- finding the lines that are refused ----------------------------------------------------------


class Strict:
    """A server's behaviour in a few lines: takes good lines, refuses those that say `bad`."""

    def __init__(self, *, tells_count: bool, down_after: int = 10**9) -> None:
        self.stored: set[str] = set()
        self.requests = 0
        self._tells_count = tells_count
        self._down_after = down_after

    def write(self, body: bytes) -> Answer:
        self.requests += 1
        if self.requests > self._down_after:
            return Answer(Verdict.LATER, "gone")
        lines = body.decode().split("\n")
        bad = [line for line in lines if "bad" in line]
        self.stored |= set(lines) - set(bad)
        if not bad:
            return Answer(Verdict.ACCEPTED)
        return Answer(Verdict.LINES_REFUSED, "no", dropped=len(bad) if self._tells_count else None)


@given(
    st.lists(st.booleans(), min_size=1, max_size=40),
    st.booleans(),
    st.integers(1, 3),
)
def test_exactly_the_bad_lines_are_held_back(
    badness: list[bool],
    tells_count: bool,  # noqa: FBT001  # drawn
    shapes: int,
) -> None:
    lines = [
        f"m{n % shapes},t=1 {'bad' if is_bad else 'good'}={n}i {n}"
        for n, is_bad in enumerate(badness)
    ]
    server = Strict(tells_count=tells_count)
    first = server.write("\n".join(lines).encode())
    if first.verdict is Verdict.ACCEPTED:
        return
    isolated = isolate(server.write, lines, first)
    assert isolated.interrupted is None
    assert [index for index, _ in isolated.refused] == [n for n, bad in enumerate(badness) if bad]
    assert server.stored == {line for line in lines if "bad" not in line}
    assert server.requests <= 2 * len(lines) + 2


def test_lines_refused_for_their_shape_cost_two_requests_not_thousands() -> None:
    lines = [f"{'vital bad' if n % 2 else 'wave ok'}={n}i {n}" for n in range(1000)]
    server = Strict(tells_count=True)
    isolated = isolate(server.write, lines, server.write("\n".join(lines).encode()))
    assert len(isolated.refused) == 500
    assert server.requests == 3


def test_a_server_that_goes_away_while_we_search_condemns_no_line() -> None:
    lines = [f'm f="{"bad" if n == 7 else "ok"}" {n}' for n in range(16)]
    server = Strict(tells_count=True, down_after=3)
    isolated = isolate(server.write, lines, server.write("\n".join(lines).encode()))
    assert isolated.refused == ()
    assert isolated.interrupted == Answer(Verdict.LATER, "gone")


def test_chance_decides_nothing_but_the_spread() -> None:
    chance = random.Random(1)
    delays = {retry_delay_s(Answer(Verdict.LATER), 3, chance.random()) for _ in range(50)}
    assert len(delays) == 50
    assert all(1.0 <= delay <= 2.0 for delay in delays)
