"""One writer for a data directory: a second one would tear its records apart."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from monitor.store.layout import RecordFailedError

LOCK_NAME: Final = "vigil.lock"


@contextlib.contextmanager
def hold(data_dir: Path) -> Iterator[None]:
    """Hold `data_dir`, which is made if need be, for as long as the context lasts.

    The kernel lets go when the process ends, however it ends.

    Raises:
        RecordFailedError: another process holds it, or it cannot be written.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        file = (data_dir / LOCK_NAME).open("ab")
    except OSError as error:
        raise RecordFailedError(f"{data_dir}: cannot be written: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RecordFailedError(f"{data_dir}: another `vigil serve` records there") from error
        yield
