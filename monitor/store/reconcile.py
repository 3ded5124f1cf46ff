"""Record against InfluxDB: how many points each channel has here and there."""

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Protocol

import msgspec

from monitor.store.influx import InfluxFailedError
from monitor.store.points import CHANNEL_TAG, NOT_SENT, Channel, Points, UnfitError, count_points
from monitor.store.reading import connect_read_only, read_header, walk
from monitor.store.record import read_cursor
from monitor.store.spool import CURSOR, read_parked

_COUNTED_FIELD = {"wave": "value"}
"""The field that each point of a measurement has; `seq` where none is named."""


class Answers(Protocol):
    """What is needed of a server."""

    def query(self, influxql: str) -> list[dict[str, object]]:
        """Return the series that an InfluxQL query finds."""


class ChannelCount(msgspec.Struct, frozen=True):
    """Points of one channel: to be expected by the record, and found in InfluxDB."""

    channel: Channel
    in_record: int
    in_influx: int

    @property
    def is_equal(self) -> bool:
        """Return whether both sides have as many."""
        return self.in_record == self.in_influx


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """What `reconcile` found. `waiting` points are not sent yet; `parked` were refused for good."""

    session: str
    channels: tuple[ChannelCount, ...]
    waiting: int
    parked: int
    unfit: int

    @property
    def is_equal(self) -> bool:
        """Return whether InfluxDB has all that it was sent, and all was sent."""
        return (
            all(each.is_equal for each in self.channels)
            and not self.waiting
            and not self.parked
            and not self.unfit
        )


def reconcile(path: Path, influx: Answers) -> Reconciliation:
    """Count the points of a record, channel by channel, and those of its session in InfluxDB.

    Points that wait to be sent are counted apart; points refused for good are missing in InfluxDB.

    Raises:
        RecordFailedError: the record cannot be read.
        RecordDamagedError: the record cannot be read any more.
        InfluxFailedError: InfluxDB does not answer.
    """
    opened = read_header(path)
    points = Points(opened)
    sent: Counter[Channel] = Counter()
    waiting = unfit = 0
    with closing(connect_read_only(path)) as connection:
        cursor = read_cursor(path, connection, CURSOR)
        parked = read_parked(path, connection)
        for seq, entry in walk(path, connection):
            if entry.kind in NOT_SENT:
                continue
            try:
                count, channel = count_points(entry), points.channel(entry)
            except UnfitError:
                unfit += 1
                continue
            if seq > cursor:
                waiting += count
            elif count:
                sent[channel] += count
    found = _found(influx, opened.session)
    channels = tuple(
        ChannelCount(channel, sent[channel], found.get(channel, 0))
        for channel in sorted({*sent, *found})
    )
    return Reconciliation(
        session=opened.session,
        channels=channels,
        waiting=waiting,
        parked=sum(each.points for each in parked),
        unfit=unfit,
    )


def _found(influx: Answers, session: str) -> dict[Channel, int]:
    """Return how many points of the session InfluxDB holds, by channel."""
    counts: dict[Channel, int] = {}
    quoted = session.replace("\\", "\\\\").replace("'", "\\'")
    for measurement, tag in CHANNEL_TAG.items():
        field = _COUNTED_FIELD.get(measurement, "seq")
        query = f"""SELECT count("{field}") FROM "{measurement}" WHERE "session" = '{quoted}'"""  # noqa: S608  # InfluxQL has no parameters before 1.8
        for series in influx.query(f'{query} GROUP BY "{tag}"'):
            channel, count = _counted(series, measurement, tag)
            counts[channel] = counts.get(channel, 0) + count
    return counts


class _Series(msgspec.Struct):
    tags: dict[str, str]
    values: list[tuple[int, int]]


def _counted(series: dict[str, object], measurement: str, tag: str) -> tuple[Channel, int]:
    try:
        known = msgspec.convert(series, _Series)
    except msgspec.ValidationError as error:
        raise InfluxFailedError(f"not a count of points: {error}") from error
    return Channel(measurement, known.tags.get(tag, "")), sum(count for _, count in known.values)
