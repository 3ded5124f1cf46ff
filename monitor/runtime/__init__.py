"""The shell that moves bytes and time around the cores."""
