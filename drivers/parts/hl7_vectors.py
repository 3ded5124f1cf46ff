"""HL7 messages put together by hand from the profiles' tables, with vendor samples beside them."""

from typing import Final

from drivers.contract import Vector
from monitor.model.metric import Metric

_PAGE: Final = "tables of IHE PCD and public vendor samples, put together by hand"
HEAD: Final = (
    r"MSH|^~\&|VSIM^0011223344556677^EUI-64|TEST|||20231114221320+0000||ORU^R01^ORU_R01|M0001|P|2.6"
    "|||NE|AL||UNICODE UTF-8|||IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO"
)
VITALS: Final = (
    HEAD,
    "PID|||P1^^^TEST^PI||DOE^JANE^^^^^L",
    "PV1||I|ICU^1^B1",
    "OBR|1|M0001^VSIM|M0001^VSIM|182777000^monitoring of patient^SCT|||20231114221320+0000",
    "OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X",
    (
        "OBX|2|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.1.1.1|97|262688^MDC_DIM_PERCENT^MDC|90-100||||R|||"
        "20231114221320+0000"
    ),
    "OBX|3|NM|149530^MDC_PULS_OXIM_PULS_RATE^MDC|1.1.1.2|72|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R",
    "OBX|4|NM|151708^MDC_CONC_AWAY_CO2_ET^MDC|1.2.1.1|38|266016^MDC_DIM_MMHG^MDC|||||R",
    "OBX|5|NM|151594^MDC_CO2_RESP_RATE^MDC|1.2.1.2|14|264928^MDC_DIM_RESP_PER_MIN^MDC|||||R",
    (
        "OBX|6|NM|150021^MDC_PRESS_BLD_NONINV_SYS^MDC|1.3.1.1|118|266016^MDC_DIM_MMHG^MDC|||||R|||"
        "20231114221230+0000"
    ),
    (
        "OBX|7|NM|150022^MDC_PRESS_BLD_NONINV_DIA^MDC|1.3.1.2|76|266016^MDC_DIM_MMHG^MDC|||||R|||"
        "20231114221230+0000"
    ),
    (
        "OBX|8|NM|150023^MDC_PRESS_BLD_NONINV_MEAN^MDC|1.3.1.3|90|266016^MDC_DIM_MMHG^MDC|||||R|||"
        "20231114221230+0000"
    ),
)
MISSING: Final = (
    "OBX|2|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.1.1.1||262688^MDC_DIM_PERCENT^MDC||INV|||X"
)
ALARM: Final = (
    "OBR|1|A7^VSIM|A7^VSIM|196616^MDC_EVT_ALARM^MDC|||20231114221320+0000",
    "OBX|1|ST|196670^MDC_EVT_LO^MDC|1.1.1.1.1|SpO2 LOW|||L~PM~SP|||R",
    (
        "OBX|2|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.1.1.1.2|84|262688^MDC_DIM_PERCENT^MDC|90-100"
        "|L~PM~SP|||R"
    ),
    "OBX|3|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.1.1.1.3|start|||||||R",
    "OBX|4|ST|68482^MDC_ATTR_ALARM_STATE^MDC|1.1.1.1.4|active|||||||R",
    "OBX|5|ST|68483^MDC_ATTR_ALARM_INACTIVATION_STATE^MDC|1.1.1.1.5|enabled|||||||R",
)
_REST: Final = (
    HEAD.replace("M0001", "M0002"),
    "OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.1|71|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R",
    "OBX|2|NM|151716^MDC_CONC_AWAY_CO2_INSP^MDC|1.2.1.3|0.4|265987^MDC_DIM_KILO_PASCAL^MDC|||||R",
    "OBX|3|NM|149546^MDC_PULS_RATE_NON_INV^MDC|1.3.1.4|70|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R",
    "OBX|4|NM|150448^MDC_PULS_OXIM_PERF_REL^MDC|1.1.1.3|3.5|262656^MDC_DIM_DIMLESS^MDC|||||R",
    "OBX|5|NM|150344^MDC_TEMP^MDC|1.4.1.1|97.88|266560^MDC_DIM_FAHR^MDC|||||R",
)


def framed(lines: tuple[str, ...]) -> bytes:
    """Return lines as one message on the wire."""
    return b"\x0b" + "".join(f"{line}\r" for line in lines).encode() + b"\x1c\r"


VECTORS: Final = (
    Vector(
        framed(VITALS),
        (
            (Metric.SPO2, 97.0),
            (Metric.PULSE_RATE, 72.0),
            (Metric.ETCO2, 38.0),
            (Metric.RESP_RATE, 14.0),
            (Metric.NIBP_SYS, 118.0),
            (Metric.NIBP_DIA, 76.0),
            (Metric.NIBP_MEAN, 90.0),
        ),
        _PAGE,
    ),
    Vector(MISSING.encode(), ((Metric.SPO2, None),), _PAGE),
    Vector("\r".join(ALARM).encode(), (), _PAGE),
    Vector(
        framed(_REST),
        (
            (Metric.HEART_RATE, 71.0),
            (Metric.FICO2, 3.0),
            (Metric.NIBP_PULSE, 70.0),
            (Metric.PERFUSION_INDEX, 3.5),
            (Metric.TEMP, 36.6),
        ),
        _PAGE,
    ),
)
