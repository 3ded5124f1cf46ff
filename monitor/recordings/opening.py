"""Opening a recording: what it is, is decided by what it holds, never by its name."""

from pathlib import Path
from typing import Final

from monitor.model.errors import RecordingError
from monitor.recordings.files import recognise_text
from monitor.recordings.long import LongRecording, is_long
from monitor.recordings.recording import ReadOptions, Recording
from monitor.recordings.table import open_table
from monitor.recordings.wfdb_record import WfdbRecording, find_record
from monitor.recordings.wide import WideRecording

DEFAULTS: Final = ReadOptions()


def open_recording(path: Path, options: ReadOptions = DEFAULTS) -> Recording:
    """Return the recording at `path`: long or wide CSV (plain, gzip, bzip2), or a WFDB record.

    A WFDB record may be named by its header, by its signal file or without a suffix.

    Raises:
        RecordingError: it cannot be read as any of these; names file, line or column, and a remedy.
    """
    try:
        record = find_record(path)
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error}") from error
    if record is not None:
        return WfdbRecording(record, options)
    if not path.is_file():
        what = "is a directory" if path.is_dir() else "is not there"
        raise RecordingError(f"{path}: {what}; name a CSV file or a WFDB record")
    text = recognise_text(path)
    if text.head and text.head[0].lstrip()[:1] in ("{", "["):
        raise RecordingError(f"{path}: holds JSON, which is not read; write it as long CSV")
    table = open_table(text)
    return LongRecording(table, options) if is_long(table) else WideRecording(table, options)
