"""What kind of error it is has one name, whatever refuses, on every version of Python."""

from typing import get_args

import httpx2
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from demurrage.web.problems import Kind, on_http

PROBLEM = "urn:demurrage:problem:"


async def test_what_the_router_refuses_has_a_kind(client: httpx2.AsyncClient) -> None:
    """A path that is not there, and a method that a path has not."""
    for method, path, kind in (
        ("GET", "/nowhere", "not-found"),
        ("DELETE", "/healthz", "method-not-allowed"),
    ):
        answer = await client.request(method, path)
        assert answer.json()["type"] == PROBLEM + kind


@pytest.mark.parametrize("status", range(400, 418))
async def test_no_status_brings_a_kind_that_nobody_knows(status: int) -> None:
    """Phrases differ between versions of Python, so none is made from them."""
    answer = await on_http(Request({"type": "http"}), HTTPException(status))
    kind = bytes(answer.body).partition(PROBLEM.encode())[2].partition(b'"')[0].decode()
    assert kind in get_args(Kind)
    assert answer.status_code == status
