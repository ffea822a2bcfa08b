"""The event log: CloudEvents on the wire, SQL behind one port.

`parse` reads one event, `parse_batch` a request's body, `EventLog` keeps them.
"""
