"""Bytes to meaning and back: what Vigil knows about bedside devices."""
