"""Style names to colours; the only place that knows colours.

Red, yellow and cyan belong to alarms alone. Every alarm style also differs by weight or by reverse
video, so that a terminal without colours still shows what is lit.
"""

from functools import cache
from typing import Final

from rich.style import Style

BACKGROUND: Final = "#0b0e11"
_TEXT: Final = "#d7dde3"
_QUIET: Final = "#8b96a1"
_HEADER: Final = "#1a2129"

STYLES: Final = {
    "": f"{_TEXT} on {BACKGROUND}",
    "value": f"bold #f2f5f7 on {BACKGROUND}",
    "note": f"{_QUIET} on {BACKGROUND}",
    "title": f"bold {_TEXT} on {BACKGROUND}",
    "frame": f"#46525e on {BACKGROUND}",
    "axis": f"{_QUIET} on {BACKGROUND}",
    "header": f"{_TEXT} on {BACKGROUND}",
    "watermark": "bold #10151a on #e8a2f0",
    "high": f"bold #ff6b6b on {BACKGROUND}",
    "high-lit": "bold #ffffff on #c1121f",
    "medium": f"bold #ffd23f on {BACKGROUND}",
    "medium-lit": "bold #17140a on #ffd23f",
    "low": f"bold #4dd8e6 on {BACKGROUND}",
    "low-lit": "bold #06181b on #4dd8e6",
    "lost": "bold #ffffff on #c1121f",
    "lost-unlit": f"bold #ff6b6b on {BACKGROUND}",
    "quiet": f"#7d8894 on {BACKGROUND}",
    "accepted": f"bold #9be3a5 on {BACKGROUND}",
    "refused": "bold #17140a on #ffd23f",
    "well": f"#9be3a5 on {BACKGROUND}",
    "keys": f"{_QUIET} on {BACKGROUND}",
    "phase": f"bold #aeb9c4 on {_HEADER}",
    "limit": f"#7d8894 on {BACKGROUND}",
    "gap": f"#5a4a63 on {BACKGROUND}",
    "deed": f"bold #c8b6ff on {BACKGROUND}",
    "pressure": f"#e0c3a0 on {BACKGROUND}",
    "spo2": f"#8fc7ff on {BACKGROUND}",
    "pulse": f"#8fdc9a on {BACKGROUND}",
    "co2": f"#e6e2d3 on {BACKGROUND}",
    "resp": f"#c9b8e8 on {BACKGROUND}",
}


@cache
def style(name: str) -> Style:
    """Return the style of that name; an unknown name reads as plain text."""
    return Style.parse(STYLES.get(name, STYLES[""]))
