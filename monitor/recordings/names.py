"""What the columns of recordings are called in the world, and which metric each name means.

The names are those of the recordings we have seen and of common monitor exports. A name that could
mean two things (plain `co2`, an invasive pressure) is never guessed: it is ignored with the reason.
"""

import re
from typing import Final

import msgspec

from monitor.model.event import NoticeKind
from monitor.model.metric import Metric, describe
from monitor.recordings.flags import NO_BREATH, Gate, Sense

_SYNONYMS: Final[dict[Metric, str]] = {
    Metric.SPO2: "spo2 sat sao2pulse plethspo2 plethsat spo2sat spo2value pulseoximetry o2sat "
    "sato2 oxygensaturation o2saturation oxygensat saturation spo2percent pulseox pulseoximeter",
    Metric.PULSE_RATE: "pulserate pulse pr prbpm prspo2 spo2pr spo2pulse plethhr plethpr prpleth "
    "pulsefrequency spo2pulserate spo2hr pulseratebpm pulsebpm",
    Metric.HEART_RATE: "heartrate hr ecghr hrecg heartratebpm hrbpm heartfrequency ecgheartrate",
    Metric.ETCO2: "etco2 endtidalco2 co2et etco2value petco2 endtidal etco2mmhg co2endtidal",
    Metric.FICO2: "fico2 inco2 imco2 inspco2 co2in co2fi inspiredco2 co2insp",
    Metric.RESP_RATE: "resprate rr resp respiration respirationrate respiratoryrate awrr rrco2 "
    "co2rr breathrate breathingrate respfreq respfrequency "
    "respiratoryfrequency breathingfrequency breathfrequency rrpm rrbpm",
    Metric.NIBP_SYS: "nibpsys nbpsys sbp sys systolic nibps nbps nibpsbp nbpsbp sysbp bpsys "
    "nibpsystolic nbpsystolic systolicbp bpsystolic systolicbloodpressure",
    Metric.NIBP_DIA: "nibpdia nbpdia dbp dia diastolic nibpd nbpd nibpdbp nbpdbp diabp bpdia "
    "nibpdias nbpdias nibpdiastolic nbpdiastolic diastolicbp bpdiastolic diastolicbloodpressure",
    Metric.NIBP_MEAN: "nibpmean nbpmean map mbp nibpmap nbpmap nibpm nbpm nibpmbp nbpmbp meanbp "
    "bpmean bpmap",
    Metric.PERFUSION_INDEX: "perfusionindex perfusion pi perf",
    Metric.TEMP: "temp temperature bodytemp tempbody bodytemperature",
    Metric.CUFF_PRESSURE: "cuffpressure cuff",
    Metric.PLETH: "pleth ppg plethwave ppgwave plethysmogram spo2wave plethraw rawpleth ppgraw "
    "rawppg plethsignal plethtrace ppgsignal",
    Metric.CO2_WAVE: "co2wave co2waveform capnogram capno co2raw rawco2 co2signal co2trace "
    "co2curve co2samples co2sample instantco2 instantaneousco2 co2instant",
}
_JUNK: Final = re.compile(r"[^a-z0-9]")
_METRIC_OF: Final = {_JUNK.sub("", metric): metric for metric in Metric} | {
    word: metric for metric, words in _SYNONYMS.items() for word in words.split()
}
_COUNTED_BREATHS: Final = frozenset(("breaths", "respirations"))
UNKNOWN_NAME: Final = "not a name we know"
_COUNTED: Final = "a count of something in an hour"
_NOT_END_TIDAL: Final = "CO2 that is not said to be end-tidal; if it is, say --map '{}=etco2'"
_INVASIVE: Final = "an invasive pressure, which is not a cuff reading; say --map to use it as one"
_KNOWN_AND_NOT_USED: Final = {
    **dict.fromkeys(("co2", "tcco2", "tcpco2", "ptcco2", "pco2"), _NOT_END_TIDAL),
}
_INVASIVE_WORD: Final = re.compile(
    r"(abp|art|ibp|ao|fem|pap|cvp|icp)(s|d|m|sys|dias?|mean|map|[sdm]bp)?"
)

_MINUTE_UNITS: Final = "bpm /min 1/min rpm brpm pm min min-1 min^-1 breaths/min beats/min"
_OUR_UNITS: Final = {
    "%": "% percent pct",
    "/min": _MINUTE_UNITS,
    "mmHg": "mmhg mm[hg] torr",
    "Cel": "cel c °c degc celsius",
    "1": "1 nu n.u. a.u. au % mv v",
}
_CONVERTED: Final = {
    ("mmHg", "kpa"): (7.50062, 0.0),
    ("Cel", "f"): (5 / 9, -160 / 9),
    ("Cel", "°f"): (5 / 9, -160 / 9),
    ("Cel", "degf"): (5 / 9, -160 / 9),
    ("Cel", "k"): (1.0, -273.15),
}
_ALL_UNITS: Final = frozenset(" ".join(_OUR_UNITS.values()).split()) - {"1", "v"} | {
    unit for _, unit in _CONVERTED
}
_HOURLY: Final = re.compile(r"(.*?)[\s\[(1]*(?:/|\bper\b)\s*(?:h|hrs?|hours?)\b.*")
_DEVICE: Final = re.compile(
    r"monitor|device|ecg|snuadc|primus|intellivue|philips|carescape|datex|draeger"
    r"|(?!apn|desat|odi|ahi|event|alarm|spo|sat)[a-z]+[ -]?\d{2,5}[a-z]?"
)
_GATE: Final = re.compile(
    r"(?:is_)?(?P<stem>.+?)(?:_(?:signal|data|reading|value))?(?:_is)?_"
    r"(?:(?P<not>not_?avail(?:able)?|un_?avail(?:able)?|not_?valid|invalid|missing|na)"
    r"|(?P<yes>avail(?:able)?|valid|ok)|status|state|flag)(?:_flag)?"
)
_NO_BREATH: Final = re.compile(r"no[ _.-]?breaths?(?:[ _.-](?:alarm|detected|flag))?")
_GATE_WORDS: Final = {"co2": "etco2", "capno": "etco2", "capnograph": "etco2"}
_PER_MINUTE: Final = re.compile(r"(.+?)[ _]per[ _]?min(?:ute)?")
_BRACKET: Final = re.compile(r"[\[(]([^\])]*)[\])]")


class Meaning(msgspec.Struct, frozen=True, kw_only=True):
    """What a name stands for: a metric, or a state of the device, or nothing for a reason.

    `gates` is what a flag says can be measured or cannot; `alarm` is the device's own alarm.
    `value = factor * cell + offset` brings a cell into the metric's unit; `conversion` says so.
    """

    metric: Metric | None = None
    notice: NoticeKind | None = None
    alarm: str = ""
    gates: Gate | None = None
    reason: str = ""
    factor: float = 1.0
    offset: float = 0.0
    conversion: str = ""

    @property
    def state(self) -> NoticeKind | str:
        """Return the state of the device that the name stands for; "" if none."""
        return self.notice or self.alarm

    @property
    def feeds(self) -> str:
        """Return what the name feeds, in words; nothing for one that is ignored."""
        if self.gates is not None:
            return f"availability of {self.gates.metric}"
        if self.alarm:
            return f"the device's own alarm {self.alarm}"
        return self.metric or (f"notice {self.notice}" if self.notice else "")


def meaning_of(name: str) -> Meaning:
    """Return what a column header, a metric name or a signal name means."""
    if _is_hourly(name):
        return Meaning(reason=_COUNTED)
    words, unit = split_unit(name)
    stated = _about_device(words)
    if stated is not None:
        return stated
    key = _JUNK.sub("", words)
    if key in _COUNTED_BREATHS and unit in _OUR_UNITS["/min"].split():
        key = "resprate"
    wave = _wave_of(words)
    metric = wave or _METRIC_OF.get(key) or _METRIC_OF.get(_after_device(words))
    if metric is not None:
        return _in_unit(metric, unit, name)
    for known in (key, _after_device(words)):
        if known in _KNOWN_AND_NOT_USED:
            return Meaning(reason=_KNOWN_AND_NOT_USED[known].format(name))
        if _INVASIVE_WORD.fullmatch(known):
            return Meaning(reason=_INVASIVE)
    return Meaning(reason=UNKNOWN_NAME)


def is_plain_co2(name: str) -> bool:
    """Say whether a name is CO2 in mmHg, or in no unit, and nothing more: "CO2", "Primus/CO2"."""
    words, unit = split_unit(name)
    return _after_device(words) == "co2" and unit in {"", *_OUR_UNITS["mmHg"].split()}


def split_unit(name: str) -> tuple[str, str]:
    """Return a name in lower case without its unit, and the unit ("" if it names none).

    Units stand in brackets, behind a slash, or as a last word: "SpO2 (%)", "Time / s", "HR bpm".
    """
    lowered = name.strip().strip("'\"").lower().strip()
    bracket = _BRACKET.search(lowered)
    if bracket:
        return _BRACKET.sub(" ", lowered).strip(), bracket[1].strip()
    minute = _PER_MINUTE.fullmatch(lowered)
    if minute is not None:
        return minute[1], "min"
    words = re.split(r"\s*[,;]\s*|\s+", lowered)
    for place, word in enumerate(words):
        if place and word.strip("/") in _ALL_UNITS:
            rest = words[:place] + words[place + 1 :]
            return " ".join(rest).rstrip("/ "), word.strip("/")
    head, slash, last = lowered.rpartition("/")
    if slash and last in _ALL_UNITS:
        return head.strip(), last
    head, underscore, last = lowered.rpartition("_")
    if underscore and last in _ALL_UNITS:
        return head, last
    return lowered, ""


def _is_hourly(name: str) -> bool:
    """Say whether a name is a number in an hour, as a capnograph's "A/hr" (apnoeas per hour).

    Behind a device the same two letters are its heart rate: "Solar8000/HR".
    """
    hourly = _HOURLY.fullmatch(name.strip().strip("'\"").lower())
    return hourly is not None and not _DEVICE.fullmatch(hourly[1].strip())


def _after_device(words: str) -> str:
    """Return the key of a name without the device before its slash: "monitor/HR" -> "hr"."""
    return _JUNK.sub("", words.rpartition("/")[2])


def _wave_of(words: str) -> Metric | None:
    """Return the waveform a name speaks of, if it says so itself."""
    if "wave" not in words:
        return None
    if "co2" in words or "capno" in words:
        return Metric.CO2_WAVE
    return Metric.PLETH if "pleth" in words or "ppg" in words else None


def _about_device(words: str) -> Meaning | None:
    """Return what a name says of the device itself; None if it is about a patient."""
    notice, gated = _notice_of(words), gated_by(words)
    if notice is not None:
        return Meaning(notice=notice)
    if _NO_BREATH.fullmatch(words):
        return Meaning(alarm=NO_BREATH)
    return None if gated is None else Meaning(gates=gated)


def _notice_of(words: str) -> NoticeKind | None:
    """Return the state of the device that a name stands for: "notice:auto_zero", "auto_zero"."""
    word = re.sub(r"[^a-z0-9]+", "_", words).removeprefix("notice_")
    return NoticeKind(word) if word in set(NoticeKind) else None


def gated_by(words: str) -> Gate | None:
    """Return what a name says is there or not: "co2_available", "spo2 valid", "co2na"."""
    name = re.sub(r"[^a-z0-9]+", "_", words.replace("n/a", "na").rpartition("/")[2]).strip("_")
    match = _GATE.fullmatch(re.sub(r"(o2|capno)(?=[a-z])", r"\1_", name))
    if match is None:
        return None
    stem = _JUNK.sub("", match["stem"])
    metric = _METRIC_OF.get(_GATE_WORDS.get(stem, stem))
    if metric is None:
        return None
    sense = Sense.NOT_AVAILABLE if match["not"] else Sense.STATUS
    return Gate(metric, Sense.AVAILABLE if match["yes"] else sense)


def _in_unit(metric: Metric, unit: str, name: str) -> Meaning:
    """Return the meaning of a column of `metric` whose header names `unit`."""
    ours = describe(metric).unit
    if not unit or unit in _OUR_UNITS[ours].split():
        return Meaning(metric=metric)
    conversion = _CONVERTED.get((ours, unit))
    if conversion is None:
        remedy = f"if it holds {ours}, say --map '{name.strip()}={metric}'"
        return Meaning(reason=f"unit {unit!r} is not one we can read as {ours}; {remedy}")
    factor, offset = conversion
    told = f"{name.strip()} is converted from {unit} to {ours}"
    return Meaning(metric=metric, factor=factor, offset=offset, conversion=told)
