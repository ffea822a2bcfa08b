"""The border: from JSON to events, or to an error that names the bad field and quotes nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated, Any, NoReturn

from pydantic import Field, TypeAdapter, ValidationError

from demurrage.eventlog.facts import containers_of, fact_of
from demurrage.eventlog.fields import LONGEST_NAME
from demurrage.eventlog.proxy_ids import is_wrapped
from demurrage.eventlog.wire import Envelope, KnownWire, UnheardEvent
from demurrage.model.error import MalformedEventError
from demurrage.model.event import Event

MOST_BYTES = 1_048_576
"""The longest event, in bytes of its canonical text."""

MOST_EVENTS = 5_000
"""The most events in one batch."""

_DIGEST_BYTES = 20
_KNOWN: TypeAdapter[KnownWire] = TypeAdapter(Annotated[KnownWire, Field(discriminator="type")])
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)
_NO_SUCH_TYPE = ("union_tag_invalid", "union_tag_not_found")
# Below this field the path would quote keys that an application chose.
_FREE_KEYS = "labels"


@dataclass(frozen=True, slots=True)
class Line:
    """One event, and the canonical JSON text that the log keeps of it, unknown fields included."""

    event: Event
    type: str
    body: bytes


def parse(raw: Mapping[str, Any] | bytes) -> Event:
    """Read one event.

    Raises:
        MalformedEventError: it breaks the format.
    """
    return read_line(raw).event


def parse_batch(raw: bytes) -> tuple[Line, ...]:
    """Read a body that holds one event or an array of events.

    Raises:
        MalformedEventError: one of them breaks the format (its index says which), or all do.
    """
    document = _decode(raw)
    if not isinstance(document, list):
        return (read_line(document),)
    return read_lines(document)


def read_lines(raws: Sequence[Mapping[str, Any] | bytes | Line]) -> tuple[Line, ...]:
    """Read every event of a batch; lines that were read before are taken as they are.

    Raises:
        MalformedEventError: with the index of the first that breaks the format.
    """
    if len(raws) > MOST_EVENTS:
        raise MalformedEventError("", f"a batch holds at most {MOST_EVENTS} events")
    lines: list[Line] = []
    for index, raw in enumerate(raws):
        try:
            lines.append(raw if isinstance(raw, Line) else read_line(raw))
        except MalformedEventError as error:
            raise MalformedEventError(error.path, error.reason, index=index) from None
    return tuple(lines)


def read_line(raw: Mapping[str, Any] | bytes) -> Line:
    """Read one event and render its canonical text.

    Raises:
        MalformedEventError: it breaks the format.
    """
    document = _decode(raw) if isinstance(raw, bytes) else raw
    if not isinstance(document, Mapping):
        raise MalformedEventError("", "must be a JSON object")
    body = canonical(document)
    if len(body) > MOST_BYTES:
        raise MalformedEventError("", f"is longer than {MOST_BYTES} bytes")
    return Line(event_of(body, digest_of(body)), document["type"], body)


def event_of(body: bytes, digest: str) -> Event:
    """The event in a canonical text whose digest is known.

    Raises:
        MalformedEventError: it breaks the format.
    """
    read = _read(body)
    fact = fact_of(read)
    return Event(
        id=read.id,
        source=read.source,
        time=read.time,
        target=_target_of(read),
        fact=fact,
        sequence=read.sequence,
        digest=digest,
        undecodable=any(map(is_wrapped, containers_of(fact))),
    )


def canonical(document: Mapping[str, Any]) -> bytes:
    """The same text for the same content: keys in order, no spaces, ASCII only.

    Raises:
        MalformedEventError: it holds what JSON cannot, or is nested without end.
    """
    try:
        text = _CANONICAL.encode(document)
    except (TypeError, ValueError, RecursionError):
        raise MalformedEventError("", "is not plain JSON") from None
    return text.encode("ascii")


def digest_of(body: bytes) -> str:
    """The fingerprint of a canonical text; two contents under one id have two of them."""
    return blake2b(body, digest_size=_DIGEST_BYTES).hexdigest()


def _decode(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise MalformedEventError("", "is not JSON") from None


def _read(body: bytes) -> Envelope:
    try:
        return _KNOWN.validate_json(body)
    except ValidationError as error:
        if error.errors(include_url=False, include_input=False)[0]["type"] not in _NO_SUCH_TYPE:
            _refuse(error, skip=1)
    try:
        return UnheardEvent.model_validate_json(body)
    except ValidationError as error:
        _refuse(error, skip=0)


def _target_of(read: Envelope) -> str:
    if isinstance(read, KnownWire):
        return read.data.target
    # Nothing is asked of an unknown type's data; a target is a courtesy there.
    data = read.data if isinstance(read, UnheardEvent) else None
    target = data.get("target") if isinstance(data, dict) else None
    fits = isinstance(target, str) and len(target) <= LONGEST_NAME and target.isprintable()
    return str(target) if fits else ""


def _refuse(error: ValidationError, skip: int) -> NoReturn:
    """Turn the first finding into ours. `from None`: its own text would quote the content.

    `skip`: how many leading steps of its path name the model rather than a field.
    """
    found = error.errors(include_url=False, include_context=False, include_input=False)[0]
    steps: list[str] = []
    for step in found["loc"][skip:]:
        steps.append(str(step).replace("~", "~0").replace("/", "~1"))
        if step == _FREE_KEYS:
            break
    reason = found["msg"].removeprefix("Value error, ")
    raise MalformedEventError("".join(f"/{step}" for step in steps), reason) from None
