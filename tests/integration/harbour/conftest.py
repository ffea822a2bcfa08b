"""A harbour on the network and the real SDK in front of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from openai import OpenAI

from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings

AUTO: Any = {"type": "code_interpreter", "container": {"type": "auto"}}
SHELL: Any = {"type": "shell", "environment": {"type": "container_auto"}}
USE = "Compute. [[use_tool]] [[cite]] [[seconds=8]]"
TALK = "Say hello. [[seconds=8]]"


@pytest.fixture
def server() -> Iterator[HarbourServer]:
    """A harbour whose hour takes twelve seconds."""
    settings = HarbourSettings(scale=300, visibility_lag=(0, 0), delete_lag=(0, 0))
    with HarbourServer(Harbour(settings, seed=3)) as running:
        yield running


@pytest.fixture
def client(server: HarbourServer) -> Iterator[OpenAI]:
    """The SDK, without retries, so that each fault shows."""
    with OpenAI(base_url=server.base_url, api_key="key", max_retries=0) as made:
        yield made


def cases(server: HarbourServer) -> list[dict[str, Any]]:
    """The truth about every container, oldest first."""
    told: list[dict[str, Any]] = server.admin.truth()["containers"]
    return told
