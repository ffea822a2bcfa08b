"""The tables, as they are after the newest migration; a test holds the two together."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    text,
)

from demurrage.store.words import Words

# SQLite counts rows up only in columns that are INTEGER to the letter.
SERIAL = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()

# Who this store is, how far it has come, and how far it has read the event log. One row.
meta = Table(
    "meta",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("store_id", Words, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("tick", BigInteger, nullable=False),
    Column("tick_at", Double, nullable=False),
    Column("backup_at", Double),
    Column("restored_since", Double),
    Column("log_generation", Words),
    Column("log_position", BigInteger),
    Column("log_read_at", Double),
    # Counts the daemons that have taken the store over.
    Column("epoch", BigInteger, nullable=False, server_default=text("0")),
    # Which table on which server this is; None for a file.
    Column("origin", Words),
)

# The verdict log. Ids are never used twice, not even after pruning: the audit points at them.
verdicts = Table(
    "verdicts",
    metadata,
    Column("id", SERIAL, primary_key=True),
    Column("target", Words, nullable=False),
    Column("container_id", Words, nullable=False),
    Column("decided_at", Double, nullable=False),
    Column("kind", Words, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("due_at", Double),
    Column("proven_at", Double),
    Column("maker", Words),
    Column("shadow", Words),
    Column("status", Words, nullable=False),
    Column("last_active_at", BigInteger),
    Index("ix_verdicts_container", "target", "container_id", "id"),
    Index("ix_verdicts_decided", "decided_at"),
    sqlite_autoincrement=True,
)

# The inventory. `alive` and the columns from `verdict_id` on are kept here so that what is
# asked every cycle needs no search through the verdict log.
containers = Table(
    "containers",
    metadata,
    Column("target", Words, primary_key=True),
    Column("container_id", Words, primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("status", Words, nullable=False),
    Column("last_active_at", BigInteger),
    Column("tier", Words),
    Column("name", Words, nullable=False),
    Column("idle_expiry", Double),
    Column("first_seen_at", Double, nullable=False),
    Column("listed_at", Double, nullable=False),
    Column("gone_at", Double),
    Column("deleted_at", Double),
    Column("missing_since", Double),
    Column("alive", Boolean, nullable=False),
    Column("verdict_id", BigInteger, ForeignKey("verdicts.id")),
    Column("verdict", Words),
    Column("verdict_code", Words),
    Column("was_referenced", Boolean, nullable=False, default=False),
    Column("was_orphan", Boolean, nullable=False, default=False),
    Column("observed_at", Double),
    Column("observed_usd", Double),
    # Whether it stands in the hourly figures of the same name.
    Column("tallied_logged", Boolean, nullable=False, default=False),
    Column("tallied_deleted", Boolean, nullable=False, default=False),
    Index("ix_containers_id", "container_id"),
    Index("ix_containers_born", "target", "created_at"),
    Index("ix_containers_alive", "target", "alive", "created_at"),
    Index("ix_containers_standing", "target", "alive", "verdict", "verdict_code"),
    Index("ix_containers_verdict", "verdict_id"),
)

# The audit of deletes. The foreign key is invariant 5: no delete without a recorded verdict.
deletions = Table(
    "deletions",
    metadata,
    Column("id", SERIAL, primary_key=True),
    Column("target", Words, nullable=False),
    Column("container_id", Words, nullable=False),
    Column("verdict_id", BigInteger, ForeignKey("verdicts.id"), nullable=False),
    Column("intended_at", Double, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("tier", Words),
    Column("verdict", Words, nullable=False),
    Column("hold_id", Words),
    Column("finished_at", Double),
    Column("outcome", Words),
    Column("detail", Words, nullable=False, default=""),
    Column("saved_usd", Double, nullable=False, default=0.0),
    Index("ix_deletions_intended", "target", "intended_at"),
    Index("ix_deletions_outcome", "target", "outcome"),
    Index("ix_deletions_container", "container_id"),
    Index("ix_deletions_verdict", "verdict_id"),
    sqlite_autoincrement=True,
)

# What complete coverage would have said, once for each container.
predictions = Table(
    "predictions",
    metadata,
    Column("target", Words, primary_key=True),
    Column("container_id", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("predicted_at", Double, nullable=False),
    Column("refuted_at", Double),
    Index("ix_predictions_at", "predicted_at"),
)

# Running totals, added to in the transaction that causes them; no scan, nothing to prune.
totals = Table(
    "totals",
    metadata,
    Column("target", Words, primary_key=True),
    Column("tier", Words, primary_key=True),
    *(
        Column(figure, BigInteger, nullable=False)
        for figure in (
            "created",
            "referenced",
            "orphans",
            "swept",
            "refused",
            "failed",
            "observed",
            "predicted",
            "refuted",
        )
    ),
    Column("saved_usd", Double, nullable=False),
    Column("observed_usd", Double, nullable=False),
)

# Done deletes by the container's age in tenths of a second, so that "before the floor" can be
# told for any floor after the detail is gone.
sweep_ages = Table(
    "sweep_ages",
    metadata,
    Column("target", Words, primary_key=True),
    Column("tier", Words, primary_key=True),
    Column("age", Integer, primary_key=True),
    Column("swept", BigInteger, nullable=False),
)

# Standing facts, a row for each target.
targets = Table(
    "targets",
    metadata,
    Column("target", Words, primary_key=True),
    Column("coverage_since", Double),
    Column("confirmed_at", Double),
    Column("whole_life_since", Double),
    Column("distrust_before", Double),
    Column("listed_whole", Boolean, nullable=False, default=False),
)

coverage_breaks = Table(
    "coverage_breaks",
    metadata,
    Column("target", Words, primary_key=True),
    Column("kind", Words, primary_key=True),
    Column("about", Words, primary_key=True),
    Column("at", Double, nullable=False),
    Column("detail", Words, nullable=False),
    Column("settled_at", Double),
    Column("position", BigInteger, nullable=False, default=0),
    Index("ix_coverage_breaks_open", "target", "settled_at"),
)

# What decisions took for true of the log; see `decide.response.Claim`.
claims = Table(
    "claims",
    metadata,
    Column("target", Words, primary_key=True),
    Column("decided_at", Double, nullable=False),
    Column("starts_before", Double, nullable=False),
    Column("position", BigInteger, nullable=False),
)

protections = Table(
    "protections",
    metadata,
    Column("target", Words, primary_key=True),
    Column("container_id", Words, primary_key=True),
    Column("since", Double, nullable=False),
    Column("until", Double),
    Column("by", Words, nullable=False),
)

retired_writers = Table(
    "retired_writers",
    metadata,
    Column("source", Words, primary_key=True),
    Column("at", Double, nullable=False),
    Column("by", Words, nullable=False),
)

# Everything that a person did.
acts = Table(
    "acts",
    metadata,
    Column("id", SERIAL, primary_key=True),
    Column("at", Double, nullable=False),
    Column("by", Words, nullable=False),
    Column("what", Words, nullable=False),
    Column("target", Words),
    Column("about", Words),
    Column("detail", Words, nullable=False),
    Index("ix_acts_at", "at"),
    sqlite_autoincrement=True,
)

holds = Table(
    "holds",
    metadata,
    Column("id", Words, primary_key=True),
    Column("target", Words, nullable=False),
    Column("rail", Words, nullable=False),
    Column("opened_at", Double, nullable=False),
    Column("summary", Words, nullable=False),
    Column("resumed_at", Double),
    Column("resumed_until", Double),
    Column("resumed_by", Words),
    Column("lapsed_at", Double),
    Index("ix_holds_target", "target", "lapsed_at"),
)

hold_containers = Table(
    "hold_containers",
    metadata,
    Column("hold_id", Words, ForeignKey("holds.id", ondelete="CASCADE"), primary_key=True),
    Column("container_id", Words, primary_key=True),
    Index("ix_hold_containers_container", "container_id"),
)

hourly_births = Table(
    "hourly_births",
    metadata,
    Column("target", Words, primary_key=True),
    Column("hour", Integer, primary_key=True),
    Column("births", BigInteger, nullable=False),
    Column("logged", BigInteger, nullable=False),
    Column("deleted", BigInteger, nullable=False),
)

# Conditions with their lives. Those at revision 0 brood: nobody has been told of them.
incidents = Table(
    "incidents",
    metadata,
    Column("id", SERIAL, primary_key=True),
    Column("target", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("scope", Words, nullable=False),
    Column("severity", Words, nullable=False),
    Column("summary", Words, nullable=False),
    Column("causes", JSON, nullable=False),
    Column("usd_per_hour", Double),
    Column("opened_at", Double, nullable=False),
    Column("changed_at", Double, nullable=False),
    Column("last_seen_at", Double, nullable=False),
    Column("quiet_since", Double),
    Column("revision", Integer, nullable=False),
    Column("resolved_at", Double),
    Column("acknowledged_at", Double),
    Column("acknowledged_by", Words, nullable=False),
    Column("silenced_until", Double),
    Index(
        "ix_incidents_standing",
        "target",
        "kind",
        "scope",
        unique=True,
        sqlite_where=text("resolved_at IS NULL"),
        postgresql_where=text("resolved_at IS NULL"),
    ),
    Index("ix_incidents_resolved", "resolved_at"),
    sqlite_autoincrement=True,
)

# The revision that each sink was last told, 0 for none, and how often it could not be told since.
deliveries = Table(
    "deliveries",
    metadata,
    Column("sink", Words, primary_key=True),
    Column("incident_id", SERIAL, ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("delivered_at", Double),
    Column("attempts", Integer, nullable=False),
    Column("tried_at", Double),
    Column("last_error", Words, nullable=False),
    Index("ix_deliveries_incident", "incident_id"),
)

statuses = Table(
    "statuses",
    metadata,
    Column("target", Words, primary_key=True),
    Column("at", Double, nullable=False),
    Column("status", JSON, nullable=False),
)

# What the canary has found out, a row for each answer; the clear ones are compared.
findings = Table(
    "findings",
    metadata,
    Column("id", SERIAL, primary_key=True),
    Column("target", Words, nullable=False),
    Column("question", Words, nullable=False),
    Column("at", Double, nullable=False),
    Column("answer", Words, nullable=False),
    Column("says", Words, nullable=False),
    Column("figures", JSON, nullable=False),
    Column("changed_from", Words),
    Column("acknowledged_at", Double),
    Index("ix_findings_question", "target", "question", "id"),
    sqlite_autoincrement=True,
)

# Auto containers of which it is settled whether they were used, those of the last hours.
settled_births = Table(
    "settled_births",
    metadata,
    Column("target", Words, primary_key=True),
    Column("container_id", Words, primary_key=True),
    Column("born_at", BigInteger, nullable=False),
    Column("tier", Words, nullable=False),
    Column("orphan", Boolean, nullable=False),
    Column("traits", JSON, nullable=False),
    Index("ix_settled_births_born", "target", "born_at"),
)

# The older past of each scope, by the number of the bin.
spike_bins = Table(
    "spike_bins",
    metadata,
    Column("target", Words, primary_key=True),
    Column("scope", Words, primary_key=True),
    Column("bin", BigInteger, primary_key=True, autoincrement=False),
    Column("settled", BigInteger, nullable=False),
    Column("orphans", JSON, nullable=False),
)

# How far the watch over a scope has come. Numbers of grains and bins are of their widths, so a
# scope of other widths cannot be read on.
spike_scopes = Table(
    "spike_scopes",
    metadata,
    Column("target", Words, primary_key=True),
    Column("scope", Words, primary_key=True),
    Column("grain", Double, nullable=False),
    Column("bin", Double, nullable=False),
    Column("state", JSON, nullable=False),
)
