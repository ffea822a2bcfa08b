"""What the provider says of one response, as far as containers are concerned."""

from dataclasses import dataclass
from enum import StrEnum

from demurrage.model.event import Ending, Slot
from demurrage.model.listing import Failure


class ResolveOutcome(StrEnum):
    """What became of an attempt to read a response.

    GONE: the API says that there is none of that id: it was not stored, or was deleted.
    """

    ENDED = "ended"
    RUNNING = "running"
    GONE = "gone"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ResponseReading:
    """One response as the API showed it; no prompt and no output is in it.

    `ending` is None while it is queued or in progress. `slots` are those of the tools that it
    echoes and of those that its input items bring along, one of an unknown tool wherever they
    cannot be told. `spreads`: agents run in it, which make containers as long as it runs.
    `opaque`: an input item stands for others that are not told. `named` are the containers that
    the response itself names, `carried` those in its input items, None if these were not asked
    for. `asked_at` and `answered_at` are provider time; `created_at` and `completed_at` are the
    provider's own.
    """

    response_id: str
    status: str
    ending: Ending | None
    created_at: float
    completed_at: float | None
    background: bool
    model: str | None
    previous_response_id: str | None
    conversation: str | None
    slots: tuple[Slot, ...]
    spreads: bool
    named: frozenset[str]
    carried: frozenset[str] | None
    asked_at: float
    answered_at: float
    opaque: bool = False


@dataclass(frozen=True, slots=True)
class Resolution:
    """The answer of an attempt: a `reading`, or the `failure` that stands in its place."""

    response_id: str
    outcome: ResolveOutcome
    reading: ResponseReading | None = None
    failure: Failure | None = None
