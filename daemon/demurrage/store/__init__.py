"""Durable state: inventory, verdicts, the audit of deletes, facts, holds and incidents."""

from demurrage.store.lock import StoreLock
from demurrage.store.opening import open_store
from demurrage.store.sqlstore import SqlStore

__all__ = ["SqlStore", "StoreLock", "open_store"]
