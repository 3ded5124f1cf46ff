"""Samples and time to alarm conditions and signals; pure."""
