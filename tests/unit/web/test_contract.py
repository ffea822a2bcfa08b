"""The HTTP API does what its own OpenAPI document says, whatever is sent to it."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from demurrage.web.app import create_app
from demurrage.web.doors import Doors
from demurrage.web.service import Service

BASE = "http://localhost:9470"
ADMIN = "an admin's token"
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
PERSON = {"Authorization": f"Bearer {ADMIN}"}
# An eighth of what the profile asks for: there are a dozen operations.
EXAMPLES = settings(
    max_examples=settings().max_examples // 8,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, *HealthCheck],
)


@pytest.fixture
def browser(service: Service) -> Iterator[TestClient]:
    """A client of a daemon whose people have a token."""
    doors = Doors(admin_token=SecretStr(ADMIN))
    with TestClient(create_app(service, doors), base_url=BASE) as opened:
        yield opened


def test_every_operation_keeps_its_word(browser: TestClient) -> None:
    """No server error; documented statuses and content types alone; bodies fit their schemas."""
    schema: Any = schemathesis.openapi.from_dict(
        browser.get("/openapi.json", headers=PERSON).json()
    )
    operations = [each.ok() for each in schema.get_all_operations()]
    assert len(operations) > 10
    for operation in operations:

        @EXAMPLES
        @given(case=operation.as_strategy(), known=st.booleans())
        def keeps_it(case: Any, known: bool) -> None:  # noqa: FBT001
            arguments = case.as_transport_kwargs(base_url=BASE)
            arguments.pop("cookies")
            headers = {**arguments.pop("headers"), **(PERSON if known else {})}
            answer = browser.request(**arguments, headers=headers)
            assert answer.status_code != 500
            case.validate_response(answer, checks=CHECKS)

        keeps_it()
