"""Durable state: inventory, verdicts, deletions, holds, conditions."""
