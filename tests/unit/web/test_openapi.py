import re
from importlib.resources import files

import httpx2
import pytest

PATHS = {
    ("post", "/v1/events"): {202, 400, 401, 403, 413, 415, 421, 500, 503},
    ("post", "/webhooks/openai/{target}"): {204, 400, 403, 404, 413, 422, 500, 503},
    ("get", "/v1/status"): {200, 400, 401, 421, 500},
    ("get", "/v1/containers"): {200, 400, 401, 404, 421, 422, 500, 503},
    ("get", "/v1/containers/{id}"): {200, 400, 401, 404, 421, 422, 500, 503},
    ("get", "/v1/responses/{id}"): {200, 400, 401, 404, 421, 422, 500, 503},
    ("post", "/v1/responses/{id}/adopt"): {400, 401, 403, 421, 422, 500, 501, 503},
    ("get", "/v1/incidents"): {200, 400, 401, 404, 421, 422, 500, 503},
    ("get", "/v1/incidents/{id}"): {200, 400, 401, 404, 421, 422, 500, 503},
    **{
        act: {200, 400, 401, 403, 404, 409, 413, 421, 422, 500, 503}
        for act in (
            ("post", "/v1/incidents/{id}/acknowledge"),
            ("post", "/v1/incidents/{id}/silence"),
            ("delete", "/v1/incidents/{id}/silence"),
        )
    },
    ("post", "/v1/holds/{id}/resume"): {
        *(200, 400, 401, 403, 404, 409, 413, 421, 422, 500, 503),
    },
    ("get", "/healthz"): {200, 400, 421, 500, 503},
    ("get", "/readyz"): {200, 400, 421, 500, 503},
    ("get", "/metrics"): {200, 400, 421, 500},
}


async def test_documented(client: httpx2.AsyncClient) -> None:
    """The OpenAPI document has every path, with every answer that it can give."""
    document = (await client.get("/openapi.json")).json()
    found = {
        (method, path): {int(status) for status in operation["responses"]}
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert found == PATHS


async def test_errors_are_problems(client: httpx2.AsyncClient) -> None:
    """Every documented error is a problem, and every operation says what it is for."""
    document = (await client.get("/openapi.json")).json()
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["summary"]
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"]


async def test_events_body(client: httpx2.AsyncClient) -> None:
    """The events door documents the three content types that it takes."""
    document = (await client.get("/openapi.json")).json()
    body = document["paths"]["/v1/events"]["post"]["requestBody"]
    assert sorted(body["content"]) == [
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/json",
    ]


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/v1/events/", "//v1/status", "/v1/../etc"])
async def test_nothing_else(client: httpx2.AsyncClient, path: str) -> None:
    """Other paths are not there, and nothing redirects."""
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_page(client: httpx2.AsyncClient) -> None:
    """The page loads its own style and script and nothing else, under a policy that says so."""
    page = await client.get("/")
    policy = page.headers["content-security-policy"]
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert set(re.findall(r'(?:src|href)="([^"]*)"', page.text)) == {
        "/page.css",
        "/page.js",
        "data:,",
    }
    assert not re.search(r"<script(?![^>]*src=)|<style| style=| on\w+=", page.text)
    style, script = await client.get("/page.css"), await client.get("/page.js")
    assert style.headers["content-type"].startswith("text/css")
    assert script.headers["content-type"].startswith("text/javascript")


def test_assets_are_self_contained() -> None:
    """No asset names another host or builds HTML from text."""
    for asset in (files("demurrage.web") / "assets").iterdir():
        text = asset.read_text()
        assert "://" not in text
        assert "innerHTML" not in text
