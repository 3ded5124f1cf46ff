"""SenML in its CBOR form (RFC 8428, section 6): numbers for labels; what follows is as in JSON."""

from typing import Final, TypeAlias

from drivers.parts.cbor import SELF_DESCRIBED, CborError, Item, read_cbor

Record: TypeAlias = dict[str, float | str | bool | None]

_LABELS: Final = {
    -1: "bver",
    -2: "bn",
    -3: "bt",
    -4: "bu",
    -5: "bv",
    -6: "bs",
    0: "n",
    1: "u",
    2: "v",
    3: "vs",
    4: "vb",
    5: "s",
    6: "t",
    7: "ut",
    8: "vd",
}
_ARRAYS: Final = frozenset(bytes([byte]) for byte in range(0x80, 0xA0))


def is_cbor(payload: bytes) -> bool:
    """Tell whether a payload begins as a pack in CBOR does; JSON never does."""
    return payload[:1] in _ARRAYS or payload.startswith(SELF_DESCRIBED)


def read_records(payload: bytes) -> list[Record]:
    """Return the records of a pack.

    Raises:
        CborError: the payload is no CBOR, or no list of records with plain values.
    """
    pack = read_cbor(payload)
    if not isinstance(pack, list):
        raise CborError("no list of records")
    return [_record(each) for each in pack]


def _record(item: Item) -> Record:
    if not isinstance(item, dict):
        raise CborError("a record is no map")
    record: Record = {}
    for label, value in item.items():
        assert isinstance(label, int | str), "the reader lets no other key through"
        name = _LABELS.get(label, f"label {label}") if isinstance(label, int) else label
        if name in record:
            raise CborError("a label is met twice")
        record[name] = _plain(value)
    return record


def _plain(value: Item) -> float | str | bool | None:
    """Return a value as JSON would give it: numbers are floats, data its hex digits."""
    if isinstance(value, list | dict):
        raise CborError("a value is nested")
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value
