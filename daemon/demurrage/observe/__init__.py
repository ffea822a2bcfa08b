"""Logs and metrics; hooked in, never called from `decide`."""
