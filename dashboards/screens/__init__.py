"""Arrangements of widgets."""
