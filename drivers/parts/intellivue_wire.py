"""IntelliVue messages on the wire: framed on MIB/RS-232, one to a datagram on the network.

::

    RS-232: C0 | 11 01 | LEN | message | FCS lo hi | C1     FCS: CRC-16/X.25 over 11..message
            C0, C1, 7D inside are sent as 7D and the byte xor 20; 7D C1 breaks a frame off
    LAN:    the message alone; its own head says how long it is, so that datagrams written one
            after the other into a file are told apart again

Which of the two a link carries shows in the first bytes, so no setting is needed.
"""

import re
from enum import StrEnum
from typing import Final

from drivers.checksums import crc_16_x25
from drivers.framing import EscapedSplitter, Piece, Strays
from monitor.model.instant import OPENING, Instant, between, seconds

FLAG, END = 0xC0, 0xC1
HEAD: Final = b"\x11\x01"
MESSAGE_SIZE_MAX: Final = 2048
_ESCAPES: Final = {b"\x7d\xe0": FLAG, b"\x7d\xe1": END, b"\x7d\x5d": 0x7D}
_WIRE_SIZE_MAX: Final = 2 * MESSAGE_SIZE_MAX
_PAUSE_MAX: Final = seconds(0.9)
_INDICATION: Final = b"\x00\x00\x01\x00\x00\x01"
_DATA: Final = 0xE1
_OPERATIONS: Final = frozenset({1, 2, 3, 5})
# Session types with what follows their length byte; nothing is known of a refusal's content.
_SESSION: Final = {
    0x0D: b"\x05\x08",
    0x0E: b"\x05\x08",
    0x09: b"\xc1",
    0x0A: b"\xc1",
    0x19: b"\x11\x01",
}
_REFUSE: Final = 0x0C
_MARK_SIZE: Final = 8
_DATA_MARK: Final = re.compile(rb"\xe1\x00\x00[\x00-\xff]\x00[\x01\x02\x03\x05]")
_MARK_BEGUN: Final = re.compile(rb"\xe1(?:\x00(?:\x00(?:[\x00-\xff]\x00?)?)?)?\Z")
_DATA_MARK_SIZE: Final = 6
_MAY_BEGIN: Final = re.compile(rb"[\x00\x09\x0a\x0d\x0e\x19\xc0\xe1]")


class Framing(StrEnum):
    """How messages are carried; `auto` finds out."""

    AUTO = "auto"
    LAN = "lan"
    RS232 = "rs232"


def wrap(message: bytes, framing: Framing) -> bytes:
    """Return a message as it goes out."""
    if framing is Framing.LAN:
        return message
    body = HEAD + len(message).to_bytes(2, "big") + message
    body += crc_16_x25(body).to_bytes(2, "little")
    for sequence, byte in reversed(_ESCAPES.items()):  # the escape byte itself first
        body = body.replace(bytes([byte]), sequence)
    return bytes([FLAG]) + body + bytes([END])


def size_of(data: bytes | bytearray) -> int | None:
    """Return the size of the message that begins here; 0: none does; None: too little to tell."""
    first, size = data[0], len(data)
    if first == _DATA:
        seen = data[: min(size, 6)]
        fits = all(seen[at] == 0 for at in (1, 2, 4) if at < len(seen))
        if not fits or (size > 5 and data[5] not in _OPERATIONS):
            return 0
        return None if size < _MARK_SIZE else _bounded(8 + (data[6] << 8 | data[7]))
    if first == _INDICATION[0]:
        if data[:6] != _INDICATION[: min(size, 6)]:
            return 0
        return None if size < _MARK_SIZE else _bounded(8 + (data[6] << 8 | data[7]))
    if first not in _SESSION:
        return 0
    return _session_size(data)


def _session_size(data: bytes | bytearray) -> int | None:
    if len(data) < 2:
        return None
    long = data[1] == 0xFF
    head = 4 if long else 2
    follows = _SESSION[data[0]]
    seen = bytes(data[head : head + len(follows)])
    if not follows.startswith(seen):
        return 0
    if len(data) < head + len(follows):
        return None
    return _bounded(4 + (data[2] << 8 | data[3]) if long else 2 + data[1])


def _bounded(size: int) -> int:
    return size if size <= MESSAGE_SIZE_MAX else 0


def is_datagram(data: bytes) -> bool:
    """Return whether these bytes are exactly one message."""
    if not data:
        return False
    if data[0] == _REFUSE:
        return len(data) > 2 and len(data) == 2 + data[1]
    return size_of(data) == len(data)


class Wire:
    """Bytes as they came to messages. Undecided until the first bytes show what is carried."""

    def __init__(self, framing: Framing) -> None:
        self._chosen = framing
        self.framing = framing
        """What is carried; `auto` while that is not known."""
        self.is_sure = framing is not Framing.AUTO
        """Whether messages were read, so that nothing else is expected any more."""
        self._frames = EscapedSplitter(FLAG, _ESCAPES, _WIRE_SIZE_MAX, end=END)
        self._strays = Strays("no message begins here")
        self._buffer = bytearray()
        self._saw_flag = False
        self._heard_at: Instant = OPENING

    def feed(self, data: bytes, now: Instant) -> list[Piece]:
        """Take bytes, or one datagram; return messages, and what was refused."""
        pieces = self.give_up(now)
        self._heard_at = now
        if not data:
            return pieces
        if not self.is_sure and not self._saw_flag and not self._buffer and is_datagram(data):
            self.framing = Framing.LAN
        if self.framing is Framing.AUTO:
            self._decide(data, pieces)
        elif self.framing is Framing.LAN:
            self._feed_lan(data, pieces)
        else:
            self._feed_rs232(data, pieces)
        return pieces

    def give_up(self, now: Instant) -> list[Piece]:
        """Refuse what began too long ago to be completed now."""
        pieces: list[Piece] = []
        if between(self._heard_at, now) > _PAUSE_MAX:
            pieces += [piece for piece in self._frames.give_up() if piece.data]
            if self._buffer:
                pieces.append(Piece(bytes(self._buffer[:64]), "message cut short"))
                self._buffer.clear()
        return pieces

    def forget(self) -> None:
        """Be undecided again, unless messages were read."""
        if not self.is_sure:
            self.framing = self._chosen
            self._saw_flag = False

    def finish(self) -> list[Piece]:
        """Return what an input that ended here still holds."""
        pieces: list[Piece] = []
        while self.framing is Framing.LAN and self._buffer:
            held = bytes(self._buffer)
            size = len(held) if is_datagram(held) else size_of(held) or 0
            is_whole = 0 < size <= len(held)
            if not self._drop_cut(size if is_whole else len(held), pieces):
                if not is_whole:
                    break
                pieces.append(Piece(held[:size]))
                del self._buffer[:size]
            while self._buffer and self._take_message(pieces):
                pass
        return pieces

    def _decide(self, data: bytes, pieces: list[Piece]) -> None:
        self._buffer += data
        size = size_of(self._buffer)
        if size is None:
            return
        held, self._buffer = bytes(self._buffer), bytearray()
        if size:
            self.framing = Framing.LAN
            self._feed_lan(held, pieces)
        else:
            self.framing = Framing.RS232
            self._feed_rs232(held, pieces)

    def _feed_rs232(self, data: bytes, pieces: list[Piece]) -> None:
        self._saw_flag = self._saw_flag or FLAG in data
        for frame, flaw in self._frames.feed(data):
            if flaw:
                pieces.append(Piece(frame, flaw))
                continue
            message = unwrap(frame)
            if isinstance(message, str):
                pieces.append(Piece(frame, message))
            else:
                self.is_sure = True
                pieces.append(Piece(message))

    def _feed_lan(self, data: bytes, pieces: list[Piece]) -> None:
        if self._buffer and is_datagram(data):
            pieces += self._whole_or_cut()
        if not self._buffer and is_datagram(data):  # every datagram on a live network
            self._strays.flush(pieces)
            pieces.append(Piece(data))
            return
        self._buffer += data
        while self._buffer and self.framing is Framing.LAN and self._take_message(pieces):
            pass

    def _whole_or_cut(self) -> list[Piece]:
        """Empty the buffer, for what comes begins anew: a message that waited counts if whole."""
        held = bytes(self._buffer)
        self._buffer.clear()
        size = size_of(held)
        if size and size <= len(held):
            return [Piece(held[:size])]
        return [Piece(held[:64], "message cut short")]

    def _drop_cut(self, size: int, pieces: list[Piece]) -> bool:
        """Refuse the beginning of a message in whose `size` bytes another one begins."""
        begins = _DATA_MARK.search(self._buffer, 1, size + _DATA_MARK_SIZE - 1)
        if begins is None:
            return False
        self._strays.flush(pieces)
        pieces.append(Piece(bytes(self._buffer[:64]), "message cut short"))
        del self._buffer[: begins.start()]
        return True

    def _may_be_cut(self, size: int) -> bool:
        """Say whether a message's last bytes may be another one's first: more will show it."""
        begun = _MARK_BEGUN.search(self._buffer, max(0, size - _DATA_MARK_SIZE + 1))
        return begun is not None and begun.start() < size

    def _take_message(self, pieces: list[Piece]) -> bool:
        """Take a message, or stray bytes, off the buffer; False when more bytes are needed."""
        buffer = self._buffer
        size = size_of(buffer)
        if size is None or (size and (len(buffer) < size or self._may_be_cut(size))):
            return False
        after = buffer[size : size + 3] if size else buffer[:1]
        if size and after and size_of(after) == 0:
            if len(after) < 3:
                return False
            if after[2] == END:  # the end of an RS-232 frame whose beginning was not heard
                self._become_rs232(size + 3, pieces)
                return True
        if size and self._drop_cut(size, pieces):
            return True
        if size:
            self._strays.flush(pieces)
            pieces.append(Piece(bytes(buffer[:size])))
            del buffer[:size]
        elif buffer[0] == FLAG and HEAD.startswith(bytes(buffer[1:3])):
            if len(buffer) < 3:
                return False
            self._become_rs232(0, pieces)
        else:
            begins = _MAY_BEGIN.search(buffer, 1)
            strays = begins.start() if begins else len(buffer)
            self._strays.add(buffer[:strays], pieces)
            del buffer[:strays]
        return True

    def _become_rs232(self, strays: int, pieces: list[Piece]) -> None:
        self._strays.add(self._buffer[:strays], pieces)
        self._strays.flush(pieces)
        rest = bytes(self._buffer[strays:])
        self._buffer.clear()
        self.framing = Framing.RS232
        self._feed_rs232(rest, pieces)


def unwrap(frame: bytes) -> bytes | str:
    """Return the message in a frame without its flags and escapes, or why there is none."""
    if len(frame) < 6:
        return "frame too short"
    if crc_16_x25(frame[:-2]) != int.from_bytes(frame[-2:], "little"):
        return "checksum differs"
    if not frame.startswith(HEAD):
        return "not a data export frame"
    if len(frame) != 6 + int.from_bytes(frame[2:4], "big"):
        return "length differs"
    return frame[4:-2]
