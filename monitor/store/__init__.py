"""The record on disk, and the stretch of it that InfluxDB has not accepted yet."""
