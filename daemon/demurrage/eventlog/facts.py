"""From the data of an event to the fact that it states, and to the ids that it mentions."""

from collections.abc import Callable
from typing import Any, Final

from demurrage.eventlog import wire
from demurrage.model.event import (
    ContainerCreated,
    ContainerReferenced,
    ContainerReleased,
    ContainerRequested,
    ConversationEnded,
    Created,
    Ending,
    Fact,
    Finished,
    Heartbeat,
    Known,
    Output,
    Sent,
    Slot,
    Started,
    Tool,
    Unheard,
)

# The request was refused; but timed out, in conflict, or given up by the client it may have run.
_REFUSALS = frozenset(range(400, 500)) - {408, 409, 499}


def fact_of(event: wire.Envelope) -> Fact:
    """The fact that a checked event states."""
    return _MAKERS[type(event)](event)


def containers_of(fact: Fact) -> frozenset[str]:
    """Every container that the fact names, in whatever place."""
    match fact:
        case Started(slots=slots, containers=containers):
            named = [slot.container for slot in slots if not slot.auto]
            return containers.union(named) if named else containers
        case Created() | Output() | Finished():
            return fact.containers
        case ContainerCreated() | ContainerReferenced() | ContainerReleased():
            return frozenset((fact.container_id,))
        case _:
            return frozenset()


def mentions_of(fact: Fact, containers: frozenset[str]) -> set[str]:
    """The ids under which a person may later ask for the fact.

    A heartbeat's calls in flight are left out: it comes every few seconds and decides nothing
    about any one of them.
    """
    ids: set[str | None] = set(containers)
    match fact:
        case Started():
            ids.update((fact.call_id, fact.previous_response_id, fact.conversation))
        case Sent():
            ids.add(fact.call_id)
        case Created() | Finished():
            ids.update((fact.call_id, fact.response_id, fact.conversation))
        case Output():
            ids.update((fact.call_id, fact.response_id))
        case Known():
            ids.add(fact.response_id)
        case ConversationEnded():
            ids.update((fact.conversation, fact.response_id))
    return {one for one in ids if one is not None}


def _started(data: wire.StartedData) -> Started:
    return Started(
        call_id=data.call_id,
        slots=tuple(Slot(Tool(s.tool), s.tier, s.container) for s in data.slots),
        containers=frozenset(data.containers),
        previous_response_id=data.previous_response_id,
        conversation=data.conversation,
        background=data.background,
        direct=data.direct,
        opaque=data.opaque,
        model=data.model,
        key_mark=data.key_mark,
        labels=data.labels,
    )


def _created(data: wire.CreatedData) -> Created:
    return Created(
        call_id=data.call_id,
        response_id=data.response_id,
        created_at=data.created_at,
        sent_at=data.sent_at,
        request_id=data.request_id,
        status=data.status,
        conversation=data.conversation,
        containers=frozenset(data.containers),
    )


def _output(data: wire.OutputData) -> Output:
    return Output(data.call_id, data.response_id, frozenset(data.containers))


def _finished(data: wire.FinishedData) -> Finished:
    return Finished(
        call_id=data.call_id,
        status=_ending(data),
        response_id=data.response_id,
        http_status=data.http_status,
        created_at=data.created_at,
        completed_at=data.completed_at,
        sent_at=data.sent_at,
        conversation=data.conversation,
        containers=frozenset(data.containers),
    )


def _ending(data: wire.FinishedData) -> Ending:
    """Refused only where the answer proves that nothing ran; otherwise the answer is lost."""
    ending = Ending(data.status)
    if ending is Ending.REFUSED and data.http_status not in _REFUSALS:
        return Ending.LOST
    return ending


def _heartbeat(data: wire.HeartbeatData) -> Heartbeat:
    return Heartbeat(
        complete_through=data.complete_through,
        last_sequence=data.last_sequence,
        in_flight=frozenset(data.in_flight),
        clock_offset=data.clock_offset,
        dropped=data.dropped,
        final=data.final,
    )


# The callables take the very type that they are listed under, which no annotation can say.
_MAKERS: Final[dict[type[wire.Envelope], Callable[[Any], Fact]]] = {
    wire.StartedEvent: lambda event: _started(event.data),
    wire.SentEvent: lambda event: Sent(event.data.call_id, event.data.sent_at),
    wire.CreatedEvent: lambda event: _created(event.data),
    wire.OutputEvent: lambda event: _output(event.data),
    wire.FinishedEvent: lambda event: _finished(event.data),
    wire.KnownEvent: lambda event: Known(event.data.response_id),
    wire.ContainerRequestedEvent: lambda _: ContainerRequested(),
    wire.ContainerCreatedEvent: lambda event: ContainerCreated(event.data.container_id),
    wire.ContainerReferencedEvent: lambda event: ContainerReferenced(
        event.data.container_id, event.data.until
    ),
    wire.ContainerReleasedEvent: lambda event: ContainerReleased(event.data.container_id),
    wire.ConversationEndedEvent: lambda event: ConversationEnded(
        event.data.conversation, event.data.response_id
    ),
    wire.HeartbeatEvent: lambda event: _heartbeat(event.data),
    wire.UnheardEvent: lambda event: Unheard(event.type),
}
