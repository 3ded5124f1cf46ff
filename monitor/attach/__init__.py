"""The WebSocket between `vigil serve` and any screen."""
