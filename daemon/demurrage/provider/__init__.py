"""The Containers API behind narrow ports: list and delete, every failure by name."""
