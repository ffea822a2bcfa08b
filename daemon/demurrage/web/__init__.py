"""HTTP: the events door, the reading endpoints, probes, metrics and the status page."""
