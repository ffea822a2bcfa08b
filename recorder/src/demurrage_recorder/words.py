"""What only the application knows about its containers and conversations."""

from datetime import datetime
from typing import Any

from demurrage_recorder.carrier import TOKEN_VARIABLE
from demurrage_recorder.clients import target_name
from demurrage_recorder.ids import LONGEST_ID, is_word
from demurrage_recorder.telling import LATEST
from demurrage_recorder.warn import warn_once
from demurrage_recorder.writers import writer_for


def created(container_id: str, *, target: str | None = None, url: str | None = None) -> None:
    """Say that the application has created a container itself, where the recorder did not see it.

    Args:
        container_id: the container's id.
        target: the target's name; None means `DEMURRAGE_RECORDER_TARGET`, else `default`.
        url: the daemon that is told, as for `instrument`.

    Raises:
        ValueError: this is no id, or no target's name, or no URL.
    """
    _say("container.created", {"container_id": _id("container_id", container_id)}, target, url)


def pin(
    container_id: str,
    until: datetime | float | None = None,
    *,
    target: str | None = None,
    url: str | None = None,
) -> None:
    """Have a container kept, whatever is known of it.

    Args:
        container_id: the container's id.
        until: when the pin ends by itself, as a time with its zone or in epoch seconds; None
            means that only `release` ends it.
        target: the target's name; None means `DEMURRAGE_RECORDER_TARGET`, else `default`.
        url: the daemon that is told, as for `instrument`.

    Raises:
        ValueError: this is no id, no moment, no target's name, or no URL.
    """
    if isinstance(until, datetime):
        if until.tzinfo is None:
            raise ValueError("until needs a time zone, as in datetime.now(timezone.utc)")
        until = until.timestamp()
    if until is not None and not 0 <= until <= LATEST:
        raise ValueError("until must be a time with its zone, or epoch seconds")
    data = {"container_id": _id("container_id", container_id), "until": until}
    _say("container.referenced", data, target, url)


def release(container_id: str, *, target: str | None = None, url: str | None = None) -> None:
    """Say that a container is no longer needed.

    It counts only from a process that has named the container, created it, or pinned it. Over
    HTTP it is sent only with a token: the daemon would not believe it without.

    Args:
        container_id: the container's id.
        target: the target's name; None means `DEMURRAGE_RECORDER_TARGET`, else `default`.
        url: the daemon that is told, as for `instrument`.

    Raises:
        ValueError: this is no id, or no target's name, or no URL.
    """
    _end("container.released", {"container_id": _id("container_id", container_id)}, target, url)


def ended(
    *,
    conversation: str | None = None,
    response_id: str | None = None,
    target: str | None = None,
    url: str | None = None,
) -> None:
    """Say that a conversation will not be continued, so that its containers may go.

    Over HTTP it is sent only with a token: the daemon would not believe it without.

    Args:
        conversation: its id, where the Conversations API keeps it.
        response_id: a response of it, where it is carried on from response to response.
        target: the target's name; None means `DEMURRAGE_RECORDER_TARGET`, else `default`.
        url: the daemon that is told, as for `instrument`.

    Raises:
        ValueError: neither or both are given, or one is no id, or no target's name, or no URL.
    """
    if (conversation is None) == (response_id is None):
        raise ValueError("give one of conversation and response_id")
    data = {
        name: _id(name, value)
        for name, value in (("conversation", conversation), ("response_id", response_id))
        if value is not None
    }
    _end("conversation.ended", data, target, url)


def _say(kind: str, data: dict[str, Any], target: str | None, url: str | None) -> None:
    writer, name = writer_for(url), target_name(target)
    # What was answered before is told before.
    writer.flush()
    writer.note(kind, name, data)


def _end(kind: str, data: dict[str, Any], target: str | None, url: str | None) -> None:
    """Say what ends something, unless the daemon would refuse it and all that comes with it."""
    if not writer_for(url).may_end:
        warn_once(
            "untrusted end",
            f"{kind} is not sent, so what it is about is kept: over HTTP the daemon believes it "
            f"only with a token; set {TOKEN_VARIABLE} and the daemon's http.events_token_env, or "
            "send to its unix socket",
        )
        return
    _say(kind, data, target, url)


def _id(name: str, value: str) -> str:
    if not is_word(value, LONGEST_ID):
        raise ValueError(f"{name} must be an id: a line of at most {LONGEST_ID} characters")
    return value
