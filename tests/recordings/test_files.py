"""Files that are empty, packed, damaged, binary, or something else."""

import bz2
import gzip
import itertools
from pathlib import Path

import pytest

from monitor.model.errors import RecordingError
from monitor.model.metric import Metric
from monitor.recordings.opening import open_recording
from tests.recordings.writing import read

ROWS = "time_s,spo2\n" + "".join(f"{n},{90 + n % 10}\n" for n in range(60_000))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"\n\n  \n", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b"\x00\x01\x02\x03" * 50, "holds binary data.*--driver"),
        (b"SQLite format 3\0rest", "session file"),
        (b"VITA" + bytes(40), "VitalDB.*does not read yet"),
        (gzip.compress(b"VITA" + bytes(40), mtime=0), "VitalDB.*does not read yet"),
        (b"PK\3\4rest", "unpack it first"),
        (b"\x1f\x8bthis is not gzip", "cannot be read"),
        (b'{"a": 1}\n', "holds JSON"),
        (b"time_s,spo2\n", "has a header and no rows"),
        (b"# only\n# comments\n", "no header line"),
    ],
)
def test_what_is_no_recording_is_refused_by_what_it_is(content: bytes, said: str) -> None:
    with pytest.raises(RecordingError, match=said):
        read(content)


def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"gone\.csv: is not there"):
        open_recording(tmp_path / "gone.csv")
    with pytest.raises(RecordingError, match="is a directory"):
        open_recording(tmp_path)


def test_a_file_removed_while_it_is_read_is_a_named_error(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("time_s,spo2\n0,97\n")
    recording = open_recording(path)
    path.unlink()
    with pytest.raises(RecordingError, match="is gone"):
        list(recording)


def test_the_name_of_a_file_decides_nothing() -> None:
    packed = gzip.compress(b"time_s,spo2\n0,97\n", mtime=0)
    assert read(packed, name="recording.csv").heard == [(0, Metric.SPO2, 97)]
    assert read("time_s,spo2\n0,97\n", name="recording.gz").heard == [(0, Metric.SPO2, 97)]


@pytest.mark.parametrize(
    "packed",
    [gzip.compress(ROWS.encode(), mtime=0), bz2.compress(ROWS.encode(), compresslevel=1)],
    ids=["gzip", "bzip2"],
)
def test_a_packed_file_cut_off_is_read_up_to_there_and_said_so(packed: bytes) -> None:
    heard = read(packed[: len(packed) * 2 // 3])
    whole = read(ROWS)
    assert 0 < len(heard.observations) < len(whole.observations)
    assert heard.observations == whole.observations[: len(heard.observations)]
    assert any("damaged or cut off" in note for note in heard.notes)


def test_a_last_line_without_an_end_is_read_and_doubted() -> None:
    heard = read("time_s,spo2\n0,97\n1,9")
    assert heard.of(Metric.SPO2) == [(0, 97), (1, 9)]
    assert any("no line end" in note for note in heard.notes)
    assert not read("time_s,spo2\n0,97\n1,98\n").notes


def test_an_endless_line_is_cut_and_the_rest_goes_on() -> None:
    heard = read("time_s,spo2\n0,97\n1," + "9" * 700_000 + "\n2,98\n")
    assert heard.of(Metric.SPO2) == [(0, 97), (1, None), (2, 98)]
    assert any("longer than" in note for note in heard.notes)


def test_comments_and_blank_lines_before_the_header_are_passed_over() -> None:
    heard = read("# a recorder\n\n# 1 Hz\ntime_s,spo2\n0,97\n")
    assert heard.heard == [(0, Metric.SPO2, 97)]


def test_other_encodings_of_a_header_are_read() -> None:
    heard = read("time_s,Temp (°C)\n0,36.6\n".encode("cp1252"))
    assert heard.heard == [(0, Metric.TEMP, 36.6)]


def test_reading_is_a_stream(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(ROWS)
    first = list(itertools.islice(open_recording(path), 3))
    assert [at for at, _ in first] == [0, 1_000_000_000, 2_000_000_000]


def test_the_span_is_known_once_all_is_read(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(ROWS)
    recording = open_recording(path)
    assert recording.describe().span_s is None
    for _ in recording:
        pass
    assert recording.describe().span_s == 59_999
    assert "used: spo2 as spo2" in recording.describe().sentences()
