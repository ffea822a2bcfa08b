from typing import Any

import pytest
from tests.unit.provider.conftest import Make
from tests.unit.provider.fake import error, reply

from demurrage.model.condition import ConditionKind as Kind
from demurrage.model.deletion import DeleteOutcome as Outcome
from demurrage.model.listing import DeleteAnswer
from demurrage.provider.client import HTTP

ID = "cntr_" + "0" * 47 + "1"
GONE = f"Container with id '{ID}' not found."


async def test_a_confirmed_delete_is_done(make: Make) -> None:
    """The API's own `deleted: true` is what counts."""
    api, fake = make(reply(200, {"id": ID, "object": "container.deleted", "deleted": True}))
    assert await api.delete(ID) == DeleteAnswer(ID, Outcome.DELETED)
    assert fake.wire == {("DELETE", f"/v1/containers/{ID}")}
    assert fake.outcomes == [("delete", "ok")]


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": GONE, "type": "invalid_request_error", "code": None}},
        {"error": {"message": "Container not found", "code": "404"}},
        {"statusCode": 404, "message": GONE},
        {"message": f"{ID} does not exist: no such container"},
    ],
)
async def test_the_apis_own_not_found_is_done(make: Make, body: Any) -> None:
    """A 404 that speaks of the container means that it is gone."""
    api, fake = make(reply(404, body))
    assert await api.delete(ID) == DeleteAnswer(ID, Outcome.ALREADY_GONE)
    assert fake.outcomes == [("delete", "ok")]


@pytest.mark.parametrize(
    "answer",
    [
        reply(404, f"<html>{GONE}</html>", content_type="text/html"),
        error(404, None, f"Invalid URL (DELETE /v1/containers/{ID}): container not found"),
        error(404, "404", "Resource not found"),
        reply(404, {"statusCode": 404, "message": "Resource not found"}),
        reply(404, ""),
    ],
)
async def test_a_404_about_something_else_is_a_failure(make: Make, answer: Any) -> None:
    """A wrong address and a proxy's page prove nothing about the container."""
    api, _ = make(answer)
    got = await api.delete(ID)
    assert got.outcome == Outcome.FAILED
    assert got.failure is not None
    assert got.failure.http_status == 404


async def test_deleted_false_is_a_refusal(make: Make) -> None:
    """`{"deleted": false}` is a failure with its own name."""
    api, _ = make(reply(200, {"id": ID, "deleted": False}))
    got = await api.delete(ID)
    assert got.outcome == Outcome.REFUSED
    assert got.failure is not None
    assert got.failure.kind == Kind.DELETE_REFUSED


@pytest.mark.parametrize(
    ("answer", "outcome", "kind"),
    [
        (reply(200, {"id": ID}), Outcome.UNCERTAIN, Kind.UNEXPECTED_ANSWER),
        (reply(200, {"deleted": "true"}), Outcome.UNCERTAIN, Kind.UNEXPECTED_ANSWER),
        (reply(200, []), Outcome.UNCERTAIN, Kind.UNEXPECTED_ANSWER),
        (reply(200, {"id": "cntr_2", "deleted": True}), Outcome.UNCERTAIN, Kind.UNEXPECTED_ANSWER),
        (reply(200, "<p>", content_type="text/html"), Outcome.FAILED, Kind.NOT_JSON),
        (
            reply(200, '{"deleted": tr', content_type="application/json"),
            Outcome.UNCERTAIN,
            Kind.MALFORMED_JSON,
        ),
        (reply(204, ""), Outcome.UNCERTAIN, Kind.MALFORMED_JSON),
        (error(500), Outcome.UNCERTAIN, Kind.SERVER_ERROR),
        (reply(504, "<h1>", content_type="text/html"), Outcome.UNCERTAIN, Kind.SERVER_ERROR),
        (error(408), Outcome.UNCERTAIN, Kind.TIMEOUT),
        (error(503, "server_is_overloaded"), Outcome.FAILED, Kind.OVERLOADED),
        (reply(302, "", location="/"), Outcome.FAILED, Kind.UNEXPECTED_ANSWER),
        (error(409), Outcome.FAILED, Kind.UNEXPECTED_ANSWER),
        (error(429), Outcome.FAILED, Kind.RATE_LIMITED),
        (HTTP.ReadTimeout("slow"), Outcome.UNCERTAIN, Kind.TIMEOUT),
        (HTTP.WriteTimeout("slow"), Outcome.UNCERTAIN, Kind.TIMEOUT),
        (HTTP.ReadError("reset"), Outcome.UNCERTAIN, Kind.UNREACHABLE),
        (HTTP.RemoteProtocolError("closed"), Outcome.UNCERTAIN, Kind.UNREACHABLE),
        (HTTP.ConnectError("refused"), Outcome.FAILED, Kind.UNREACHABLE),
        (HTTP.ConnectTimeout("slow"), Outcome.FAILED, Kind.TIMEOUT),
        (HTTP.PoolTimeout("full"), Outcome.FAILED, Kind.TIMEOUT),
    ],
)
async def test_what_is_not_confirmed_is_not_done(
    make: Make, answer: Any, outcome: Outcome, kind: Kind
) -> None:
    """Only a request that may have been acted on is uncertain; the rest failed, by name."""
    api, fake = make(answer)
    got = await api.delete(ID)
    assert got.failure is not None
    assert (got.outcome, got.failure.kind) == (outcome, kind)
    assert len(fake.requests) == 1, "a delete is never sent twice unseen"


@pytest.mark.parametrize(
    "odd", ["", ".", "..", "cntr_1/files", "cntr_1/files/f", "cntr_1?x", "cntr_1#", "%2e", "a b"]
)
async def test_an_odd_id_is_never_sent(make: Make, odd: str) -> None:
    """An id that is more than one plain path segment could address something else."""
    api, fake = make(reply(200, {"deleted": True}))
    got = await api.delete(odd)
    assert got.outcome == Outcome.FAILED
    assert fake.requests == []


@pytest.mark.parametrize("value", ["", "containers=v1"])
async def test_the_beta_header_is_a_setting(make: Make, value: str) -> None:
    """Some accounts may need `OpenAI-Beta` for deletes to work."""
    api, fake = make(reply(200, {"deleted": True}), beta_header=value)
    await api.delete(ID)
    assert fake.requests[0].headers.get("openai-beta", "") == value
