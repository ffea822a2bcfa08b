"""Every way in which the API can fail, by name.

Rules look at the status and at structured fields (`code`, `type`), never at `str(error)`.
Only two signs exist nowhere but in the message: a missing scope, and what a 404 is about.
Details are our own words plus a code or status; a body may quote keys, prompts or URLs.
"""

import re

import openai

from demurrage.model.condition import ConditionKind
from demurrage.model.listing import Failure
from demurrage.provider.answer import Answer, ErrorBody
from demurrage.provider.client import HTTP, NoTokenError
from demurrage.provider.guard import ForbiddenCallError
from demurrage.provider.headers import retry_after

# No backoff cures these. OpenAI's error guide and recorded answers.
_SPEND_CODES = frozenset(
    {
        "insufficient_quota",
        "billing_hard_limit",
        "billing_hard_limit_reached",
        "billing_not_active",
        "hard_limit_reached",
        "spend_limit",
        "spend_limit_exceeded",
        "spend_limit_reached",
    }
)
_OVERLOAD_CODES = frozenset({"slow_down", "server_is_overloaded"})

# A code is repeated in a detail only when it is words or a status: no key looks like that.
_PLAIN_CODE = re.compile(r"[A-Za-z]{1,24}(?:_[A-Za-z]{1,24}){0,5}|[1-5]\d\d")

# Exceptions that prove that the request never left: the server cannot have acted on it.
_NEVER_SENT = (
    HTTP.ConnectError,
    HTTP.ConnectTimeout,
    HTTP.PoolTimeout,
    HTTP.ProxyError,
    NoTokenError,
    ForbiddenCallError,
)


def fault_of(answer: Answer) -> Failure | None:
    """The failure that an answer's status amounts to; None for 2xx, whose body decides."""
    if 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP's own numbers, here and below
        return None
    body = ErrorBody.of(answer)
    kind, words = _name(answer.status, body)
    code = next((code for code in body.codes if _PLAIN_CODE.fullmatch(code)), None)
    detail = f"{words} (HTTP {answer.status}{f', {code}' if code else ''})"
    return Failure(kind, detail, answer.status, retry_after(answer.headers))


def _name(status: int, body: ErrorBody) -> tuple[ConditionKind, str]:  # noqa: PLR0911 - one return a name reads as the table it is
    codes = {code.lower() for code in body.codes}
    if codes & _SPEND_CODES:
        return ConditionKind.SPEND_LIMIT, "a spend limit or the end of credit"
    if codes & _OVERLOAD_CODES:
        return ConditionKind.OVERLOADED, "the API is overloaded and asks for patience"
    if status == 429:  # noqa: PLR2004
        return ConditionKind.RATE_LIMITED, "too many requests"
    if status >= 500:  # noqa: PLR2004
        return ConditionKind.SERVER_ERROR, "the server failed"
    if status == 408:  # noqa: PLR2004
        return ConditionKind.TIMEOUT, "the server gave up waiting"
    if 300 <= status < 400:  # noqa: PLR2004
        return ConditionKind.UNEXPECTED_ANSWER, "a redirect, which is never followed"
    if not body.json:
        return ConditionKind.NOT_JSON, "the error is not JSON: something else than the API spoke"
    if status in (401, 403):
        if "missing scope" in body.message.lower():
            return ConditionKind.MISSING_SCOPE, "the key lacks a scope"
        return ConditionKind.UNAUTHORIZED, "the key was refused"
    return ConditionKind.UNEXPECTED_ANSWER, "the API refused the call"


def fault_of_exception(error: Exception) -> Failure:
    """The failure that an exception out of the SDK amounts to, when no answer came."""
    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else error
    name = type(cause or error).__name__
    if isinstance(error, NoTokenError):
        return Failure(ConditionKind.UNAUTHORIZED, "the identity service gave no token")
    if isinstance(error, (openai.APITimeoutError, HTTP.TimeoutException, TimeoutError)):
        return Failure(ConditionKind.TIMEOUT, f"no answer in time ({name})")
    if isinstance(error, (openai.APIConnectionError, HTTP.HTTPError, OSError)):
        return Failure(ConditionKind.UNREACHABLE, f"the connection failed ({name})")
    return Failure(ConditionKind.UNEXPECTED_ANSWER, f"the call failed ({name})")


def never_sent(error: Exception) -> bool:
    """True when it is certain that the server never saw the request."""
    return isinstance(error, _NEVER_SENT) or isinstance(error.__cause__, _NEVER_SENT)


def not_json(answer: Answer) -> Failure:
    """A page of HTML, or anything else that is no JSON, where JSON was due."""
    return Failure(ConditionKind.NOT_JSON, "the answer is not JSON", answer.status)


def broken_json(answer: Answer) -> Failure:
    """JSON that breaks off or does not parse."""
    return Failure(ConditionKind.MALFORMED_JSON, "the answer's JSON is broken", answer.status)


def about_container(answer: Answer, container_id: str) -> bool:
    """True when a 404 is the API's own word that this container does not exist.

    A mistyped base URL and a proxy's page answer 404 too, and prove nothing. The API says
    "Container with id '…' not found."; of an unknown path it says "Invalid URL (…)", quoting
    the id as well; Azure says "Resource not found" of unknown paths.
    """
    return _about(answer, container_id, "container")


def about_response(answer: Answer, response_id: str) -> bool:
    """True for a 404 that is the API's own word that this response does not exist."""
    return answer.status == 404 and _about(answer, response_id, "response")  # noqa: PLR2004


def _about(answer: Answer, resource_id: str, kind: str) -> bool:
    """True when the message says of a resource of that kind that it is not there."""
    body = ErrorBody.of(answer)
    if not body.json:
        return False
    message = body.message.lower()
    named = resource_id.lower() in message or kind in message
    gone = any(words in message for words in ("not found", "does not exist", f"no such {kind}"))
    return named and gone and "invalid url" not in message
