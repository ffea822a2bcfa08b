"""How far the log reached when a person settled a break of coverage."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the position; what was settled at its own moment stands yet, and opens again."""
    op.add_column(
        "coverage_breaks",
        sa.Column("position", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
    )
    op.execute("UPDATE coverage_breaks SET settled_at = NULL WHERE settled_at = at")
