"""One logged request and all that its events say of it, folded in any order."""

from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from demurrage.decide.source import Source
from demurrage.model.event import (
    Created,
    Ending,
    Finished,
    Output,
    Sent,
    Slot,
    Started,
)


class Moment(NamedTuple):
    """A time on a writer's clock, with the writer whose clock it was.

    `sequence` is the place of the event that told it among its writer's, where it has one.
    """

    time: float
    source: Source
    sequence: int | None = None

    @property
    def order(self) -> tuple[float, str]:
        """An order of moments that does not depend on which was read first."""
        return (self.time, self.source.id)

    def precedes(self, other: "Moment") -> bool:
        """True when the same writer told this first, or both at once.

        Its own count must say so, too: its clock may have been set in between.
        """
        if self.sequence is not None and other.sequence is not None:
            return self.sequence <= other.sequence and self.time <= other.time
        return self.time <= other.time

    def earliest(self, unknown: float) -> float:
        """The earliest provider time that this can have been."""
        return self.time - self.source.offsets(unknown)[1]

    def latest(self, unknown: float) -> float:
        """The latest provider time that this can have been."""
        return self.time - self.source.offsets(unknown)[0]


class Claim(NamedTuple):
    """What decisions took for true: that all starts from before `starts_before` were held.

    `decided_at`: when the last of them was made, from what the log held up to `position`.
    `read_at`: when what is judged by it was read. All but the position are provider times.
    """

    decided_at: float
    starts_before: float
    position: int = 0
    read_at: float = -inf

    @staticmethod
    def of(
        decided_at: float, complete_through: float, read_since: float, *, delay: float
    ) -> "Claim":
        """What one decision takes for true.

        Args:
            decided_at: when it is made.
            complete_through: how far it takes the log to be complete.
            read_since: start of the unbroken series of readings that it stands on. It judges
                nothing that was born, or begun, less than `delay` after that.
            delay: seconds that an event may take to reach the log.
        """
        judges = read_since + delay < decided_at
        return Claim(decided_at, min(complete_through, decided_at - delay) if judges else -inf)

    def following(self, last: "Claim | None") -> "Claim":
        """This claim, and all before it: they were acted on, whatever is known since."""
        before = -inf if last is None else last.starts_before
        return self._replace(starts_before=max(self.starts_before, before))


@dataclass(slots=True)
class Response:
    """One HTTP attempt at a response, known by its call id.

    `auto_slots` are those of its slots that can make a container. `named` are the containers
    that the response itself names; `put_out` those among them that its first output item named;
    `carried` are those that its request already bore, and `addressed` those that it gave to a tool
    of its own. Only a definite `ending` ends it: LOST says that nobody knows. `opaque`: it goes on
    from what no event names. `contradicted`: two starts claim the call id, so an end of one must
    not pass for an end of the other, unless it is a person's word (`closed`) on whatever it was.
    `superseded`: the daemon has read it itself, and an application has logged the same response:
    then that one stands for both, so that they are not taken for two makers. `told_at`: when the
    last was read of it, in provider time, -inf before anything was decided.
    """

    call_id: str
    positions: list[int] = field(default_factory=list)
    started: Moment | None = None
    slots: tuple[Slot, ...] = ()
    auto_slots: tuple[Slot, ...] = ()
    addressed: frozenset[str] = frozenset()
    carried: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    put_out: frozenset[str] = frozenset()
    previous: frozenset[str] = frozenset()
    conversations: frozenset[str] = frozenset()
    background: bool = False
    direct: bool = False
    opaque: bool = False
    model: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    response_ids: frozenset[str] = frozenset()
    created_low: float | None = None
    created_high: float | None = None
    sent: Moment | None = None
    queued: Moment | None = None
    running: Moment | None = None
    output: Moment | None = None
    finished: Moment | None = None
    completed_at: float | None = None
    lost: bool = False
    ending: Ending | None = None
    http_status: int | None = None
    claim: Claim | None = None
    told_at: float = -inf
    contradicted: bool = False
    closed: bool = False
    superseded: bool = False

    @property
    def ended(self) -> bool:
        """True when its end is known for certain, or is for another to tell."""
        if self.superseded:
            return True
        return self.ending is not None and (self.closed or not self.contradicted)

    @property
    def unclear(self) -> bool:
        """True when its slots are not known for certain: no start is logged, or two are."""
        return self.started is None or self.contradicted

    @property
    def response_id(self) -> str | None:
        """The id that the API gave it, if that is known."""
        if len(self.response_ids) == 1:
            (only,) = self.response_ids
            return only
        return min(self.response_ids, default=None)

    @property
    def keys(self) -> tuple[str, ...]:
        """What links it to a lineage: its own id, the one before it, its conversations."""
        return (
            *(key for each in self.response_ids for key in lineage_keys(None, each)),
            *(key for each in self.previous for key in lineage_keys(None, each)),
            *(key for each in self.conversations for key in lineage_keys(each, None)),
        )

    @property
    def borne(self) -> frozenset[str]:
        """The containers that its request already bore, in its input or as a tool's own."""
        return self.carried | self.addressed

    @property
    def mentioned(self) -> frozenset[str]:
        """Every container that its request or its answer names."""
        return self.named | self.borne

    def begin(self, fact: Started, moment: Moment, claim: Claim | None) -> bool:
        """Take the start in; False when another start contradicts it.

        Whatever either of them bore or continued counts; for the rest the earlier one stands.
        """
        self.carried |= fact.containers
        self.opaque = self.opaque or fact.opaque
        if fact.conversation is not None:
            self.conversations |= {fact.conversation}
        if fact.previous_response_id is not None:
            self.previous |= {fact.previous_response_id}
        if self.started is not None:
            same = self.started[:2] == moment[:2]
            if same and self.slots == fact.slots:
                return True
            self.contradicted = True
            standing = (*self.started.order, repr(self.slots))
            if (*moment.order, repr(fact.slots)) >= standing:
                return False
        self.started = moment
        self.slots = fact.slots
        self.auto_slots = tuple(slot for slot in fact.slots if slot.auto)
        self.addressed = frozenset(slot.container for slot in fact.slots if not slot.auto)
        self.background = fact.background
        self.direct = fact.direct
        self.model = fact.model
        self.labels = tuple(sorted(fact.labels.items()))
        self.claim = claim
        return not self.contradicted

    def send(self, fact: Sent, moment: Moment) -> None:
        """Take in that the whole request had reached the API; the latest of such claims counts."""
        self.sent = later(self.sent, Moment(fact.sent_at, moment.source))

    def create(self, fact: Created, moment: Moment) -> None:
        """Take in that the API gave it an id."""
        self._identify(fact.response_id, fact.conversation, fact.containers)
        self._created(fact.created_at)
        if fact.sent_at is not None:
            self.sent = later(self.sent, Moment(fact.sent_at, moment.source))
        if fact.status == "queued":
            self.queued = later(self.queued, moment)
        elif fact.status == "in_progress":
            self.running = _earlier(self.running, moment)

    def emit(self, fact: Output, moment: Moment) -> None:
        """Take in that the first output item arrived."""
        self._identify(fact.response_id, None, fact.containers)
        self.put_out |= fact.containers
        self.output = _earlier(self.output, moment)

    def finish(self, fact: Finished, moment: Moment) -> None:
        """Take an ending in; a definite one outweighs a lost one."""
        self._identify(fact.response_id, fact.conversation, fact.containers)
        self._created(fact.created_at)
        if fact.sent_at is not None:
            self.sent = later(self.sent, Moment(fact.sent_at, moment.source))
        if fact.status is Ending.LOST:
            self.lost = True
            return
        if self.ending is None or fact.status < self.ending:
            self.ending = fact.status
            self.http_status = fact.http_status
        self.closed = self.closed or moment.source.person
        self.finished = later(self.finished, moment)
        if fact.completed_at is not None:
            self.completed_at = max(self.completed_at or -inf, fact.completed_at)

    def absorb(self, read: "Response") -> None:
        """Take in what the daemon has read of the very same response, which steps back.

        It can add names and a definite end; slots, start and times stay the application's own.
        """
        read.superseded = True
        read.auto_slots = ()
        self.named |= read.named
        self.carried |= read.borne
        self.previous |= read.previous
        self.conversations |= read.conversations
        if read.ending is None or read.finished is None:
            return
        if self.ending is None or read.ending < self.ending:
            self.ending = read.ending
        self.finished = later(self.finished, read.finished)

    def _identify(
        self, response_id: str | None, conversation: str | None, containers: frozenset[str]
    ) -> None:
        if response_id is not None:
            self.response_ids |= {response_id}
        if conversation is not None:
            self.conversations |= {conversation}
        self.named |= containers

    def _created(self, created_at: float | None) -> None:
        if created_at is None:
            return
        low, high = self.created_low, self.created_high
        self.created_low = created_at if low is None else min(low, created_at)
        self.created_high = created_at if high is None else max(high, created_at)

    @property
    def moments(self) -> tuple[Moment, ...]:
        """All that its writers' clocks tell of it."""
        told = (self.started, self.sent, self.queued, self.running, self.output, self.finished)
        return tuple(at for at in told if at is not None)

    def last_told(self, unknown: float) -> float:
        """The latest provider time at which it can have ended; +inf where no event tells."""
        return inf if self.finished is None else self.finished.latest(unknown)

    def began_late(self, delay: float) -> bool:
        """True when its start was not held when a decision took the log for complete past it.

        One that waited while the log could not be read is not late as long as it comes within
        `delay` of the first reading: until then nothing was decided about its time. Nor is one of
        which nobody can tell when it began, for its writer's clock is not known.
        """
        claim, started = self.claim, self.started
        if claim is None or started is None or self.superseded or not started.source.timed:
            return False
        return self.begun_earliest(delay) < claim.starts_before

    def begun_earliest(self, unknown: float) -> float:
        """The earliest provider time at which the request can have left; -inf if unlogged."""
        if self.started is not None:
            return self.started.earliest(unknown)
        return self.created_low if self.created_low is not None else -inf

    def begun_latest(self, unknown: float) -> float:
        """The latest provider time at which it can have begun; +inf if nothing tells."""
        if self.started is not None:
            return self.started.latest(unknown)
        return self.created_high if self.created_high is not None else self.last_told(unknown)


def _earlier(old: Moment | None, new: Moment) -> Moment:
    return new if old is None or new.order < old.order else old


def later(old: Moment | None, new: Moment) -> Moment:
    """The later of two moments on whatever clocks, whichever was read first."""
    return new if old is None or new.order > old.order else old


def lineage_keys(conversation: str | None, response_id: str | None) -> tuple[str, ...]:
    """The keys under which a conversation or a response id stands in a lineage."""
    keys = (("conv", conversation), ("resp", response_id))
    return tuple(f"{kind}:{each}" for kind, each in keys if each is not None)
