"""When an alarm signal is lit: after IEC 60601-1-8, high fast, medium slow, low steady.

High 2.0 Hz and medium 0.66 Hz, both half of the time; fewer than three flashes a second. The same
clock drives every signal, so that two never flash against each other.
"""

from typing import Final

from monitor.model.alarm import Priority

FLASH_HZ: Final = {Priority.HIGH: 2.0, Priority.MEDIUM: 0.66}
ON_SHARE: Final = 0.5


def is_lit(priority: Priority, clock_s: float) -> bool:
    """Return whether the signal is in the lit part of its flash at `clock_s` seconds."""
    hz = FLASH_HZ.get(priority)
    return hz is None or (clock_s * hz) % 1.0 < ON_SHARE
