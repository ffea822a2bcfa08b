"""Each fault of the harbour, by name, as the real SDK meets it."""

import contextlib
from collections.abc import Callable

import openai
import pytest
from openai import OpenAI

from demurrage.simulator.faults import FaultKind
from demurrage.simulator.serve import HarbourServer

from .conftest import cases

STATUSES = {
    FaultKind.RATE_LIMITED: (429, "rate_limit_exceeded"),
    FaultKind.RATE_LIMITED_RETRY_AFTER: (429, "rate_limit_exceeded"),
    FaultKind.SPEND_LIMIT: (429, "insufficient_quota"),
    FaultKind.SLOW_DOWN: (429, "slow_down"),
    FaultKind.OVERLOADED: (503, "server_is_overloaded"),
    FaultKind.MISSING_SCOPE: (401, None),
    FaultKind.BAD_KEY: (401, "invalid_api_key"),
    FaultKind.SERVER_ERROR: (500, None),
    FaultKind.DELETE_NOT_FOUND: (404, None),
    FaultKind.LOST_ANSWER: (504, None),
}


@pytest.mark.parametrize(("kind", "expected"), STATUSES.items())
def test_faults_with_a_status(
    server: HarbourServer, client: OpenAI, kind: FaultKind, expected: tuple[int, str | None]
) -> None:
    """Each fault has its status and code, strikes as often as told, then all is well."""
    made = client.containers.create(name="mine")
    server.admin.fault(kind, "DELETE /v1/containers/*", count=1, seconds=7)
    with pytest.raises(openai.APIStatusError) as failed:
        client.containers.delete(made.id)
    assert (failed.value.status_code, failed.value.code) == expected
    retry_after = failed.value.response.headers.get("retry-after")
    assert retry_after == ("7" if kind == FaultKind.RATE_LIMITED_RETRY_AFTER else None)
    assert [fault["hits"] for fault in server.admin.faults()] == [1]
    assert (cases(server)[0]["gone_by"] is None) == (kind != FaultKind.LOST_ANSWER)
    client.containers.list()


BODIES: dict[FaultKind, Callable[[str], bool]] = {
    FaultKind.HTML: lambda text: text.startswith("<!DOCTYPE html>"),
    FaultKind.TRUNCATED_JSON: lambda text: text.startswith("{") and not text.endswith("}"),
    FaultKind.NO_DATA: lambda text: '"data"' not in text,
    FaultKind.EMPTY_LIST: lambda text: '"data": []' in text,
    FaultKind.UNKNOWN_STATUS: lambda text: '"hibernating"' in text,
    FaultKind.NULL_ACTIVITY: lambda text: '"last_active_at": null' in text,
}


@pytest.mark.parametrize("kind", BODIES)
def test_faults_inside_a_good_status(
    server: HarbourServer, client: OpenAI, kind: FaultKind
) -> None:
    """A 200 whose body is not what it should be."""
    client.containers.create(name="mine")
    server.admin.fault(kind, "GET /v1/containers")
    raw = client.containers.with_raw_response.list()
    assert raw.status_code == 200
    assert BODIES[kind](raw.text)
    server.admin.clear_faults()
    assert len(client.containers.list().data) == 1


@pytest.mark.parametrize("kind", [FaultKind.ENDLESS_PAGES, FaultKind.REPEATED_CURSOR])
def test_listings_that_never_end(server: HarbourServer, client: OpenAI, kind: FaultKind) -> None:
    """The SDK's own pager goes round and round."""
    server.admin.seed(live=150)
    server.admin.fault(kind, "GET /v1/containers")
    rows = client.containers.list(limit=100)
    seen = [row.id for row, _ in zip(rows, range(130), strict=False)]
    assert (len(seen), len(set(seen))) == (130, 100)


def test_a_refused_delete_deletes_nothing(server: HarbourServer, client: OpenAI) -> None:
    """`deleted: false` shows in the raw body alone."""
    made = client.containers.create(name="mine")
    server.admin.fault(FaultKind.DELETE_REFUSED, "DELETE *")
    answer = client.containers.with_raw_response.delete(made.id)
    assert '"deleted":false' in answer.text
    assert cases(server)[0]["gone_by"] is None


def test_a_deleted_container_can_stay_listed(server: HarbourServer, client: OpenAI) -> None:
    """With the fault the row stays for ever."""
    made = client.containers.create(name="mine")
    server.admin.fault(FaultKind.DELETED_STILL_LISTED, "DELETE *")
    client.containers.delete(made.id)
    assert [row.id for row in client.containers.list()] == [made.id]
    assert cases(server)[0]["gone_by"] == "delete"


def test_a_hang_outlasts_the_client(server: HarbourServer) -> None:
    """The client times out; other calls go on, and the harbour still stops."""
    server.admin.fault(FaultKind.HANG, "GET /v1/containers", count=1, seconds=60)
    with OpenAI(base_url=server.base_url, api_key="key", max_retries=0, timeout=0.2) as impatient:
        with pytest.raises(openai.APITimeoutError):
            impatient.containers.list()
        impatient.containers.list()


def test_a_probability_spares_some(server: HarbourServer, client: OpenAI) -> None:
    """Half of forty, more or less."""
    server.admin.fault(FaultKind.SERVER_ERROR, "* *", probability=0.5)
    for _ in range(40):
        with contextlib.suppress(openai.InternalServerError):
            client.containers.list()
    assert 8 < server.admin.faults()[0]["hits"] < 32


def test_wrong_orders_to_the_harbour_are_refused(server: HarbourServer) -> None:
    """Unknown faults and knobs are errors."""
    for order in (lambda: server.admin.fault("gremlins"), lambda: server.admin.settings(speed=2)):
        with pytest.raises(ValueError, match=r"gremlins|speed"):
            order()
