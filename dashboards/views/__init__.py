"""Snapshots to strings and style names; pure, no Textual."""
