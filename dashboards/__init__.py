"""Screens: snapshots in the words of `monitor.model`, drawn in a terminal."""
