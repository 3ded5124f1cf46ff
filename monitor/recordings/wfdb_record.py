"""WFDB records (PhysioNet): a text header and its signal files, read in pieces by `wfdb`.

A signal of a few samples a second or fewer is a numeric; a faster one is a waveform, used only
where its name is that of one we know. A missing sample of a numeric that is measured all the time
is not available; of a cuff, it says nothing: records repeat no reading.
"""

import re
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.model.errors import RecordingError
from monitor.model.event import DeviceEvent, WaveformSegment
from monitor.model.instant import NS_PER_S, Instant
from monitor.model.metric import describe
from monitor.recordings.cells import Column, Garbage
from monitor.recordings.layout import NUMERIC_RATE_HZ_MAX
from monitor.recordings.moment import is_episodic, observation_of, open_column, refuse_cell
from monitor.recordings.names import Meaning
from monitor.recordings.notes import Notes, Refusals
from monitor.recordings.recording import ColumnUse, Description, Moment, ReadOptions
from monitor.recordings.table import listed, meanings

_HEADER_SIZE_MAX: Final = 1 << 20
_HEADERS_SEARCHED_MAX: Final = 500
_FRAMES_AT_ONCE: Final = 20_000
_RECORD_LINE: Final = re.compile(r"[\w./-]+\s+\d+(\s+\d[\d.eE+/()-]*(\s+\d+.*)?)?\s*")
_BROKEN: Final = (ValueError, IndexError, KeyError, TypeError, AttributeError, OSError)
"""What the library raises on a header or a signal file that contradicts itself."""

_LibraryRecord = Any


def _library() -> Any:
    """Return the `wfdb` library: half a second that only those who read such records pay."""
    with warnings.catch_warnings():
        # What it imports at its own import time is deprecated elsewhere: nothing of a recording.
        warnings.simplefilter("ignore", DeprecationWarning)
        import wfdb  # noqa: PLC0415
    return wfdb


class Signal(msgspec.Struct, frozen=True):
    """One used signal: its place in the record, what it is, and its samples to a frame."""

    place: int
    name: str
    meaning: Meaning
    samples_per_frame: int
    rate_hz: Fraction


def find_record(path: Path) -> Path | None:
    """Return the record that `path` names, without a suffix; None if it names none."""
    header = path if path.suffix == ".hea" else Path(f"{path}.hea")
    if header.is_file() and _is_header(header):
        return header.with_suffix("")
    if path.is_file() and path.suffix == ".dat":
        beside = path.with_suffix(".hea")
        if beside.is_file() and _is_header(beside):
            return beside.with_suffix("")
        return _header_naming(path)
    return path.with_suffix("") if path.is_file() and _is_header(path) else None


def _header_naming(signal_file: Path) -> Path | None:
    """Return the record beside a signal file whose header names that file."""
    for header in sorted(signal_file.parent.glob("*.hea"))[:_HEADERS_SEARCHED_MAX]:
        text = header.read_bytes()[:_HEADER_SIZE_MAX].decode(errors="replace")
        if re.search(rf"^{re.escape(signal_file.name)}\s", text, re.MULTILINE):
            return header.with_suffix("")
    return None


def _is_header(path: Path) -> bool:
    """Return whether a file begins as a WFDB header does."""
    with path.open("rb") as stream:
        head = stream.read(4096)
    if b"\0" in head:
        return False
    lines = head.decode(errors="replace").splitlines()
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    return "," not in first and bool(_RECORD_LINE.fullmatch(first))


class WfdbRecording:
    """A WFDB record opened for reading."""

    def __init__(self, record: Path, options: ReadOptions) -> None:
        """Read the header.

        Raises:
            RecordingError: the header is broken, or names no signal we know.
        """
        if not record.with_name(f"{record.name}.hea").is_file():
            raise RecordingError(f"{record}: a WFDB header's name must end in .hea; rename it")
        self._record = record
        self._options = options
        self._notes = Notes()
        header = self._header()
        self._frames = int(header.sig_len or 0)
        self._frame_rate = _exact(float(header.fs))
        names = [str(name) for name in header.sig_name or ()]
        per_frame = [int(count or 1) for count in header.samps_per_frame or ()]
        if not names or not self._frames or len(per_frame) != len(names) or self._frame_rate <= 0:
            raise RecordingError(f"{record}.hea: names no signals, no rate or no samples")
        self._uses: list[ColumnUse] = []
        self._signals = self._choose(names, per_frame)
        self._span_s: float | None = None

    def _header(self) -> _LibraryRecord:
        """Return the header as the library reads it."""
        try:
            return _library().rdheader(str(self._record), rd_segments=True)
        except _BROKEN as error:
            raise RecordingError(
                f"{self._record}.hea: is not a readable header: {error}"
            ) from error

    def _choose(self, names: list[str], per_frame: list[int]) -> tuple[Signal, ...]:
        """Return the signals that are used; notes the others."""
        signals = []
        for place, (name, meaning) in enumerate(self._meanings(names).items()):
            rate_hz = self._frame_rate * per_frame[place]
            reason = meaning.reason or self._unfit(meaning, rate_hz)
            if reason:
                self._notes.tell(f"{name} is ignored: {reason}")
                self._uses.append(ColumnUse(name, reason=reason))
                continue
            self._uses.append(ColumnUse(name, meaning.metric or "", meaning.conversion))
            signals.append(Signal(place, name, meaning, per_frame[place], rate_hz))
        if not signals:
            raise RecordingError(
                f"{self._record}.hea: no known signal among {listed(names)}; "
                "say --map SIGNAL=METRIC for each that you know"
            )
        return tuple(signals)

    def _meanings(self, names: list[str]) -> Mapping[str, Meaning]:
        """Return what the signals stand for."""
        if len(set(names)) != len(names):
            raise RecordingError(f"{self._record}.hea: two signals have one name: {listed(names)}")
        return meanings(f"{self._record}.hea", names, self._options.column_map)

    def _unfit(self, meaning: Meaning, rate_hz: Fraction) -> str:
        """Return why a signal cannot be used at its rate; "" if it can."""
        if meaning.metric is None:
            return "not a metric"
        is_fast = rate_hz > NUMERIC_RATE_HZ_MAX
        is_mapped = meaning.metric in self._options.column_map.values()
        if describe(meaning.metric).is_wave is is_fast or is_mapped:
            return ""
        return f"{float(rate_hz):g} samples a second do not go with {meaning.metric}"

    def describe(self) -> Description:
        """Return what the file was taken for."""
        how = f"{self._frames} frames, one every {float(1 / self._frame_rate):g} s"
        return Description(
            format="WFDB record", columns=tuple(self._uses), time=how, span_s=self._span_s
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what a person must know, so far."""
        return self._notes.sentences

    def __iter__(self) -> Iterator[Moment]:
        self._notes.forget_counts()
        refusals = Refusals(self._notes)
        columns = {
            signal.place: open_column(signal.meaning, self._options, decimal_comma=False)
            for signal in self._signals
        }
        at = Instant(0)
        for start in range(0, self._frames, _FRAMES_AT_ONCE):
            piece = _Piece(start, self._frame_rate, columns, refusals)
            samples = self._read(start, min(start + _FRAMES_AT_ONCE, self._frames))
            for signal, values in zip(self._signals, samples, strict=True):
                piece.take(signal, values)
            for moment in piece.moments():
                at = moment[0]
                yield moment
        self._span_s = at / NS_PER_S

    def _read(self, start: int, end: int) -> list[npt.NDArray[np.float64]]:
        """Return the samples of the used signals in frames `start` to `end`."""
        try:
            record = _library().rdrecord(
                str(self._record),
                sampfrom=start,
                sampto=end,
                channels=[signal.place for signal in self._signals],
                smooth_frames=False,
            )
        except _BROKEN as error:
            raise RecordingError(
                f"{self._record}: frames {start} to {end} cannot be read: {error}; "
                "are the signal files there and whole?"
            ) from error
        return [np.asarray(values, dtype=np.float64) for values in record.e_p_signal]


class _Piece:
    """A stretch of a record, its events put in time order."""

    def __init__(
        self,
        start_frame: int,
        frame_rate: Fraction,
        columns: Mapping[int, Column],
        refusals: Refusals,
    ) -> None:
        self._start = start_frame
        self._rate = frame_rate
        self._columns = columns
        self._refusals = refusals
        self._events: defaultdict[Instant, list[DeviceEvent]] = defaultdict(list)

    def moments(self) -> Iterator[Moment]:
        """Yield everything taken, one moment for each time."""
        if self._refusals and self._events:
            last = max(self._events)
            self._events[last] += self._refusals.take(last)
        for at in sorted(self._events):
            yield at, self._events[at]

    def _instant(self, signal: Signal, index: int) -> Instant:
        """Return the instant of one sample of this piece."""
        place = self._start * signal.samples_per_frame + index
        return Instant(round(place * NS_PER_S / signal.rate_hz))

    def take(self, signal: Signal, values: npt.NDArray[np.float64]) -> None:
        """Take the samples of one signal."""
        if describe(self._columns[signal.place].metric).is_wave:
            self._take_wave(signal, values)
        else:
            self._take_numeric(signal, values)

    def _take_numeric(self, signal: Signal, values: npt.NDArray[np.float64]) -> None:
        """Take the samples of a numeric, each a value of its own."""
        column = self._columns[signal.place]
        episodic = is_episodic(column.metric)
        for index, value in enumerate(values.tolist()):
            at = self._instant(signal, index)
            events = self._events[at]
            missing = value != value  # noqa: PLR0124  (NaN, as the library writes no sample)
            if missing and episodic:
                continue
            cell = None if missing else column.judge(value)
            if isinstance(cell, Garbage):
                row = self._start * signal.samples_per_frame + index + 1
                refuse_cell(self._refusals, cell, row, [f"{signal.name}={value}"])
                events += self._refusals.take(at)
            events.append(observation_of(cell, column.metric, at))

    def _take_wave(self, signal: Signal, values: npt.NDArray[np.float64]) -> None:
        """Take the samples of a waveform in segments of at most a second."""
        metric = self._columns[signal.place].metric
        size = max(1, int(signal.rate_hz))
        factor, offset = signal.meaning.factor, signal.meaning.offset
        facts = describe(metric)
        scaled = values * factor + offset
        with np.errstate(invalid="ignore"):
            good = (scaled >= facts.technical_low) & (scaled <= facts.technical_high)
        outside = int((~good & ~np.isnan(scaled)).sum())
        if outside:
            kind = f"{metric}: pieces with samples outside the possible range, taken as lost"
            row = self._start * signal.samples_per_frame + 1
            self._refusals.add(kind, row, signal.name, f"{signal.name}: {outside} impossible")
        for begin in range(0, len(scaled), size):
            part = slice(begin, begin + size)
            if not good[part].any():
                continue
            samples = tuple(
                value if fits else None
                for value, fits in zip(scaled[part].tolist(), good[part].tolist(), strict=True)
            )
            at = self._instant(signal, begin + len(samples) - 1)
            segment = WaveformSegment(metric, at, float(signal.rate_hz), samples)
            self._events[at].append(segment)


def _exact(rate_hz: float) -> Fraction:
    """Return the rate meant by its decimal text: 0.0166666666667 is one a minute."""
    near = Fraction(rate_hz).limit_denominator(3600)
    return near if near > 0 and abs(float(near) / rate_hz - 1) < 1e-9 else Fraction(rate_hz)
