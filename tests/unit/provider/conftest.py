"""Builds the API under test over a fake transport."""

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from tests.unit.provider.fake import BASE, FakeApi, in_turn

from demurrage.provider.api import OpenAIContainers
from demurrage.provider.budget import CallBudget
from demurrage.provider.client import HTTP
from demurrage.provider.clock import HeaderClock
from demurrage.provider.connection import Connection

KEY = "sk-proj-a1b2c3SECRET"
FREE = 1e6

Make = Callable[..., tuple[OpenAIContainers, FakeApi]]


def clock_on_time() -> HeaderClock:
    """A clock on a machine that bears out what the fake API says of the time."""
    ahead = BASE - time.monotonic()
    return HeaderClock(lambda: time.monotonic() + ahead)


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Builds an API over a handler, or over answers given in turn; closes it afterwards."""
    made: list[OpenAIContainers] = []

    def build(
        *answers: Any, per_minute: float = FREE, budget: CallBudget | None = None, **options: Any
    ) -> tuple[OpenAIContainers, FakeApi]:
        keep: dict[str, Any] = {"clock": clock_on_time()}
        keep |= {k: options.pop(k) for k in ("clock", "max_pages") if k in options}
        fake = FakeApi(answers[0] if callable(answers[0]) else in_turn(answers))
        api = OpenAIContainers(
            Connection(
                **{
                    "provider": "openai",
                    "base_url": "https://api.example/v1",
                    "api_key": KEY,
                    **options,
                }
            ),
            budget if budget is not None else CallBudget(per_minute),
            transport=HTTP.MockTransport(fake.handle),
            on_call=lambda *call: fake.calls.append(call),
            **keep,
        )
        made.append(api)
        return api, fake

    yield build
    for api in made:
        await api.close()
