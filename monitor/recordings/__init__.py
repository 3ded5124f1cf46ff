"""Files of past measurements, read into the words of `monitor.model`."""
