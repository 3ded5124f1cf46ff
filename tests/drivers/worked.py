"""Our own copies of the worked examples: bytes or lines of text, and the values beside them."""

from typing import Final

from drivers.parts.hl7_vectors import VITALS

NONIN_PACKET: Final = """
01 81 64 00 E6   01 80 68 48 31   01 80 70 61 52   01 80 7C 30 2D   01 82 8B 00 0E
01 82 9B 00 1E   01 82 AA 00 2D   01 82 B6 00 39   01 82 BE 61 A2   01 82 C2 61 A6
01 82 C2 62 A7   01 82 BE 00 41   01 82 B8 00 3B   01 82 B1 00 34   01 82 AA 49 76
01 82 A3 61 87   01 80 9D 61 7F   01 80 97 00 18   01 80 92 00 13   01 80 8D 00 0E
01 80 88 48 51   01 80 83 00 04   01 80 7E 49 48   01 80 79 00 FA   01 80 74 00 F5
"""
INTELLIVUE_POLL: Final = """
C0 11 01 00 BE E1 00 00 02 00 02 00 B6 00 01 00 07 00 B0 00 21 00 00 00 00 0C 16 00 A6
00 01 00 12 34 50 FF FF FF FF FF FF FF FF 00 01 00 06 08 03 00 01 00 8E 00 00 00 05 00 88
83 D5 00 01 00 0E 09 50 00 0A 4B B8 00 00 02 20 FF 00 03 CA
83 DC 00 01 00 0E 09 50 00 0A 48 22 00 00 0A A0 00 00 00 48
84 21 00 01 00 0E 09 50 00 0A 50 B0 00 00 0F 20 00 00 00 26
84 22 00 01 00 0E 09 50 00 0A 50 12 00 00 0A E0 00 00 00 0E
82 6A 00 02 00 32 09 4B 00 22 00 03 00 1E 4A 05 00 00 0F 20 00 00 00 76 4A 06 00 00 0F 20 00 00
00 4C
4A 07 00 00 0F 20 00 00 00 5A 09 90 00 08 20 24 03 15 10 42 30 00 4D 2A C1
"""
DATEX_DISPLAYED: Final = """
7E 3E 01 07 0A 00 00 00 F1 53 65 00 00 00 00 00 00 00 00 01 00 00 FF 00
00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 F1 53 65 33 00 00
00 00 12 48 00 01 80 01 80 01 80 0E 00 00 00 00 00 01 00 01 80 01 80 01
80 01 80 00 00 00 00 02 00 01 80 01 80 01 80 01 80 00 00 00 00 10 00 01
80 01 80 01 80 01 80 00 00 00 00 03 00 01 80 01 80 01 80 01 80 03 00 00
00 08 00 E0 2E 40 1F 54 24 48 00 03 00 00 00 0B 00 74 0E 00 00 00 00 0C
00 01 80 00 00 00 00 0D 00 01 80 00 00 00 00 0E 00 01 80 03 00 00 00 00
00 E4 25 48 00 FA 00 01 80 03 00 00 00 01 00 F4 01 05 00 0E 00 B0 1D 03
00 00 00 00 00 72 06 2A 08 00 00 00 00 00 00 01 80 01 80 00 00 00 00 01
00 01 80 01 80 01 80 00 00 00 00 00 00 01 80 01 80 01 80 01 80 01 80 01
80 01 80 01 80 00 00 00 00 00 00 01 80 01 80 01 80 01 80 00 00 00 00 00
00 01 80 01 80 00 00 48 00 48 00 01 80 00 00 00 00 00 00 01 80 00 00 00
00 0D 00 01 80 01 80 01 80 01 80 00 00 00 00 0E 00 01 80 01 80 01 80 01
80 00 00 00 00 00 00 F6 7E
"""

DATEX_WAVE: Final = """
7E 60 00 08 0A 00 00 00 F1 53 65 00 00 00 00 01 00 00 00 09 00 00 FF 00 00 00 00 00 00 00 00 00
00 00 00 00 00 00 00 00 00 19 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
00 00 00 64 00 2C 01 C2 01 E0 01 EA 01 EF 01 F2 01 F4 01 F4 01 F4 01 2C 01 32 00 00 00 00 00 00
00 7F 7E
"""
EXAMPLES: Final[tuple[tuple[str, str, str, str], ...]] = (
    # page, driver, bytes, what is printed beside them
    ("nonin", "nonin", NONIN_PACKET, "spo2=97 pulse_rate=72"),
    ("nonin", "nonin", "81 4E 20 00 EF | 80 4F 00 48 17 | 80 50 00 61 31", "spo2=97 pulse_rate=72"),
    ("nonin", "nonin", "80 48 61 00", "spo2=97 pulse_rate=72"),
    ("nonin", "nonin", "81 34 5F 00", "spo2=95 pulse_rate=180"),
    ("nonin", "nonin", "E3 7F 7F 08", "sensor_off spo2=None pulse_rate=None"),
    ("nonin", "nonin", "01 81 64 01 E7 | 01 80 66 34 1B", "pulse_rate=180"),
    (
        "nonin",
        "nonin",
        "01 C9 00 03 CD | 01 C8 00 7F 48 | 01 C8 00 7F 48",
        "sensor_off spo2=None pulse_rate=None",
    ),
    (
        "capnostream",
        "capnostream",
        (
            "85 1F 04 56 30 34 2E 35 35 20 30 36 2F 31 31 2F 32 30 30 39 20 42 32 30 31 31 32 "
            "33 34 35 36 20 20 1C"
        ),
        "device_identity V04.55",
    ),
    ("capnostream", "capnostream", "85 05 00 2A 25 80 00 00 8A", "co2_wave=37.5"),
    ("capnostream", "capnostream", "85 05 00 80 05 25 80 00 08 2D", "co2_wave=37.5"),
    (
        "capnostream",
        "capnostream",
        (
            "85 1C 01 65 53 F1 00 26 00 0E 61 48 00 00 00 00 00 00 00 3C 0F 1E 05 08 64 55 8C "
            "32 01 00 75"
        ),
        "etco2=38 fico2=0 resp_rate=14 spo2=97 pulse_rate=72",
    ),
    (
        "capnostream",
        "capnostream",
        (
            "85 1C 01 65 53 F1 3C FF FF FF 61 48 08 00 00 00 01 00 19 3C 0F 1E 05 08 64 55 8C "
            "32 01 00 8E"
        ),
        "no_breath etco2=None fico2=None resp_rate=None",
    ),
    ("suntech", "suntech", "3E 05 80 00 3D", "cuff_pressure=128"),
    ("suntech", "suntech", "3E 05 02 01 BA", "cuff_pressure=258"),
    (
        "suntech",
        "suntech",
        "3E 18 73 00 4A 00 1E 01 00 00 00 00 00 00 31 07 55 00 58 00 00 00 00 E9",
        "nibp_sys=115 nibp_dia=74 nibp_mean=88 nibp_pulse=85",
    ),
    (
        "suntech",
        "suntech",
        "3E 18 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 57 00 00 53",
        "cuff_failed nibp_sys=None nibp_dia=None nibp_mean=None",
    ),
    ("contec", "contec", "01 80 C6 AA 85 C8 E1 AC 81", "spo2=97 pulse_rate=72 perfusion_index=3"),
    (
        "contec",
        "contec",
        "01 E9 80 C0 90 FF FF FF FF",
        "sensor_off spo2=None pulse_rate=None perfusion_index=None",
    ),
    ("contec", "contec", "85 2A 06 48 61", "spo2=97 pulse_rate=72"),
    ("contec", "contec", "85 33 46 16 5F", "spo2=95 pulse_rate=150"),
    ("contec", "contec", "90 00 20 00 00", "sensor_off searching spo2=None pulse_rate=None"),
    ("datex-s5", "datex", DATEX_WAVE, "co2_wave=0 co2_wave=38"),
    (
        "datex-s5",
        "datex",
        DATEX_DISPLAYED,
        "heart_rate=72 nibp_sys=120 nibp_dia=80 nibp_mean=93 temp=37 spo2=97 etco2=38 resp_rate=14",
    ),
    (
        "dinamap",
        "dinamap",
        "20 4E 41 31 30 30 30 30 31 32 31 31 38 30 37 36 30 39 30 26 26 0D",
        "nibp_sys=118 nibp_dia=76 nibp_mean=90",
    ),
    (
        "intellivue",
        "intellivue",
        INTELLIVUE_POLL,
        "spo2=97 pulse_rate=72 etco2=38 resp_rate=14 nibp_sys=118 nibp_dia=76 nibp_mean=90",
    ),
    (
        "medibus",
        "medibus",
        "01 24 45 42 20 39 38 20 45 31 20 37 30 20 37 41 0D",
        "spo2=98 pulse_rate=70",
    ),
    (
        "medibus",
        "medibus",
        (
            "01 24 44 35 31 34 20 20 44 41 20 30 2E 33 44 42 20 35 2E 30 45 33 20 35 2E 31 45 "
            "35 32 20 20 20 45 36 33 38 20 20 45 42 20 39 37 20 45 31 20 37 32 20 36 36 0D"
        ),
        "resp_rate=14 etco2=38 spo2=97 pulse_rate=72",
    ),
    (
        "medibus",
        "medibus",
        "01 27 42 32 37 45 54 20 43 4F 32 20 4C 4F 57 20 20 41 32 0D",
        "etco2_low ET CO2 LOW",
    ),
    (
        "medibus",
        "medibus",
        "01 27 4F 30 44 41 50 4E 45 41 20 43 4F 32 20 20 20 39 34 0D",
        "no_breath APNEA CO2",
    ),
    (
        "medibus",
        "medibus",
        "01 52 38 33 30 30 27 43 61 70 6E 6F 73 61 74 27 30 31 2E 30 30 3A 30 33 2E 30 30 42 46 0D",
        "device_identity Capnosat",
    ),
    (
        "phasein",
        "phasein",
        "AA 55 01 00 01 F4 00 00 00 00 00 00 08 2A 32 00 00 00 10 FF 97",
        "etco2=38",
    ),
    (
        "phasein",
        "phasein",
        "AA 55 03 01 01 E0 00 00 00 00 00 00 08 2A 0E 03 00 00 03 F5 E0",
        "resp_rate=14",
    ),
    (
        "phasein",
        "phasein",
        "AA 55 02 02 00 00 FF FF FF FF FF FF FF FF 00 FF FF FF FF FF 09",
        "no_breath",
    ),
    (
        "respironics-co2",
        "respironics",
        "84 04 01 05 78 7A | 80 07 11 24 70 02 02 7C 54",
        "co2_wave=37.2 etco2=38",
    ),
    ("respironics-co2", "respironics", "80 04 10 25 0E 39", "co2_wave=37.5"),
    ("respironics-co2", "respironics", "80 07 12 24 52 03 00 0E 60", "resp_rate=14"),
    ("respironics-co2", "respironics", "80 07 13 08 1A 04 00 03 3D", "fico2=0.3"),
    ("respironics-co2", "respironics", "80 0A 16 07 68 01 40 00 00 01 0A 25", "no_breath"),
    (
        "mqtt",
        "sparkplug",
        (
            "08 80 D0 95 FF BC 31 12 18 0A 04 73 70 6F 32 18 80 D0 95 FF BC 31 20 0A 69 00 00 "
            "00 00 00 40 58 40 18 03"
        ),
        "spo2=97",
    ),
)

TEXTS: Final[tuple[tuple[str, str, tuple[str, ...], str], ...]] = (
    # page, driver, lines as printed, what is printed beside them
    (
        "masimo",
        "masimo",
        (
            (
                "03/17/16 19:19:36 SN=---------- SPO2=098% BPM=123 PI=00.55 SPCO=--% SPMET=--.-% "
                "SPHB=--.- SPOC=-- RESVD=--- DESAT=-- PIDELTA=+-- PVI=--- ALARM=000000 EXC=0000C00 "
                "EXC1=00000000"
            ),
        ),
        "spo2=98 pulse_rate=123 perfusion_index=0.55",
    ),
    (
        "masimo",
        "masimo",
        (
            (
                "03/19/16 13:37:12 SN=0000093112 SPO2=---% BPM=---% DESAT=-- PIDELTA=+-- "
                "ALARM=0000 EXC=000001"
            ),
        ),
        "spo2=None pulse_rate=None",
    ),
    (
        "masimo",
        "masimo",
        (
            (
                "05/15/07 08:12:21 SN=0000070986 SPO2=---% BPM=--- PI=--.--% SPCO=--.-% "
                "SPMET=--.-% DESAT=-- PIDELTA=+-- PVI=--- ALARM=0000 EXC=000000"
            ),
        ),
        "spo2=None pulse_rate=None perfusion_index=None",
    ),
    (
        "masimo",
        "masimo",
        (
            (
                "11/14/23 22:13:20 SN=0000012345 SPO2=085% BPM=128 PI=01.20% SPCO=--.-% "
                "SPMET=--.-% DESAT=-- PIDELTA=+-- ALARM=0012 EXC=000800"
            ),
        ),
        "spo2=85 pulse_rate=128 perfusion_index=1.2 spo2_low",
    ),
    (
        "nellcor",
        "nellcor",
        ("14-Nov-23 22:13:20    97      72      48                     ",),
        "spo2=97 pulse_rate=72",
    ),
    (
        "nellcor",
        "nellcor",
        ("14-Nov-23 22:13:22    84*     72      12    MO SL       AS   ",),
        "spo2=84 pulse_rate=72 spo2_low",
    ),
    (
        "nellcor",
        "nellcor",
        ("14-Nov-23 22:13:24   ---     ---     ---    SD          AS   ",),
        "spo2=None pulse_rate=None",
    ),
    (
        "mqtt",
        "senml",
        (
            (
                '[{"bn":"urn:dev:mac:0011223344556677:","bt":1700000000,"n":"spo2","u":"%","v":97},'
                '{"n":"pulse","u":"beat/min","v":72},{"n":"rr","u":"1/min","v":14},'
                '{"n":"etco2","u":"Pa","v":5066.0},{"n":"nibp/sys","u":"Pa","v":15732.0,"t":-50}]'
            ),
        ),
        "nibp_sys=118 spo2=97 pulse_rate=72 resp_rate=14 etco2=38",
    ),
    (
        "mqtt",
        "json",
        ('{"time":"2023-11-14T22:13:20","spO2":97,"pulse":72}',),
        "spo2=97 pulse_rate=72",
    ),
    (
        "hl7-pcd",
        "hl7",
        VITALS,
        "spo2=97 pulse_rate=72 etco2=38 resp_rate=14 nibp_sys=118 nibp_dia=76",
    ),
)
