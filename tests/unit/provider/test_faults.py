import asyncio
from typing import Any

import pytest
from tests.unit.provider.conftest import KEY, Make
from tests.unit.provider.fake import BASE, error, page, reply, row, rows

from demurrage.model.condition import ConditionKind as Kind
from demurrage.model.deletion import DeleteOutcome
from demurrage.model.listing import Failure, Region
from demurrage.provider.client import HTTP

HTML = reply(200, "<html>Sign in</html>", content_type="text/html; charset=utf-8")
TRUNCATED = reply(200, '{"object": "list", "data": [{"id": "cn', content_type="application/json")
AZURE_KEY = reply(401, {"statusCode": 401, "message": "Unauthorized. Access token is missing."})

FAULTS: dict[str, tuple[Any, Kind, int | None]] = {
    "429": (error(429, "rate_limit_exceeded", type_="requests"), Kind.RATE_LIMITED, 429),
    "429 HTML": (reply(429, "<html>", content_type="text/html"), Kind.RATE_LIMITED, 429),
    "429 quota": (error(429, "insufficient_quota"), Kind.SPEND_LIMIT, 429),
    "429 quota by type": (error(429, type_="insufficient_quota"), Kind.SPEND_LIMIT, 429),
    "429 hard limit": (error(429, "billing_hard_limit_reached"), Kind.SPEND_LIMIT, 429),
    "400 hard limit": (error(400, "billing_hard_limit_reached"), Kind.SPEND_LIMIT, 400),
    "429 quota in prose only": (error(429, None, "insufficient_quota"), Kind.RATE_LIMITED, 429),
    "429 slow_down": (error(429, "slow_down"), Kind.OVERLOADED, 429),
    "503 overloaded": (error(503, "server_is_overloaded"), Kind.OVERLOADED, 503),
    "401": (error(401, "invalid_api_key", "Incorrect API key"), Kind.UNAUTHORIZED, 401),
    "401 missing scope": (
        error(401, None, "You have insufficient permissions. Missing scopes: api.containers.read."),
        Kind.MISSING_SCOPE,
        401,
    ),
    "403 missing scope": (error(403, None, "Missing scopes: x"), Kind.MISSING_SCOPE, 403),
    "401 Azure": (AZURE_KEY, Kind.UNAUTHORIZED, 401),
    "403": (error(403, "unsupported_country_region_territory"), Kind.UNAUTHORIZED, 403),
    "403 HTML": (reply(403, "<html>", content_type="text/html"), Kind.NOT_JSON, 403),
    "404": (error(404, None, "Invalid URL (GET /v2/containers)"), Kind.UNEXPECTED_ANSWER, 404),
    "404 Azure": (
        reply(404, {"statusCode": 404, "message": "Resource not found"}),
        Kind.UNEXPECTED_ANSWER,
        404,
    ),
    "408": (error(408), Kind.TIMEOUT, 408),
    "500": (error(500, type_="server_error"), Kind.SERVER_ERROR, 500),
    "502 HTML": (reply(502, "<html>", content_type="text/html"), Kind.SERVER_ERROR, 502),
    "503": (reply(503, ""), Kind.SERVER_ERROR, 503),
    "302": (reply(302, "", location="https://login.example/"), Kind.UNEXPECTED_ANSWER, 302),
    "200 HTML": (HTML, Kind.NOT_JSON, 200),
    "200 without a type, no JSON": (reply(200, "hello"), Kind.NOT_JSON, 200),
    "200 empty": (reply(200, "", content_type="application/json"), Kind.MALFORMED_JSON, 200),
    "200 truncated": (TRUNCATED, Kind.MALFORMED_JSON, 200),
    "200 no UTF-8": (
        reply(200, b'{"data": "\xff"}', content_type="application/json"),
        Kind.MALFORMED_JSON,
        200,
    ),
    "200 nested without end": (
        reply(200, "[" * 200_000, content_type="application/json"),
        Kind.MALFORMED_JSON,
        200,
    ),
    "200 no data": (reply(200, {"object": "list"}), Kind.MALFORMED_PAGE, 200),
    "connect": (HTTP.ConnectError("refused"), Kind.UNREACHABLE, None),
    "connect timeout": (HTTP.ConnectTimeout("slow"), Kind.TIMEOUT, None),
    "read timeout": (HTTP.ReadTimeout("slow"), Kind.TIMEOUT, None),
    "broken off": (HTTP.RemoteProtocolError("peer closed"), Kind.UNREACHABLE, None),
    "read error": (HTTP.ReadError("reset"), Kind.UNREACHABLE, None),
    "proxy": (HTTP.ProxyError("407"), Kind.UNREACHABLE, None),
}


@pytest.mark.parametrize("case", FAULTS)
async def test_every_fault_of_a_listing_has_its_name(make: Make, case: str) -> None:
    """A fault is named by status and structured fields, and the stretch stays unfinished."""
    answer, kind, status = FAULTS[case]
    api, fake = make(answer)
    got = await api.read([Region()])
    assert got.failure is not None
    assert (got.failure.kind, got.failure.http_status) == (kind, status)
    assert not got.stretches[0].finished
    assert len(fake.requests) == 1
    assert fake.outcomes == [("list", kind.value)]


@pytest.mark.parametrize("case", FAULTS)
async def test_every_fault_of_a_delete_has_its_name(make: Make, case: str) -> None:
    """The same faults on a delete never count as done."""
    answer, kind, _ = FAULTS[case]
    api, fake = make(answer)
    got = await api.delete("cntr_1")
    assert not got.outcome.done
    assert got.failure is not None
    if case != "200 no data":
        assert got.failure.kind == kind
    assert len(fake.requests) == 1


@pytest.mark.parametrize("case", FAULTS)
async def test_a_fault_in_the_middle_keeps_what_was_read(make: Make, case: str) -> None:
    """Rows of good pages are handed up, marked unfinished."""
    answer, kind, _ = FAULTS[case]
    api, _ = make(page(rows(100), has_more=True), answer)
    got = await api.read([Region()])
    assert len(got.stretches[0].rows) == 100
    assert not got.stretches[0].finished
    assert got.failure is not None
    assert got.failure.kind == kind


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after_ms": "1500", "retry_after": "9"}, 1.5),
        ({"retry_after": "Sun, 01 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry_after": "Sun, 01 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry_after": "-3"}, 0.0),
        ({"retry_after": "1e12"}, 3600.0),
        ({"retry_after": "nan"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "Sun, 01 Nov 2026 12:00:30 GMT", "date": "?"}, None),
    ],
)
async def test_retry_after_is_read_in_all_its_forms(
    make: Make, headers: dict[str, str], seconds: float | None
) -> None:
    """Milliseconds, seconds, or a date counted from the answer's own Date; garbage is silence."""
    api, _ = make(error(429, **headers))
    got = await api.read([Region()])
    assert got.failure is not None
    assert got.failure.retry_after == seconds


async def test_nothing_of_a_body_and_no_secret_reaches_a_failure(make: Make) -> None:
    """Bodies may quote keys and prompts; only our words, a status and a plain code come out."""
    secret = f"Incorrect API key provided: {KEY}; prompt: the king's plan"
    for code in (secret, KEY, KEY.replace("-", "_"), "x" * 500):
        for answer in (
            error(401, code, secret, type_=code),
            error(429, code, secret),
            reply(200, {"data": [row(1, BASE, status=secret)], "has_more": False}),
            reply(502, secret),
            HTTP.ConnectError(secret),
        ):
            api, fake = make(answer, proxy=f"http://user:{KEY}@proxy.example:1")
            listed, deleted = await api.read([Region()]), await api.delete("cntr_1")
            said = f"{listed!r}{deleted!r}{fake.calls!r}"
            assert KEY not in said
            assert "king" not in said
            assert "xxx" not in said


async def test_a_hang_ends_at_the_deadline(make: Make) -> None:
    """A server that never answers costs one timeout, and no more."""

    async def hang(_: Any) -> Any:
        await asyncio.Event().wait()

    api, _ = make(hang, timeout=0.02)
    got = await api.read([Region()])
    assert got.failure == Failure(Kind.TIMEOUT, "no answer in time (TimeoutError)")
    deleted = await api.delete("cntr_1")
    assert deleted.outcome == DeleteOutcome.UNCERTAIN


async def test_cancelling_a_read_is_no_fault(make: Make) -> None:
    """CancelledError passes through, so that a stop is a stop."""
    arrived = asyncio.Event()

    async def hang(_: Any) -> Any:
        arrived.set()
        await asyncio.Event().wait()

    api, _ = make(hang)
    task = asyncio.create_task(api.read([Region(), Region()]))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
