"""Driver options from TOML into a typed record, with errors a person can act on."""

import re
from difflib import get_close_matches
from typing import Final, TypeVar

import msgspec

from drivers.contract import OptionError, Options


class CommonOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every driver accepts. A driver with options of its own inherits from this.

    `opened_utc_s`: wall time of instant 0, in seconds since 1970 UTC, given by the shell (never
    by a person); lets a driver place a device's own clock. None where no wall time is known, as
    in a file of bare bytes.
    """

    opened_utc_s: float | None = None


Record = TypeVar("Record", bound=CommonOptions)
_UNKNOWN: Final = re.compile(r"unknown field `(.+?)`")
_PLACE: Final = re.compile(r" - at `\$\.?(.+?)`$")


def read_options(options: Options, record: type[Record]) -> Record:
    """Return `options` as `record`.

    Raises:
        OptionError: an option is unknown or wrong; names it, its value and what would be right.
    """
    try:
        return msgspec.convert(dict(options), record)
    except msgspec.ValidationError as error:
        raise OptionError(_explain(str(error), options, record)) from error


def _explain(complaint: str, options: Options, record: type[Record]) -> str:
    known = [name for name in record.__struct_encode_fields__ if name != "opened_utc_s"]
    offer = f"known options: {', '.join(known) or 'none'}"
    unknown = _UNKNOWN.search(complaint)
    place = _PLACE.search(complaint)
    if unknown:
        near = get_close_matches(unknown[1], known)
        hint = f"did you mean {near[0]!r}? " if near else ""
        where = f" in {place[1]}" if place else ""
        return f"unknown option {unknown[1]!r}{where}; {hint}{offer}"
    if place is None:
        return f"{complaint}; {offer}"
    key = re.split(r"[.\[]", place[1])[0]
    return f"option {place[1]!r} = {options.get(key)!r}: {_PLACE.sub('', complaint)}"
