"""A serial port: pyserial opens and sets it, the event loop reads its descriptor.

A pty refuses parity and modem lines with EINVAL or ENOTTY (measured; the kernel clears PARENB and
glibc reports it), and a real adapter may do so as well. The port is then used as it stands: bytes
that come out right prove the line better than its settings do.
"""

import asyncio
import errno
import os
import termios
from typing import Final

import msgspec
import serial

from drivers.contract import SerialLine
from monitor.runtime.transports.contract import (
    READ_SIZE_MAX,
    WRITE_BACKLOG_MAX,
    LinkFailedError,
    Receiver,
)

_BITS: Final = {7: serial.SEVENBITS, 8: serial.EIGHTBITS}
_STOPS: Final = {
    1: serial.STOPBITS_ONE,
    1.5: serial.STOPBITS_ONE_POINT_FIVE,
    2: serial.STOPBITS_TWO,
}
_REFUSED_SETTINGS: Final = frozenset({errno.EINVAL, errno.ENOTTY})


class SerialTransport:
    """Bytes of one port. `notes` says which settings the port refused."""

    def __init__(self, port: serial.Serial, receiver: Receiver, notes: tuple[str, ...]) -> None:
        self._port = port
        self._fd: int = port.fileno()
        self._receiver = receiver
        self._backlog = bytearray()
        self._is_open = True
        self._loop = asyncio.get_running_loop()
        self.notes = notes
        os.set_blocking(self._fd, False)
        self._loop.add_reader(self._fd, self._read)

    def write(self, data: bytes) -> None:
        """Send `data`, now if the port takes it."""
        if not self._is_open:
            return
        was_empty = not self._backlog
        self._backlog += data
        if len(self._backlog) > WRITE_BACKLOG_MAX:
            self._fail("the port takes no more bytes")
        elif was_empty:
            self._drain()

    def close(self) -> None:
        """Give the port back."""
        if not self._is_open:
            return
        self._is_open = False
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._port.close()

    def _read(self) -> None:
        try:
            data = os.read(self._fd, READ_SIZE_MAX)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(_words(error))
            return
        if data:
            self._receiver.heard(data)
        else:
            self._fail("unplugged")

    def _drain(self) -> None:
        try:
            sent = os.write(self._fd, self._backlog)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._fail(_words(error))
            return
        del self._backlog[:sent]
        if self._backlog:
            self._loop.add_writer(self._fd, self._drain)
        else:
            self._loop.remove_writer(self._fd)

    def _fail(self, reason: str) -> None:
        self.close()
        self._receiver.lost(reason)


async def open_serial(path: str, line: SerialLine, receiver: Receiver) -> SerialTransport:
    """Open the port at `path`, alone.

    Raises:
        LinkFailedError: there is no such port, it is taken, or it is none.
    """
    loop = asyncio.get_running_loop()
    port, notes = await loop.run_in_executor(None, _open, path, line)
    return SerialTransport(port, receiver, notes)


def _open(path: str, line: SerialLine) -> tuple[serial.Serial, tuple[str, ...]]:
    """Return the port, set as far as it takes settings, and what it refused of them."""
    without_parity = msgspec.structs.replace(line, bits=8, parity="N")
    for tried in (line, without_parity, SerialLine(baud=line.baud)):
        try:
            port = _opened(path, tried)
        except termios.error as error:
            if error.args[0] not in _REFUSED_SETTINGS:
                raise LinkFailedError(f"{path}: {error.args[1]}") from error
        except (OSError, ValueError) as error:  # SerialException is an OSError
            raise LinkFailedError(f"{path}: {error}") from error
        else:
            return port, () if tried == line else (f"{path} refuses {words(line)}",)
    raise LinkFailedError(f"{path}: takes no line settings")


def words(line: SerialLine) -> str:
    """Return line settings as people write them: `9600 8N1`, flow control behind."""
    flow = (" rts/cts" if line.rtscts else "") + (" xon/xoff" if line.xonxoff else "")
    return f"{line.baud} {line.bits}{line.parity}{line.stop:g}{flow}"


def _opened(path: str, line: SerialLine) -> serial.Serial:
    return serial.Serial(
        path,
        baudrate=line.baud,
        bytesize=_BITS[line.bits],
        parity=line.parity,
        stopbits=_STOPS[line.stop],
        rtscts=line.rtscts,
        xonxoff=line.xonxoff,
        timeout=0,
        write_timeout=0,
        exclusive=True,
    )


def _words(error: OSError) -> str:
    if error.errno in {errno.EIO, errno.ENXIO, errno.ENODEV}:
        return "unplugged"
    return error.strerror or str(error)
