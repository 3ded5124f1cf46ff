"""A recorded capture as a transport: its bytes come again at their own pace."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from monitor.model.errors import RecordingError
from monitor.model.instant import Instant, in_seconds
from monitor.recordings.capture import read_head, read_pieces
from monitor.runtime.transports.contract import LinkFailedError, Receiver


class CaptureTransport:
    """Plays a capture from its start; what the host writes has nobody to read it."""

    def __init__(self, pieces: Iterator[tuple[Instant, bytes]], receiver: Receiver) -> None:
        self._pieces = pieces
        self._receiver = receiver
        self._loop = asyncio.get_running_loop()
        self._start_s = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._next()

    def write(self, data: bytes) -> None:
        """Do nothing: the device answered long ago."""
        del data

    def close(self) -> None:
        """Stop playing."""
        if self._timer is not None:
            self._timer.cancel()

    def _next(self) -> None:
        try:
            piece = next(self._pieces, None)
        except RecordingError as error:
            self._receiver.lost(str(error))
            return
        if piece is None:
            self._timer = self._loop.call_soon(self._receiver.lost, "the capture is over")  # type: ignore[assignment]
            return
        at, data = piece
        self._timer = self._loop.call_at(self._start_s + in_seconds(at), self._play, data)

    def _play(self, data: bytes) -> None:
        if data:
            self._receiver.heard(data)
        self._next()


async def open_capture(path: str, receiver: Receiver) -> CaptureTransport:
    """Open the capture at `path` for playing.

    Raises:
        LinkFailedError: there is no such file or it is no capture.
    """
    try:
        read_head(Path(path))
        return CaptureTransport(read_pieces(Path(path)), receiver)
    except (OSError, RecordingError) as error:
        raise LinkFailedError(str(error)) from error
