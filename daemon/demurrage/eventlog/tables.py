"""The tables of the event log. They may live in a database of their own or beside the store's."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

VERSION = 1
"""The layout that this version writes; a newer one is refused."""

metadata = MetaData()

# SQLite gives a table's own row number only to a key that is declared INTEGER.
_Big = BigInteger().with_variant(Integer, "sqlite")

head = Table(
    "event_log_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("generation", Text, nullable=False),
    # The last position given out. Appenders lock this row first, so positions become visible
    # in their order and a reader that goes by position skips nothing.
    Column("position", _Big, nullable=False),
    # No position up to here need still be there; above it, every position that was ever read is.
    Column("pruned_through", _Big, nullable=False),
)

# A line set aside is a row without a body and with a reason.
events = Table(
    "event_log",
    metadata,
    Column("position", _Big, primary_key=True, autoincrement=False),
    # Of the canonical content, source and id included: the same event comes twice, or not.
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("source", Text),
    Column("id", Text),
    Column("sequence", _Big),
    Column("type", Text),
    Column("target", Text),
    Column("time", Double),
    Column("appended_at", Double, nullable=False),
    # Bytes, so that a damaged row can still be fetched and set aside.
    Column("body", LargeBinary),
    Column("reason", Text),
)

mentions = Table(
    "event_log_mention",
    metadata,
    Column("id", Text, primary_key=True),
    Column("position", _Big, primary_key=True),
    sqlite_with_rowid=False,
)

floors = Table(
    "event_log_source_floor",
    metadata,
    Column("source", Text, primary_key=True),
    # All sequences of the source up to here were once held, each once and up to the position.
    Column("sequence", _Big, nullable=False),
    Column("position", _Big, nullable=False),
)

# The targets that the source's pruned events spoke of.
floor_targets = Table(
    "event_log_source_target",
    metadata,
    Column("source", Text, primary_key=True),
    Column("target", Text, primary_key=True),
)

# How far each file of the shared folder was read; see `files.following`.
files = Table(
    "event_log_file",
    metadata,
    # Device and inode, as text: inodes need not fit a signed number.
    Column("identity", Text, primary_key=True),
    # For people; files are renamed.
    Column("name", Text, nullable=False),
    Column("position", _Big, nullable=False),
    Column("lines", _Big, nullable=False),
    Column("mark", LargeBinary, nullable=False),
    Column("skipping", Boolean, nullable=False),
    Column("source", Text),
    Column("set_aside", _Big, nullable=False),
    Column("gone_since", Double),
)

# Locks that were seen held, so that finding one free proves a death; see `files.locks`.
locks = Table(
    "event_log_lock",
    metadata,
    Column("uuid", Text, primary_key=True),
    Column("identity", Text, nullable=False),
    Column("boot", Text, nullable=False),
)
