"""The harbour's noes, in the provider's words."""

from typing import Any


class Refusal(Exception):  # noqa: N818 - a 4xx is an answer, not a fault of the harbour
    """A request answered with an error body.

    Attributes:
        status: the HTTP status.
        code: the machine-readable code, None where the provider sends null.
        message: the sentence.
        param: the request field at fault.
        kind: the error `type`.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.kind = kind

    def body(self, *, azure: bool = False) -> dict[str, Any]:
        """The error body; Azure's may lack `type` and `param`."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if not azure:
            error |= {"type": self.kind, "param": self.param}
        return {"error": error}


def container_not_found(container_id: str) -> Refusal:
    """What an unknown or deleted container id gets."""
    return Refusal(404, f"Container with id '{container_id}' not found.")


def container_expired() -> Refusal:
    """What the use of an expired container gets."""
    return Refusal(400, "Container is expired.")
