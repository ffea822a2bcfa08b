"""Conditions become incidents, and what each sink has been told of them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

# What one of version 3 becomes. It was told when it opened and when it was over. The ids are
# given anew, so that the database goes on counting behind them.
_CARRY_OVER = """
INSERT INTO incidents (
    target, kind, scope, severity, summary, causes, opened_at, changed_at, last_seen_at,
    revision, resolved_at, acknowledged_by
)
SELECT target, kind, '', severity, summary, '[]', opened_at, coalesce(resolved_at, opened_at),
    last_seen_at, CASE WHEN resolved_at IS NULL THEN 1 ELSE 2 END, resolved_at, ''
FROM conditions ORDER BY id
"""


def upgrade() -> None:
    """Add both tables, carry the conditions over, and drop theirs."""
    op.create_table(
        "incidents",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("causes", sa.JSON(), nullable=False),
        sa.Column("usd_per_hour", sa.Double()),
        sa.Column("opened_at", sa.Double(), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("last_seen_at", sa.Double(), nullable=False),
        sa.Column("quiet_since", sa.Double()),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("resolved_at", sa.Double()),
        sa.Column("acknowledged_at", sa.Double()),
        sa.Column("acknowledged_by", sa.Text(), nullable=False),
        sa.Column("silenced_until", sa.Double()),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_incidents_standing",
        "incidents",
        ["target", "kind", "scope"],
        unique=True,
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_index("ix_incidents_resolved", "incidents", ["resolved_at"])
    op.create_table(
        "deliveries",
        sa.Column("sink", sa.Text(), nullable=False),
        sa.Column(
            "incident_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.ForeignKey("incidents.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("delivered_at", sa.Double()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.Double()),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sink", "incident_id"),
    )
    op.create_index("ix_deliveries_incident", "deliveries", ["incident_id"])
    op.execute(sa.text(_CARRY_OVER))
    op.drop_table("conditions")
