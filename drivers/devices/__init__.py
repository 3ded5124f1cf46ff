"""One file, one device. The registry finds what lies here."""
