"""One HTTP answer, stripped of the library that brought it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# More than any page of 100 rows needs; what is larger is not worth parsing.
_LARGEST_BODY = 16 * 1024 * 1024


class NotJsonError(ValueError):
    """The answer does not claim to be JSON: a proxy or a login page spoke."""


class BrokenJsonError(ValueError):
    """The answer claims to be JSON and is not: cut off, or garbled."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `headers` have lower-case names. The body never enters a repr."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @classmethod
    def of(cls, response: Any) -> "Answer":
        """Take what matters from a response of httpx or httpx2 that has been read."""
        headers = {name.lower(): value for name, value in response.headers.items()}
        return cls(response.status_code, headers, response.content)

    def json(self) -> Any:
        """The parsed body.

        Raises:
            NotJsonError: the content type is something else, or is missing and the body does
                not parse.
            BrokenJsonError: the content type is JSON and the body is not.
        """
        content_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        claims = content_type == "application/json" or content_type.endswith("+json")
        if content_type and not claims:
            raise NotJsonError(content_type)
        if len(self.body) > _LARGEST_BODY:
            raise BrokenJsonError("too large")
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise (BrokenJsonError if claims else NotJsonError)("does not parse") from error


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """The machine-readable part of an error answer.

    The `message` is for the few rules that have nothing else to go by. `json` is False when
    the body is not a JSON object: then the API itself did not speak.
    """

    json: bool = False
    codes: tuple[str, ...] = ()
    message: str = field(default="", repr=False)

    @classmethod
    def of(cls, answer: Answer) -> "ErrorBody":
        """Read OpenAI's `{"error": {…}}` and Azure's bare `{"statusCode": …, "message": …}`."""
        try:
            body = answer.json()
        except ValueError:
            return cls()
        if not isinstance(body, dict):
            return cls()
        error = body.get("error")
        fields = error if isinstance(error, dict) else body
        codes = tuple(
            value for key in ("code", "type") if isinstance(value := fields.get(key), str) and value
        )
        message = fields.get("message")
        return cls(json=True, codes=codes, message=message if isinstance(message, str) else "")
