"""What can go wrong in the world and in what people write; bad bytes are events, not errors."""


class MonitorError(Exception):
    """The world failed: a port is gone, a broker is down, a disk is full."""


class ConfigError(Exception):
    """A person erred. The message names file, table, key, value and what would be right."""


class RecordingError(Exception):
    """A recording cannot be read. The message names file, line or column, and a remedy."""
