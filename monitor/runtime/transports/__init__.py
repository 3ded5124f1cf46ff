"""What carries bytes: read, write, close; nothing else."""
