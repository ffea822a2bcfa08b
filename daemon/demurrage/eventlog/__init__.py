"""The event log: CloudEvents on the wire, SQL behind one port."""
