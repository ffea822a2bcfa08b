"""What the provider's edge hands up: pages read, deletes answered, failures by name."""

from dataclasses import dataclass

from demurrage.model.condition import ConditionKind
from demurrage.model.container import Container
from demurrage.model.deletion import DeleteOutcome


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed call, by name. `detail` holds no secret and no body text beyond a code."""

    kind: ConditionKind
    detail: str
    http_status: int | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of the newest-first listing to read.

    From the row after the id `after` (None: from the top) down to the first row born before
    `down_to` (None: to the end of the list). `born_by`, the `created_at` of the row `after`,
    lets the reader notice an API that ignores the cursor: no row may be younger.
    """

    after: str | None = None
    down_to: float | None = None
    born_by: int | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """The rows of one region, in listing order, read without a break.

    `finished`: the region's lower edge or the end of the list was provably reached.
    `reached_end`: it was the end of the list.
    """

    region: Region
    rows: tuple[Container, ...]
    finished: bool
    reached_end: bool
    listed_at: float


@dataclass(frozen=True, slots=True)
class Listing:
    """What one pass over a target's listing brought; `failure` says why it is incomplete."""

    started_at: float
    stretches: tuple[Stretch, ...]
    calls: int
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class DeleteAnswer:
    """What the API made of one delete; `failure` names what went wrong."""

    container_id: str
    outcome: DeleteOutcome
    failure: Failure | None = None
