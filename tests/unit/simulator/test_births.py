"""Who makes containers, and when."""

from typing import Any

import pytest

from demurrage.simulator.refusal import Refusal

from .conftest import AUTO, SHELL, Scene


def test_every_auto_request_makes_one_container_that_nobody_names(scene: Scene) -> None:
    """Two tool-less turns leak two containers, both orphans once the responses have ended."""
    first = scene.ended()
    second = scene.ended(previous_response_id=first.id)
    assert [case["orphan"] for case in scene.cases()] == [True, True]
    assert "cntr_" not in str(first.body()) + str(second.body())


def test_a_birth_lies_one_to_seven_seconds_in_and_before_the_first_output(scene: Scene) -> None:
    """Fifty births keep to what recordings show."""
    for _ in range(50):
        voyage = scene.begin()
        born = voyage.born_at[0] - voyage.started
        assert 1 <= born <= 7
        assert voyage.born_at[0] < voyage.first_output_at <= voyage.ends_at


def test_a_running_maker_makes_no_orphan_yet(scene: Scene) -> None:
    """Truth calls nothing an orphan whose response can still name it."""
    scene.begin()
    scene.forward(9)
    assert [case["orphan"] for case in scene.cases()] == [False]


def test_the_id_begins_with_the_creation_second(scene: Scene) -> None:
    """`cntr_`, 8 hex digits of the second, 40 more."""
    scene.ended()
    (row,) = scene.listed()
    assert row["id"].startswith(f"cntr_{row['created_at']:08x}")
    assert len(row["id"]) == len("cntr_") + 48


def test_a_used_container_is_named_and_reused_through_previous_response_id(scene: Scene) -> None:
    """A call in the context keeps the next turn from making another."""
    first = scene.ended(use_tool=True)
    scene.ended(previous_response_id=first.id)
    (case,) = scene.cases()
    assert case["used_by"] == [first.id]
    assert case["id"] in str(first.body())


def test_a_replayed_call_is_a_context_too(scene: Scene) -> None:
    """The items of the first answer, sent back as input, lead to the same container."""
    first = scene.ended(use_tool=True)
    scene.ended(input=[*first.items, {"role": "user", "content": "Go on"}])
    assert len(scene.cases()) == 1


def test_a_conversation_carries_its_calls(scene: Scene) -> None:
    """A conversation item leads the next turn to the same container."""
    conversation = scene.harbour.port.conversations.create(0, {}).id
    scene.ended(conversation=conversation, use_tool=True)
    scene.ended(conversation={"id": conversation}, use_tool=True)
    (case,) = scene.cases()
    assert len(case["used_by"]) == 2


def test_reuse_refreshes_activity(scene: Scene) -> None:
    """A turn that merely could use the container keeps it alive."""
    first = scene.ended(use_tool=True)
    scene.forward(600)
    scene.begin(previous_response_id=first.id)
    (row,) = scene.listed()
    assert row["last_active_at"] == int(scene.time())


def test_hosted_shell_names_its_container_even_unused(scene: Scene) -> None:
    """The echo of a shell tool carries the resolved id, so that container is no orphan."""
    voyage = scene.ended(tools=[SHELL])
    (case,) = scene.cases()
    assert voyage.body()["tools"][0]["environment"]["container_id"] == case["id"]
    assert case["named_by"] == [voyage.id]
    assert not case["orphan"]


def test_code_interpreter_echoes_auto(scene: Scene) -> None:
    """A code interpreter's echo names nothing."""
    assert scene.ended().body()["tools"] == [AUTO]


def test_each_tool_of_a_request_makes_its_own(scene: Scene) -> None:
    """Two slots, two containers, of the tiers asked for."""
    big = {"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "64g"}}
    scene.ended(tools=[big, SHELL])
    assert {case["tier"] for case in scene.cases()} == {"64g", "1g"}


def test_an_explicit_container_is_used_and_none_is_made(scene: Scene) -> None:
    """A request that names its container needs no other."""
    made = scene.harbour.port.quay.create({"name": "mine"})
    tool = {"type": "code_interpreter", "container": made.id}
    scene.ended(tools=[tool], use_tool=True)
    (case,) = scene.cases()
    assert (case["explicit"], len(case["used_by"])) == (True, 1)


def test_a_background_response_makes_nothing_while_queued(scene: Scene) -> None:
    """Births count from the start of the run, and a cancelled response makes none."""
    voyage = scene.begin(background=True)
    assert (voyage.status, voyage.born_at[0] - voyage.runs_at >= 1) == ("queued", True)
    scene.harbour.port.cancel(voyage.id)
    scene.forward(60)
    assert scene.cases() == []


def test_lazy_births_come_only_with_use(scene: Scene) -> None:
    """With `lazy_birth` a tool-less turn makes nothing."""
    scene.change(lazy_birth=True)
    scene.ended()
    scene.ended(use_tool=True)
    assert [bool(case["used_by"]) for case in scene.cases()] == [True]


def test_slots_can_make_two(scene: Scene) -> None:
    """With `slots_make_two` the second is named by nobody, even when the first is used."""
    scene.change(slots_make_two=True)
    scene.ended(use_tool=True)
    assert sorted(case["orphan"] for case in scene.cases()) == [False, True]


def test_late_births_leave_the_window(scene: Scene) -> None:
    """With `late_birth` an unused container is born after its response has ended."""
    scene.change(late_birth=True)
    voyage = scene.begin()
    scene.forward(30)
    assert (voyage.status, scene.cases()) == ("completed", [])
    scene.forward(70)
    assert len(scene.cases()) == 1


def test_a_scale_divides_every_duration(scene: Scene) -> None:
    """At scale 10 a ten-second response takes one second and idles out in two minutes."""
    scene.change(scale=10)
    voyage = scene.begin()
    assert voyage.ends_at - voyage.started == pytest.approx(1.0)
    scene.forward(2)
    assert scene.listed()[0]["status"] == "running"
    scene.forward(120)
    assert scene.listed()[0]["status"] == "expired"


def test_no_prose_is_kept(scene: Scene) -> None:
    """What a prompt says is nowhere in the harbour once the request has been read."""
    conversation = scene.harbour.port.conversations.create(0, {})
    voyage = scene.ended(input="my secret plan", conversation=conversation.id)
    assert "secret" not in f"{voyage.ask} {voyage.body()} {conversation.items}"


@pytest.mark.parametrize(
    "body",
    [
        {"tools": [{"type": "code_interpreter"}]},
        {"tools": [{"type": "code_interpreter", "container": {"type": "auto", "memory_limit": 3}}]},
        {"previous_response_id": "resp_unknown"},
        {"previous_response_id": "resp_a", "conversation": "conv_a"},
        {"background": True, "store": False},
        {"input": 7},
        {"model": None},
    ],
)
def test_what_is_no_request_is_refused(scene: Scene, body: dict[str, Any]) -> None:
    """A bad request gets a 400 and makes nothing."""
    with pytest.raises(Refusal) as refused:
        scene.begin(**body)
    assert refused.value.status == 400
    scene.forward(60)
    assert scene.cases() == []
