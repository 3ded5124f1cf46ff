"""InfluxDB 1.x, 2.x and 3.x behind one write and one read; every answer is classified.

Writes go through `influxdb-client`'s request layer, as whole bodies of line protocol, to
`/api/v2/write` or, for engines before 1.8, to `/write`. Times are nanoseconds, which is what both
paths take when no precision is said, so none is: a word that one version reads and another
misreads (`us`) would store points a thousand times too early. Reads are InfluxQL on `/query`,
which every version has. Redirects are not followed, and the client's own retries are off.
"""

import base64
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import urllib3.exceptions

from monitor.model.errors import ConfigError, MonitorError

CONNECT_WITHIN_S: Final = 3.0
ANSWER_WITHIN_S: Final = 15.0
RETRY_AFTER_S_MAX: Final = 300.0
REASON_SIZE_MAX: Final = 300

_NO_CONTENT: Final = 204
_LATER: Final = frozenset({408, 425, 429})
_REFUSES_LINES: Final = frozenset({400, 422})
_TOO_LARGE: Final = 413
_ABOUT_LINES: Final = re.compile(
    r"partial write|unable to parse|type conflict|beyond retention policy|points? dropped"
    r"|outside retention|max-values-per-tag|max-series-per-database|invalid (field|tag|number|bool)"
)
_DROPPED: Final = re.compile(r"dropped=(\d+)")
_IS_SETTING: Final = re.compile(r"retention policy not found|database not found|bucket.*not found")


class Api(StrEnum):
    """Which write path the server has."""

    V2 = "v2"
    V1 = "v1"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where points go. `bucket` is `db` or `db/rp` on the v1 path. Secrets are never shown.

    Raises:
        ConfigError: the URL is no HTTP address, or carries a password.
    """

    url: str
    bucket: str
    org: str = ""
    api: Api = Api.V2
    token: str = ""
    username: str = ""
    password: str = ""

    def __post_init__(self) -> None:
        """Refuse an address that cannot be meant."""
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError(f"[influx] url {self.url!r}: http://host:port or https://host:port")
        if parts.username is not None or parts.password is not None:
            raise ConfigError("[influx] url carries a password: name an environment variable")
        if not self.bucket:
            raise ConfigError("[influx] bucket is empty: name the bucket, or database, to write to")

    def __repr__(self) -> str:
        """Return where, never with what."""
        return f"Target({self.url!r}, bucket={self.bucket!r}, api={self.api.value!r})"

    @property
    def authorization(self) -> str:
        """Return the header that lets us in; empty for none."""
        if self.token:
            return f"Token {self.token}"
        if self.username:
            pair = f"{self.username}:{self.password}".encode()
            return f"Basic {base64.b64encode(pair).decode()}"
        return ""


class Verdict(StrEnum):
    """What an answer means for the points that were sent."""

    ACCEPTED = "accepted"
    LATER = "later"
    MISCONFIGURED = "misconfigured"
    LINES_REFUSED = "lines_refused"
    TOO_LARGE = "too_large"


class Answer(msgspec.Struct, frozen=True):
    """What the server, or the lack of one, said.

    `dropped` is how many lines it says it refused; None where it does not say.
    """

    verdict: Verdict
    reason: str = ""
    retry_after_s: float | None = None
    dropped: int | None = None


class InfluxFailedError(MonitorError):
    """A question could not be answered; the message says why."""


def classify(status: int, headers: Mapping[str, str], body: str) -> Answer:
    """Return what an HTTP answer to a write means.

    Only 204 is acceptance: a portal or proxy that answers 200 with a page has stored nothing. A
    refusal of the request that does not speak of lines is a matter of configuration: nothing is
    given up for it.
    """
    reason = f"{status}: {_said(body)}"[:REASON_SIZE_MAX].rstrip(": ")
    if status == _NO_CONTENT:
        return Answer(Verdict.ACCEPTED)
    if status == _TOO_LARGE:
        return Answer(Verdict.TOO_LARGE, reason)
    if status in _REFUSES_LINES and _ABOUT_LINES.search(body):
        found = _DROPPED.search(body)
        return Answer(
            Verdict.LINES_REFUSED, reason, dropped=int(found[1]) or None if found else None
        )
    if (status in _LATER or status >= 500) and not _IS_SETTING.search(body):
        return Answer(Verdict.LATER, reason, _retry_after_s(headers))
    return Answer(Verdict.MISCONFIGURED, reason)


def _said(body: str) -> str:
    """Return the server's own words, which 1.x, 2.x and 3.x put under different keys."""
    try:
        answer = msgspec.json.decode(body)
    except msgspec.MsgspecError:
        answer = None
    if isinstance(answer, dict):
        for key in ("message", "error"):
            if isinstance(answer.get(key), str):
                return " ".join(answer[key].split())
    return " ".join(body[:REASON_SIZE_MAX].split())


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the wait the server asks for, in seconds; a date instead of a number is not read."""
    text = headers.get("Retry-After", "")
    return min(float(text), RETRY_AFTER_S_MAX) if text.isascii() and text.isdigit() else None


class Influx:
    """One server. `write` and `query` block: call them in a thread."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._api: Any = _api_client(target)

    def write(self, body: bytes) -> Answer:
        """Send lines and return what came of it; the world's troubles are answers too."""
        path, parameters = _write_path(self.target)
        try:
            status, headers, text = self._ask("POST", path, parameters, body)
        except InfluxFailedError as error:
            return Answer(Verdict.LATER, str(error))
        answer = classify(status, headers, text)
        if not self.target.authorization:
            return answer
        return msgspec.structs.replace(answer, reason=self._without_secrets(answer.reason))

    def query(self, influxql: str) -> list[dict[str, object]]:
        """Return the series that an InfluxQL query finds: name, tags, columns, values.

        Raises:
            InfluxFailedError: no answer, a refusal, or not an answer of an InfluxDB.
        """
        database = self.target.bucket.partition("/")[0]
        parameters = [("db", database), ("q", influxql), ("epoch", "ns")]
        status, _, text = self._ask("GET", "/query", parameters)
        if status != 200:
            raise InfluxFailedError(self._without_secrets(f"{status}: {_said(text)}"))
        try:
            answer = msgspec.json.decode(text, type=_Found)
        except msgspec.MsgspecError as error:
            raise InfluxFailedError(f"not the answer of an InfluxDB: {error}") from error
        for result in answer.results:
            if result.error:
                raise InfluxFailedError(self._without_secrets(result.error))
        return [series for result in answer.results for series in result.series]

    def close(self) -> None:
        """Let go of the connections."""
        self._api.rest_client.pool_manager.clear()

    def _ask(
        self, method: str, path: str, parameters: list[tuple[str, str]], body: bytes | None = None
    ) -> tuple[int, Mapping[str, str], str]:
        """Return status, headers and text of one request.

        Raises:
            InfluxFailedError: there was no answer, or none that is text.
        """
        from influxdb_client.rest import ApiException  # noqa: PLC0415  # 0.25 s, see `_api_client`

        try:
            self._api.call_api(
                path,
                method,
                query_params=parameters,
                header_params={"Content-Type": "text/plain; charset=utf-8"},
                body=body,
                _return_http_data_only=False,
            )
        except ApiException as error:
            if error.status == 0:  # the client's word for a TLS failure
                raise InfluxFailedError(str(error.reason)) from error
            return int(error.status), error.headers or {}, error.body or ""
        except urllib3.exceptions.HTTPError as error:
            raise InfluxFailedError(f"no answer: {type(error).__name__}: {error}") from error
        except UnicodeError as error:
            raise InfluxFailedError("the answer is not text") from error
        response = self._api.last_response
        return int(response.status), response.getheaders(), str(response.data)

    def _without_secrets(self, text: str) -> str:
        for secret in (self.target.token, self.target.password):
            text = text.replace(secret, "***") if secret else text
        return text


class _Result(msgspec.Struct):
    series: list[dict[str, object]] = []
    error: str = ""


class _Found(msgspec.Struct):
    results: list[_Result]


def _write_path(target: Target) -> tuple[str, list[tuple[str, str]]]:
    if target.api is Api.V2:
        return "/api/v2/write", [("bucket", target.bucket), ("org", target.org)]
    database, _, retention = target.bucket.partition("/")
    parameters = [("db", database)]
    return "/write", [*parameters, ("rp", retention)] if retention else parameters


def _api_client(target: Target) -> object:
    """Return the client's request layer; it neither retries nor signs in on its own account."""
    # Imported late: it takes a quarter of a second, and most commands never talk to InfluxDB.
    from influxdb_client.client.influxdb_client import InfluxDBClient  # noqa: PLC0415

    timeout = (int(CONNECT_WITHIN_S * 1000), int(ANSWER_WITHIN_S * 1000))
    api: Any = InfluxDBClient(target.url, token="", org=target.org, timeout=timeout).api_client
    api.default_headers.pop("Authorization", None)
    if target.authorization:
        api.set_default_header("Authorization", target.authorization)
    return api
