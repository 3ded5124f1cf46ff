"""A process of its own that speaks when `vigil serve` does not; standard library only."""
