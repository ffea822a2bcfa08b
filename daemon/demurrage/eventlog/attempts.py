"""Logged requests, each put together from its events, for people to read."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from demurrage.eventlog.reading import Kept
from demurrage.model.event import Created, Entry, Event, Finished, Output, Slot, Started


@dataclass(slots=True)
class Attempt:
    """One request, as its writer told it; moments are on the writer's clock.

    `carried` are the containers that the request bore, `named` those that its answer names.
    `status` is None while no end is logged.
    """

    target: str
    call_id: str
    source: str
    response_id: str | None = None
    started_at: float | None = None
    created_at: float | None = None
    finished_at: float | None = None
    status: str | None = None
    http_status: int | None = None
    background: bool = False
    model: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    previous_response_id: str | None = None
    conversation: str | None = None
    slots: tuple[Slot, ...] = ()
    carried: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()

    @property
    def auto_slots(self) -> int:
        """At most so many containers can it have made."""
        return sum(slot.auto for slot in self.slots)

    @property
    def ended(self) -> bool:
        """True when its end is logged and known: a lost answer tells nothing."""
        return self.status not in (None, "lost")

    def take(self, event: Event) -> None:
        """Take in what one of its events says."""
        fact = event.fact
        match fact:
            case Started():
                self.started_at = event.time
                self.background, self.model = fact.background, fact.model
                self.labels = tuple(sorted(fact.labels.items()))
                self.previous_response_id = fact.previous_response_id
                self.slots = fact.slots
                self.carried = fact.containers | {
                    slot.container for slot in fact.slots if not slot.auto
                }
            case Created():
                self.created_at = fact.created_at or self.created_at
            case Finished():
                self.finished_at, self.status = event.time, fact.status
                self.http_status = fact.http_status
                self.created_at = fact.created_at or self.created_at
            case _:
                pass
        if isinstance(fact, Created | Output | Finished):
            self.response_id = fact.response_id or self.response_id
            self.named |= fact.containers
        if isinstance(fact, Started | Created | Finished):
            self.conversation = fact.conversation or self.conversation


def attempts(records: Iterable[Kept]) -> tuple[Attempt, ...]:
    """The requests that the records are about, in the order in which the log met them."""
    found: dict[tuple[str, str], Attempt] = {}
    for kept in records:
        if not isinstance(kept.record, Entry):
            continue
        event = kept.record.event
        if isinstance(event.fact, Started | Created | Output | Finished):
            key = (event.target, event.fact.call_id)
            found.setdefault(key, Attempt(*key, event.source)).take(event)
    return tuple(found.values())


def by_target(some: Iterable[Attempt]) -> dict[str, list[str]]:
    """The call ids of the requests of each target."""
    calls: defaultdict[str, list[str]] = defaultdict(list)
    for attempt in some:
        calls[attempt.target].append(attempt.call_id)
    return calls
