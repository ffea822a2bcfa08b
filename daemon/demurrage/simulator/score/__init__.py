"""Scoring on virtual time: a load replayed through the real core, against the truth."""
