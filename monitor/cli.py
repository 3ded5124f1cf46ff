"""Arguments and exit codes of the command `vigil`."""
