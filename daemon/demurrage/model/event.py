"""The events of the log, as values. The wire format is `eventlog`'s business."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf


class Tool(StrEnum):
    """The tool that a slot belongs to."""

    CODE_INTERPRETER = "code_interpreter"
    SHELL = "shell"
    UNKNOWN = "unknown"


class Ending(StrEnum):
    """How a response ended, as the writer saw it.

    LOST: the answer never came (timeout, broken connection, 5xx, 408), so what the server did
    is not known. REFUSED: a 4xx, so it ended before it began.
    """

    COMPLETED = "completed"
    FAILED = "failed"
    INCOMPLETE = "incomplete"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Slot:
    """One tool of one request. `container` is "auto", or the id that the request named.

    An auto slot can make at most one container; a `tier` of None fits any.
    """

    tool: Tool = Tool.CODE_INTERPRETER
    tier: str | None = None
    container: str = "auto"

    @property
    def auto(self) -> bool:
        """True when the slot can make a container."""
        return self.container == "auto"


@dataclass(frozen=True, slots=True)
class Started:
    """A request is about to leave. `direct`: no proxy or queue lies between writer and API.

    `opaque`: it goes on from something that it does not name, so that any container may be in its
    context. `key_mark`: the same for requests with the same key, and tells nothing else of it.
    """

    call_id: str
    slots: tuple[Slot, ...] = ()
    containers: frozenset[str] = frozenset()
    previous_response_id: str | None = None
    conversation: str | None = None
    background: bool = False
    direct: bool = False
    opaque: bool = False
    model: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    key_mark: str | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """The API gave the response an id. `status` (queued, in_progress) is as seen at `time`.

    `created_at` is the server's float; `sent_at` is when the request's last byte left, on the
    writer's clock.
    """

    call_id: str
    response_id: str
    created_at: float | None = None
    sent_at: float | None = None
    request_id: str | None = None
    status: str | None = None
    conversation: str | None = None
    containers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Sent:
    """By `sent_at` (writer's clock) the whole request of a running call had reached the API.

    Every byte had left, and the peer's kernel had acknowledged each. Without `direct` on the
    call's start it has no force, for then the peer is not the API.
    """

    call_id: str
    sent_at: float


@dataclass(frozen=True, slots=True)
class Output:
    """The first output item arrived: from here on the response makes no container."""

    call_id: str
    response_id: str | None = None
    containers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Finished:
    """The response ended; `containers` holds every id that it names."""

    call_id: str
    status: Ending
    response_id: str | None = None
    http_status: int | None = None
    created_at: float | None = None
    completed_at: float | None = None
    sent_at: float | None = None
    conversation: str | None = None
    containers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Known:
    """A response id of which nothing else is known; the daemon works out the rest."""

    response_id: str


@dataclass(frozen=True, slots=True)
class ContainerRequested:
    """An application is about to create a container itself; the answer with its id may be lost."""


@dataclass(frozen=True, slots=True)
class ContainerCreated:
    """An application created the container itself (`POST /containers`)."""

    container_id: str


@dataclass(frozen=True, slots=True)
class ContainerReferenced:
    """A pin: the container is in use until `until` (the writer's time; None: until released)."""

    container_id: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class ContainerReleased:
    """Nobody needs the container any more, says a source that named it, or a person."""

    container_id: str


@dataclass(frozen=True, slots=True)
class ConversationEnded:
    """The lineage of the conversation or response is over."""

    conversation: str | None = None
    response_id: str | None = None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """All events before `complete_through` (writer's clock) are sent, up to `last_sequence`.

    `clock_offset`: seconds by which the writer's clock is ahead of the provider's, None when
    the writer does not know. `dropped`: events lost for good since the process began.
    `final`: the process says goodbye.
    """

    complete_through: float
    last_sequence: int
    in_flight: frozenset[str] = frozenset()
    clock_offset: float | None = None
    dropped: int = 0
    final: bool = False


@dataclass(frozen=True, slots=True)
class Unheard:
    """An event of a type that this version does not know: kept, counted, ignored."""

    type: str


Fact = (
    Started
    | Sent
    | Created
    | Output
    | Finished
    | Known
    | ContainerRequested
    | ContainerCreated
    | ContainerReferenced
    | ContainerReleased
    | ConversationEnded
    | Heartbeat
    | Unheard
)


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the log: who said what, when, about which target.

    `time` is on the writer's clock. `sequence` counts the source's events from 1 without
    gaps; None breaks the target's coverage. `digest` tells two contents under one id apart.
    `undecodable`: it names a container under a proxy's id that could not be unwrapped, so it
    may mean any container that was alive then.
    """

    id: str
    source: str
    time: float
    target: str
    fact: Fact
    sequence: int | None = None
    digest: str = ""
    undecodable: bool = False


# Sources under this prefix are the daemon's own hand: a person at its command line. They are
# refused at every door that an application can reach.
PERSON_PREFIX = "demurrage:person/"
# All that begins so is the daemon's own, whatever kinds of person come to be.
_OWN_NAMESPACE = PERSON_PREFIX.partition(":")[0] + ":"
# What the daemon itself has read of responses that are known by their id. Its moments are the
# provider's time; the call id of such a response is its own id.
RESOLVER = f"{_OWN_NAMESPACE}resolver"
# What the provider's webhooks have said.
WEBHOOK = f"{_OWN_NAMESPACE}webhook"


def reserved(source: str) -> bool:
    """True for a name that no application may use: in it the daemon, or a person, would speak."""
    return source.strip().casefold().startswith(_OWN_NAMESPACE)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event at its place in the log."""

    position: int
    event: Event


@dataclass(frozen=True, slots=True)
class SetAside:
    """A line that could not be read as an event; it holds its source's watermark.

    `source` is None when not even that could be read, and then every source is held. `at` is
    when it was set aside, on the daemon's clock.
    """

    position: int
    reason: str
    source: str | None = None
    sequence: int | None = None
    at: float = inf


Record = Entry | SetAside


@dataclass(frozen=True, slots=True)
class Batch:
    """What a reader found after its cursor, up to the end of the log at `read_at`.

    `generation` changes when the log is replaced or restored from a copy.
    """

    generation: str
    records: tuple[Record, ...]
    cursor: int
    read_at: float
