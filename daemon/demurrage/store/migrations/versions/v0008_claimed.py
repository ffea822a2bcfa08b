"""Up to when decisions took all starts for held, so that a late one is known after a restart."""

import sqlalchemy as sa
from alembic import op

from demurrage.store.words import Words

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the claims; of those from before nothing is known."""
    op.create_table(
        "claims",
        sa.Column("target", Words, primary_key=True),
        sa.Column("decided_at", sa.Double(), nullable=False),
        sa.Column("starts_before", sa.Double(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
    )
