"""The Containers API behind narrow ports: list, delete and resolve, every failure by name.

Layers, from the ground up: `connection` and `client` build the SDK's client, `answer` and
`faults` turn what comes back into values, `calls` sends one call within the `budget` and keeps
the `clock`, `pager` and `deletes` are the only two things that are ever sent, and `api` ties
them together. `regions` plans what to list and sends nothing.
"""
