"""The events as they travel: CloudEvents 1.0 in JSON, one model per type.

The source of `events.schema.json`. Unknown fields are ignored here and kept in the stored text.
"""

from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from demurrage.eventlog.fields import (
    MOST_IN_FLIGHT,
    MOST_LABELS,
    MOST_SLOTS,
    ContainerId,
    Containers,
    Count,
    Epoch,
    HttpStatus,
    Id,
    Instant,
    Moment,
    Name,
    Sequence,
)

_Offset = Annotated[float, Field(ge=-1e10, le=1e10, allow_inf_nan=False)]


class Wire(BaseModel):
    """Base of all: types as JSON has them, nothing coerced but what a field says."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, allow_inf_nan=False)


class SlotData(Wire):
    """One tool of a request that can make, or names, a container."""

    tool: Literal["code_interpreter", "shell", "unknown"]
    tier: Annotated[str, Field(min_length=1, max_length=16)] | None = None
    container: ContainerId = "auto"


class TargetData(Wire):
    """What every event says: the target, by the name it has in the daemon's settings.

    `demurrage.container.requested` says no more.
    """

    target: Name


class StartedData(TargetData):
    """`demurrage.response.started`: a request is about to leave."""

    call_id: Id
    slots: Annotated[tuple[SlotData, ...], Field(max_length=MOST_SLOTS)] = ()
    containers: Containers = ()
    previous_response_id: Id | None = None
    conversation: Id | None = None
    background: bool = False
    direct: bool = False
    opaque: bool = False
    model: Name | None = None
    key_mark: Name | None = None
    labels: Annotated[dict[str, str], Field(max_length=MOST_LABELS)] = Field(
        default_factory=dict, json_schema_extra={"default": {}}
    )


class SentData(TargetData):
    """`demurrage.response.sent`: by then the whole request had reached the API."""

    call_id: Id
    sent_at: Epoch


class CreatedData(TargetData):
    """`demurrage.response.created`: the API gave the response an id."""

    call_id: Id
    response_id: Id
    created_at: Epoch | None = None
    sent_at: Epoch | None = None
    request_id: Id | None = None
    status: Name | None = None
    conversation: Id | None = None
    containers: Containers = ()


class OutputData(TargetData):
    """`demurrage.response.output`: the first output item has arrived."""

    call_id: Id
    response_id: Id | None = None
    containers: Containers = ()


class FinishedData(TargetData):
    """`demurrage.response.finished`: how the response ended and all that it names."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"status": {"const": "refused"}}, "required": ["status"]},
            "then": {
                "properties": {"http_status": {"type": "integer"}},
                "required": ["http_status"],
            },
        }
    )

    call_id: Id
    status: Literal["completed", "failed", "incomplete", "cancelled", "refused", "lost"]
    response_id: Id | None = None
    http_status: HttpStatus | None = None
    created_at: Epoch | None = None
    completed_at: Epoch | None = None
    sent_at: Epoch | None = None
    conversation: Id | None = None
    containers: Containers = ()

    @model_validator(mode="after")
    def _refused_says_how(self) -> "FinishedData":
        if self.status == "refused" and self.http_status is None:
            raise ValueError("status refused needs http_status")
        return self


class KnownData(TargetData):
    """`demurrage.response.known`: an id for the daemon to look up."""

    response_id: Id


class ContainerData(TargetData):
    """`demurrage.container.created` and `.released`."""

    container_id: ContainerId


class ReferencedData(ContainerData):
    """`demurrage.container.referenced`: a pin, until a moment or until released."""

    until: Moment | None = None


class ConversationEndedData(TargetData):
    """`demurrage.conversation.ended`: the conversation, or the response's lineage, is over."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"properties": {name: {"type": "string"}}, "required": [name]}
                for name in ("conversation", "response_id")
            ]
        }
    )

    conversation: Id | None = None
    response_id: Id | None = None

    @model_validator(mode="after")
    def _names_something(self) -> "ConversationEndedData":
        if self.conversation is None and self.response_id is None:
            raise ValueError("needs conversation or response_id")
        return self


class HeartbeatData(TargetData):
    """`demurrage.writer.heartbeat`: up to when, and up to which sequence, all is sent."""

    complete_through: Moment
    last_sequence: Count
    in_flight: Annotated[tuple[Id, ...], Field(max_length=MOST_IN_FLIGHT)] = ()
    clock_offset: _Offset | None = None
    dropped: Count = 0
    final: bool = False


class Envelope(Wire):
    """What CloudEvents asks of every event, and the `sequence` extension."""

    specversion: Literal["1.0"]
    id: Name
    source: Name
    time: Instant
    sequence: Sequence | None = None


class StartedEvent(Envelope):  # noqa: D101 - its data says what it is, as for all below
    type: Literal["demurrage.response.started"]
    data: StartedData


class SentEvent(Envelope):  # noqa: D101
    type: Literal["demurrage.response.sent"]
    data: SentData


class CreatedEvent(Envelope):  # noqa: D101
    type: Literal["demurrage.response.created"]
    data: CreatedData


class OutputEvent(Envelope):  # noqa: D101
    type: Literal["demurrage.response.output"]
    data: OutputData


class FinishedEvent(Envelope):  # noqa: D101
    type: Literal["demurrage.response.finished"]
    data: FinishedData


class KnownEvent(Envelope):  # noqa: D101
    type: Literal["demurrage.response.known"]
    data: KnownData


class ContainerRequestedEvent(Envelope):  # noqa: D101
    type: Literal["demurrage.container.requested"]
    data: TargetData


class ContainerCreatedEvent(Envelope):  # noqa: D101
    type: Literal["demurrage.container.created"]
    data: ContainerData


class ContainerReferencedEvent(Envelope):  # noqa: D101
    type: Literal["demurrage.container.referenced"]
    data: ReferencedData


class ContainerReleasedEvent(Envelope):  # noqa: D101
    type: Literal["demurrage.container.released"]
    data: ContainerData


class ConversationEndedEvent(Envelope):  # noqa: D101
    type: Literal["demurrage.conversation.ended"]
    data: ConversationEndedData


class HeartbeatEvent(Envelope):  # noqa: D101
    type: Literal["demurrage.writer.heartbeat"]
    data: HeartbeatData


KnownWire = (
    StartedEvent
    | SentEvent
    | CreatedEvent
    | OutputEvent
    | FinishedEvent
    | KnownEvent
    | ContainerRequestedEvent
    | ContainerCreatedEvent
    | ContainerReferencedEvent
    | ContainerReleasedEvent
    | ConversationEndedEvent
    | HeartbeatEvent
)

KNOWN: Final[dict[str, type[Envelope]]] = {
    get_args(model.model_fields["type"].annotation)[0]: model for model in get_args(KnownWire)
}
"""The model of each type that this version knows."""


class UnheardEvent(Envelope):
    """An event of a later version: whatever it says is kept, and ignored."""

    type: Annotated[
        Name,
        WithJsonSchema(
            {"type": "string", "minLength": 1, "maxLength": 512, "not": {"enum": list(KNOWN)}}
        ),
    ]
    data: Any = None
