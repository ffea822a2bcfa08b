"""The HTTP face: events in, status, cases, probes and metrics out."""
