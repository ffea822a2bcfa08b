"""Which table on which server the store is: what tells a server's copy from the original.

A dump that is read back makes the table anew, another cluster has an identifier of its own, and
a cluster that was set back to a moment, or whose replica took over, begins a new timeline.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from demurrage.store.tables import meta

_ORIGIN = text(
    """
    SELECT CASE WHEN has_function_privilege('pg_control_system()', 'execute')
        THEN (SELECT system_identifier::text FROM pg_control_system()) ELSE '' END,
    CASE WHEN has_function_privilege('pg_control_checkpoint()', 'execute')
        THEN (SELECT timeline_id::text FROM pg_control_checkpoint()) ELSE '' END,
    to_regclass(:meta)::oid::bigint
    """
).bindparams(meta=meta.name)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a store's rows were at some time. Empty: the server does not say."""

    server: str
    timeline: str
    table: str

    @staticmethod
    def of(connection: Connection) -> "Origin | None":
        """Where they are now; None for a file."""
        if connection.dialect.name == "sqlite":
            return None
        server, timeline, table = connection.execute(_ORIGIN).one()
        return Origin(server, timeline, str(table))

    @staticmethod
    def read(written: str) -> "Origin":
        """What `written` says."""
        return Origin(*written.split("/"))

    @property
    def written(self) -> str:
        """One word for the store."""
        return f"{self.server}/{self.timeline}/{self.table}"

    def same_place(self, other: "Origin") -> bool:
        """True unless the rows were copied to where they are now."""
        return (self.server, self.table) == (other.server, other.table)
