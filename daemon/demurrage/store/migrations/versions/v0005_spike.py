"""What is usual of a target's orphans, and how far the watch over them has come."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the births that are settled, the older past in bins, and the scopes."""
    op.create_table(
        "settled_births",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("container_id", sa.Text(), nullable=False),
        sa.Column("born_at", sa.BigInteger(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("orphan", sa.Boolean(), nullable=False),
        sa.Column("traits", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("target", "container_id"),
    )
    op.create_index("ix_settled_births_born", "settled_births", ["target", "born_at"])
    op.create_table(
        "spike_bins",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("bin", sa.BigInteger(), nullable=False),
        sa.Column("settled", sa.BigInteger(), nullable=False),
        sa.Column("orphans", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("target", "scope", "bin"),
    )
    op.create_table(
        "spike_scopes",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("grain", sa.Double(), nullable=False),
        sa.Column("bin", sa.Double(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("target", "scope"),
    )
