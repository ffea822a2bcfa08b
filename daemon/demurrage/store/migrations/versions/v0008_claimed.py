"""Up to when decisions took all starts for held, so that a late one is known after a restart."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the claims; of those from before nothing is known."""
    op.add_column("meta", sa.Column("log_claims", sa.JSON(), nullable=True))
