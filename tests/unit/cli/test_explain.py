"""What `explain` makes of an id that is no container's."""

from base64 import b64encode
from contextlib import closing
from typing import Any

import pytest
from tests.unit.cli.conftest import Desk

from demurrage.eventlog.log import EventLog

NAMED = "cntr_" + "a" * 48


def _event(number: int, kind: str, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(number),
        "source": "app/1",
        "sequence": number,
        "type": f"demurrage.response.{kind}",
        "time": "2026-11-30T08:00:00Z",
        "data": {"target": "default", "call_id": f"call-{(number + 1) // 2}", **data},
    }


@pytest.fixture
def told(kept: Desk) -> Desk:
    """Two turns of one conversation, of which the second names a container, and another's turn."""
    slots = [{"tool": "code_interpreter", "tier": "1g", "container": "auto"}]
    events = []
    for turn, (conversation, names) in enumerate(
        [("conv_1", []), ("conv_1", [NAMED]), ("conv_2", [])], 1
    ):
        events += [
            _event(2 * turn - 1, "started", slots=slots, conversation=conversation),
            _event(
                2 * turn,
                "finished",
                response_id=f"resp_{turn}",
                status="completed",
                containers=names,
            ),
        ]
    with closing(EventLog.open(kept.url, clock=lambda: 0.0)) as log:
        log.append(events, appended_at=1_796_000_000.0)
    return kept


def test_a_conversation_is_its_requests_and_their_containers(told: Desk) -> None:
    """Its own and no other's, and what they name."""
    said = told.say("explain", "conv_1", "--json").json
    assert [each["response_id"] for each in said["requests"]] == ["resp_1", "resp_2"]
    assert [each["id"] for each in said["containers"]] == [NAMED]
    out = told.say("explain", "conv_1").out
    assert [word in out for word in ("resp_1", "resp_2", "resp_3", NAMED)] == [
        True,
        True,
        False,
        True,
    ]


def test_a_container_is_found_by_a_proxy_s_id(told: Desk) -> None:
    """Which is what people behind the proxy see."""
    inside = f"litellm:custom_llm_provider:openai;model_id:m;container_id:{NAMED}"
    said = told.say("explain", f"cntr_{b64encode(inside.encode()).decode()}", "--json").json
    assert [each["id"] for each in said["containers"]] == [NAMED]


def test_a_response_is_its_own_request_alone(told: Desk) -> None:
    """Not the whole conversation's."""
    said = told.say("explain", "resp_1", "--json").json
    assert [each["response_id"] for each in said["requests"]] == ["resp_1"]
    assert said["containers"] == []
