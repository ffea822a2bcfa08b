"""Tiny builders: writers that number their events, sightings, facts, rules and decisions.

All times are seconds after `T`, on the provider's clock; a writer adds its own offset.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from demurrage.decide.decision import Decision, decide
from demurrage.decide.ledger import Ledger
from demurrage.decide.response import Claim
from demurrage.model.container import Container, Sighting
from demurrage.model.event import (
    RESOLVER,
    ContainerCreated,
    ContainerReferenced,
    ContainerReleased,
    ConversationEnded,
    Created,
    Ending,
    Entry,
    Event,
    Fact,
    Finished,
    Heartbeat,
    Known,
    Output,
    Record,
    Sent,
    Slot,
    Started,
    Tool,
)
from demurrage.model.facts import TargetFacts
from demurrage.model.inventory import CompleteInventory
from demurrage.model.rules import EvidenceRules, PolicyRules, Rules
from demurrage.model.verdict import Code, Verdict

T = 1_800_000_000
TARGET = "default"
PERSON = "demurrage:person/ops"
READER = RESOLVER
CALLED_FOR = 400.0  # when `verdict_of` asks, unless told: past the billing floor of early births

AUTO = Slot()
COMPLETE = TargetFacts(coverage_since=T - 10_000.0)
RULES = Rules(evidence=EvidenceRules(coverage="complete"))


def policy(**changes: Any) -> Rules:
    """The default rules under complete coverage with another policy."""
    return replace(RULES, policy=PolicyRules(**changes))


def facts(**changes: Any) -> TargetFacts:
    """Facts of a target whose coverage is complete."""
    return replace(COMPLETE, **changes)


def auto(tier: str | None = None, tool: Tool = Tool.CODE_INTERPRETER) -> Slot:
    """An auto slot."""
    return Slot(tool, tier)


@dataclass
class Writer:
    """One process that logs: numbers its events, and stamps them by its own clock.

    `offset` is how far its clock is ahead; `reports` is what its heartbeats say of that.
    """

    name: str = "app-1"
    offset: float = 0.0
    target: str = TARGET
    reports: float | None = field(default=None)
    sequence: int = 0
    records: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.reports is None:
            self.reports = self.offset

    def say(self, at: float, fact: Fact, **event: Any) -> Entry:
        """Append any fact, true time `at`."""
        self.sequence += 1
        values: dict[str, Any] = {
            "id": f"{self.name}/{self.sequence}",
            "sequence": None if self.name in (PERSON, READER) else self.sequence,
            "digest": str(self.sequence),
            **event,
        }
        entry = Entry(
            self.sequence,
            Event(
                source=self.name,
                time=T + at + self.offset,
                target=self.target,
                fact=fact,
                **values,
            ),
        )
        self.records.append(entry)
        return entry

    def starts(self, call: str, at: float, *slots: Slot, **more: Any) -> Entry:
        """A request leaves, with one auto slot unless told otherwise."""
        more.setdefault("containers", frozenset())
        more["containers"] = frozenset(more["containers"])
        return self.say(at, Started(call, slots or (AUTO,), **more))

    def sent(self, call: str, at: float, sent_at: float | None = None) -> Entry:
        """The whole request has reached the API, by `sent_at` on the writer's clock, else now."""
        return self.say(at, Sent(call, T + (at + self.offset if sent_at is None else sent_at)))

    def created(self, call: str, at: float, *names: str, **more: Any) -> Entry:
        """The API answers with an id; `created_at` in seconds after T."""
        return self.say(
            at, Created(call, f"resp_{call}", containers=frozenset(names), **_shift(more))
        )

    def puts_out(self, call: str, at: float, *names: str) -> Entry:
        """The first output item arrives."""
        return self.say(at, Output(call, f"resp_{call}", frozenset(names)))

    def ends(
        self, call: str, at: float, *names: str, status: Ending = Ending.COMPLETED, **more: Any
    ) -> Entry:
        """The response ends and names these containers."""
        known = status not in (Ending.REFUSED, Ending.LOST)
        fact = Finished(
            call,
            status,
            f"resp_{call}" if known else None,
            containers=frozenset(names),
            **_shift(more),
        )
        return self.say(at, fact)

    def beats(self, at: float, *in_flight: str, **more: Any) -> Entry:
        """A heartbeat: everything before `at` is sent."""
        values: dict[str, Any] = {
            "complete_through": T + at + self.offset,
            "last_sequence": self.sequence,
            "in_flight": frozenset(in_flight),
            "clock_offset": self.reports,
            **more,
        }
        return self.say(at, Heartbeat(**values))

    def pins(self, container_id: str, at: float, until: float | None = None) -> Entry:
        """An explicit reference."""
        return self.say(at, ContainerReferenced(container_id, None if until is None else T + until))

    def makes(self, container_id: str, at: float) -> Entry:
        """`POST /containers`."""
        return self.say(at, ContainerCreated(container_id))

    def releases(self, container_id: str, at: float) -> Entry:
        """Nobody needs it any more."""
        return self.say(at, ContainerReleased(container_id))

    def closes(self, at: float, conversation: str | None = None, after: str | None = None) -> Entry:
        """A conversation, or the lineage of the response to call `after`, is over."""
        response_id = None if after is None else f"resp_{after}"
        return self.say(at, ConversationEnded(conversation, response_id))

    def knows(self, response_id: str, at: float) -> Entry:
        """A response id and nothing else."""
        return self.say(at, Known(response_id))

    def reads(
        self,
        call: str,
        at: float,
        *names: str,
        status: Ending | None = Ending.COMPLETED,
        slots: tuple[Slot, ...] = (AUTO,),
        created_at: float = 10.0,
        **more: Any,
    ) -> None:
        """The daemon reads the response to a call at a moment; `status` None is running."""
        response_id = f"resp_{call}"
        more.setdefault("containers", frozenset())
        if not any(isinstance(each.event.fact, Started) for each in self.entries):
            self.say(created_at, Started(response_id, slots, **more))
        if status is None:
            fact: Fact = Created(
                response_id,
                response_id,
                T + created_at,
                status="in_progress",
                containers=frozenset(names),
            )
        else:
            fact = Finished(
                response_id,
                status,
                response_id,
                created_at=T + created_at,
                containers=frozenset(names),
            )
        self.say(at, fact)

    @property
    def entries(self) -> list[Entry]:
        """What it has said, lines set aside excepted."""
        return [each for each in self.records if isinstance(each, Entry)]

    def loses(self, entry: Entry) -> None:
        """An event never reaches the log; its sequence stays missing."""
        self.records.remove(entry)


def _shift(values: dict[str, Any]) -> dict[str, Any]:
    """Turn `created_at` and its like from seconds after T into epoch seconds."""
    moments = ("created_at", "completed_at", "sent_at")
    return {key: T + value if key in moments else value for key, value in values.items()}


def sighting(container_id: str = "cntr_1", born: int = 12, **more: Any) -> Sighting:
    """A live 1g container that nobody has used since its birth."""
    gone_at = more.pop("gone_at", None)
    deleted_at = more.pop("deleted_at", None)
    active = more.pop("active", born)
    values: dict[str, Any] = {"status": "running", "tier": "1g", **more}
    row = Container(
        container_id,
        T + born,
        last_active_at=None if active is None else T + active,
        **values,
    )
    return Sighting(
        row,
        float(row.created_at),
        float(row.created_at),
        gone_at=None if gone_at is None else T + gone_at,
        deleted_at=None if deleted_at is None else T + deleted_at,
    )


def ledger_of(
    *sources: Writer | Iterable[Record], claims: Mapping[str, Claim] | None = None
) -> Ledger:
    """A ledger that holds what the writers, and other records, say."""
    ledger = Ledger()
    for each in sources:
        ledger.fold(each.records if isinstance(each, Writer) else each, claims)
    return ledger


def decision_of(
    *sources: Writer | Iterable[Record] | Ledger,
    rows: Iterable[Sighting] = (),
    now: float = CALLED_FOR,
    known: TargetFacts = COMPLETE,
    rules: Rules = RULES,
    read_since: float = -1000.0,
    target: str = TARGET,
) -> Decision:
    """Decide from a ledger, or from what writers say; `now` in seconds after T.

    No verdict comes without its reasons in words, nor a condition without its target and words.
    """
    first = sources[0] if sources else None
    ledger = (
        first
        if isinstance(first, Ledger)
        else ledger_of(*(each for each in sources if not isinstance(each, Ledger)))
    )
    decision = decide(
        ledger,
        CompleteInventory(target, T + now, {each.id: each for each in rows}),
        known,
        rules,
        read_since=T + read_since,
        now=T + now,
    )
    for each in decision.verdicts.values():
        assert all(reason.text and isinstance(reason.code, Code) for reason in each.reasons), each
    assert all(each.target == target and each.summary for each in decision.conditions)
    return decision


def verdict_of(
    row: Sighting,
    *sources: Writer | Iterable[Record] | Ledger,
    beside: Iterable[Sighting] = (),
    **more: Any,
) -> Verdict:
    """The verdict on one container, `beside` others."""
    return decision_of(*sources, rows=(row, *beside), **more).verdicts[row.id]
