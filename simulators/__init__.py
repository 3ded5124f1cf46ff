"""The mirror: patients, devices and faults that a seed brings back exactly."""
