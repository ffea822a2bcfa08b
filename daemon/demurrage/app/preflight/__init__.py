"""Checks before a start, or when something is wrong: each says what to do about it."""
