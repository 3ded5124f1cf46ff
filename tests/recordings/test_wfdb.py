"""WFDB records, written here byte by byte after the format's own description."""

import struct
from pathlib import Path

import pytest

from monitor.model.errors import RecordingError
from monitor.model.instant import NS_PER_S
from monitor.model.metric import Metric
from monitor.recordings import wfdb_record
from monitor.recordings.opening import open_recording
from monitor.recordings.recording import ReadOptions
from tests.recordings.writing import read_path

MISSING = -32768


def write_record(
    folder: Path, rate: str, signals: list[tuple[str, int]], frames: list[list[int]]
) -> Path:
    """Write a record of 16-bit samples; a signal is its name and its gain."""
    header = [f"r {len(signals)} {rate} {len(frames)}"]
    for place, (name, gain) in enumerate(signals):
        checksum = sum(frame[place] for frame in frames)
        checksum = (checksum + 32768) % 65536 - 32768
        header.append(f"r.dat 16 {gain}/u 16 0 {frames[0][place]} {checksum} 0 {name}")
    (folder / "r.hea").write_text("\n".join(header) + "\n")
    data = b"".join(struct.pack(f"<{len(frame)}h", *frame) for frame in frames)
    (folder / "r.dat").write_bytes(data)
    return folder / "r.hea"


NUMERICS = [("SpO2", 10), ("HR", 10), ("NBPSys", 1), ("ABPSys", 10), ("II", 10)]
FRAMES = [
    [970, 800, MISSING, 0, 1],
    [0, 810, 120, 0, 2],
    [MISSING, 820, MISSING, 0, 3],
    [960, 30000, MISSING, 0, 4],
]


def test_a_record_of_minute_numerics_says_a_frame_a_minute(tmp_path: Path) -> None:
    path = write_record(tmp_path, "0.0166666666667", NUMERICS, FRAMES)
    heard = read_path(path, ReadOptions(zero_is_missing=frozenset({Metric.SPO2})))
    assert heard.of(Metric.SPO2) == [(0, 97), (60, None), (120, None), (180, 96)]
    assert heard.of(Metric.NIBP_SYS) == [(60, 120)]
    assert heard.of(Metric.HEART_RATE) == [(0, 80), (60, 81), (120, 82), (180, None)]
    assert len(heard.rejected) == 1
    assert any("ABPSys is ignored: an invasive pressure" in note for note in heard.notes)
    assert any("II is ignored" in note for note in heard.notes)


@pytest.mark.parametrize("name", ["r.hea", "r.dat", "r"])
def test_a_record_is_found_by_any_of_its_names(tmp_path: Path, name: str) -> None:
    write_record(tmp_path, "1", NUMERICS, FRAMES)
    assert len(read_path(tmp_path / name).moments) == 4


def test_a_signal_file_of_another_name_finds_the_header_that_names_it(tmp_path: Path) -> None:
    header = write_record(tmp_path, "1", NUMERICS, FRAMES)
    text = header.read_text().replace("r.dat", "other.dat")
    header.write_text(text)
    (tmp_path / "r.dat").rename(tmp_path / "other.dat")
    assert len(read_path(tmp_path / "other.dat").moments) == 4


def test_fast_signals_are_waveforms_only_by_name(tmp_path: Path) -> None:
    signals = [("RESP", 100), ("PLETH", 100), ("CO2 wave", 100)]
    frames = [[n, n % 500, MISSING if n == 10 else n % 300] for n in range(300)]
    heard = read_path(write_record(tmp_path, "125", signals, frames))
    pleth = [s for s in heard.segments if s.metric is Metric.PLETH]
    co2 = [s for s in heard.segments if s.metric is Metric.CO2_WAVE]
    assert {s.rate_hz for s in heard.segments} == {125.0}
    assert [v for s in pleth for v in s.samples] == [n % 500 / 100 for n in range(300)]
    assert [v for s in co2 for v in s.samples][10] is None
    assert pleth[-1].at == round(299 / 125 * NS_PER_S)
    assert any("RESP is ignored" in note for note in heard.notes)


def test_a_record_without_its_samples_is_a_named_error(tmp_path: Path) -> None:
    path = write_record(tmp_path, "1", NUMERICS, FRAMES)
    (tmp_path / "r.dat").unlink()
    with pytest.raises(RecordingError, match="are the signal files there"):
        list(open_recording(path))


def test_a_record_cut_off_is_a_named_error(tmp_path: Path) -> None:
    path = write_record(tmp_path, "1", NUMERICS, FRAMES)
    whole = (tmp_path / "r.dat").read_bytes()
    (tmp_path / "r.dat").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RecordingError, match="cannot be read"):
        list(open_recording(path))


@pytest.mark.parametrize("line", ["r.dat 16", "r.dat x y z", "r.dat 16 10/u 16 0 0 0 0"])
def test_a_broken_header_is_a_named_error(tmp_path: Path, line: str) -> None:
    (tmp_path / "r.hea").write_text(f"r 1 1 4\n{line}\n")
    (tmp_path / "r.dat").write_bytes(bytes(8))
    with pytest.raises(RecordingError, match=r"r\.hea|frames"):
        list(open_recording(tmp_path / "r.hea"))


def test_a_record_without_known_signals_lists_them(tmp_path: Path) -> None:
    path = write_record(tmp_path, "1", [("II", 10), ("V", 10)], [[1, 2], [3, 4]])
    with pytest.raises(RecordingError, match="no known signal among 'II', 'V'; say --map"):
        open_recording(path)
    mapped = read_path(path, ReadOptions(column_map={"V": Metric.ETCO2}))
    assert mapped.of(Metric.ETCO2) == [(0, 0.2), (1, 0.4)]


@pytest.mark.parametrize("size", [1, 7, 300])
def test_a_record_read_in_pieces_is_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    frames = [[900 + n % 100, n] for n in range(20)]
    path = write_record(tmp_path, "1", [("SpO2", 10), ("HR", 1)], frames)
    whole = read_path(path)
    monkeypatch.setattr(wfdb_record, "_FRAMES_AT_ONCE", size)
    assert read_path(path).moments == whole.moments
    assert [at for at, _ in whole.of(Metric.SPO2)] == list(range(20))
