"""Which daemon acts on the store, and on which server the store is."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add both to the store's own row."""
    op.add_column(
        "meta", sa.Column("epoch", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
    )
    op.add_column("meta", sa.Column("origin", sa.Text()))
