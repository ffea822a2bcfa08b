"""Settings, start, stop, schedule, signals."""
