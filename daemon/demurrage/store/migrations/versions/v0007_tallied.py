"""Which containers stand in the hourly figures that the rails go by."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add a mark for either figure, set where the container was counted already."""
    for figure in ("logged", "deleted"):
        op.add_column(
            "containers",
            sa.Column(f"tallied_{figure}", sa.Boolean(), nullable=False, server_default=sa.false()),
        )
    op.execute(
        "UPDATE containers SET tallied_logged = true "
        "WHERE was_orphan OR was_referenced OR verdict <> 'pending'"
    )
    op.execute(
        "UPDATE containers SET tallied_deleted = true "
        "WHERE observed_at IS NOT NULL OR deleted_at IS NOT NULL OR EXISTS ("
        "SELECT 1 FROM predictions WHERE predictions.target = containers.target "
        "AND predictions.container_id = containers.container_id "
        "AND predictions.kind = 'orphan')"
    )
