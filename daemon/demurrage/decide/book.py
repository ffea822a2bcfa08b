"""All that the log says of one target: its responses, references, pins, releases and ends."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from demurrage.decide.lineage import Lineages
from demurrage.decide.response import Claim, Moment, Response, later, lineage_keys
from demurrage.decide.source import Source
from demurrage.decide.windows import Windows
from demurrage.model.event import (
    ContainerCreated,
    ContainerReferenced,
    ContainerReleased,
    ContainerRequested,
    ConversationEnded,
    Created,
    Event,
    Finished,
    Known,
    Output,
    Sent,
    Started,
)


@dataclass(frozen=True, slots=True)
class Pin:
    """An explicit reference, from a moment until another or until it is released."""

    at: Moment
    until: float | None


@dataclass(slots=True)
class Book:
    """The folded log of one target. Folding is commutative and idempotent.

    `known` are response ids that somebody gave, whatever else is logged of them. `undecodable`:
    when each source last named a container by an id that could not be decoded. `requested`: when
    each set about creating one itself. `opaque`: the calls that go on from what they do not name.
    `windows` remembers what the responses come to.
    """

    target: str
    responses: dict[str, Response] = field(default_factory=dict)
    mentions: dict[str, set[str]] = field(default_factory=dict)
    explicit: dict[str, list[Moment]] = field(default_factory=dict)
    pins: dict[str, list[Pin]] = field(default_factory=dict)
    releases: dict[str, list[Moment]] = field(default_factory=dict)
    known: dict[str, Moment] = field(default_factory=dict)
    undecodable: dict[str, Moment] = field(default_factory=dict)
    requested: dict[str, list[Moment]] = field(default_factory=dict)
    lineages: Lineages = field(default_factory=Lineages)
    opaque: set[str] = field(default_factory=set)
    positions: dict[str, list[int]] = field(default_factory=dict)
    windows: Windows = field(default_factory=Windows, compare=False, repr=False)
    _answered: set[str] = field(default_factory=set)
    _read: set[str] = field(default_factory=set)
    _unsettled: set[str] = field(default_factory=set)
    _learned: dict[str, Claim | None] = field(default_factory=dict)

    def fold(self, event: Event, source: Source, position: int, claim: Claim | None) -> None:
        """Take one event in."""
        moment = Moment(event.time, source, event.sequence)
        if event.undecodable:
            self._note_undecodable(moment, position)
        match event.fact:
            case Started() | Sent() | Created() | Output() | Finished():
                self._fold_response(event.fact, moment, position, claim)
            case Known(response_id=response_id):
                self.known[response_id] = later(self.known.get(response_id), moment)
                self._learned.setdefault(response_id, claim)
                self._unsettled.add(response_id)
                self._place(response_id, position)
            case ContainerRequested():
                self.requested.setdefault(moment.source.id, []).append(moment)
                self._place(f"requested:{moment.source.id}", position)
            case ContainerCreated(container_id=container_id):
                self.explicit.setdefault(container_id, []).append(moment)
                self._place(container_id, position)
            case ContainerReferenced(container_id=container_id, until=until):
                self.pins.setdefault(container_id, []).append(Pin(moment, until))
                self._place(container_id, position)
            case ContainerReleased(container_id=container_id):
                self.releases.setdefault(container_id, []).append(moment)
                self._place(container_id, position)
            case ConversationEnded(conversation=conversation, response_id=response_id):
                self.lineages.end(conversation, response_id, moment)
                for key in lineage_keys(conversation, response_id):
                    self._place(key, position)
            case _:
                pass

    def _note_undecodable(self, moment: Moment, position: int) -> None:
        """Keep the last that each source told of such a name."""
        source_id = moment.source.id
        if later(self.undecodable.get(source_id), moment) is moment:
            self.undecodable[source_id] = moment
            self.positions[f"undecodable:{source_id}"] = [position]

    def _fold_response(
        self,
        fact: Started | Sent | Created | Output | Finished,
        moment: Moment,
        position: int,
        claim: Claim | None,
    ) -> None:
        response = self.responses.get(fact.call_id)
        if response is None:
            response = self.responses[fact.call_id] = Response(fact.call_id)
            # At once: should the fold break off, what it has begun blocks all the same.
            self.windows.change(fact.call_id)
        response.positions.append(position)
        if claim is not None:
            response.told_at = max(response.told_at, claim.read_at)
        moment.source.calls.add(fact.call_id)
        match fact:
            case Started():
                self._begin(response, fact, moment, claim)
            case Sent():
                response.send(fact, moment)
            case Created():
                response.create(fact, moment)
            case Output():
                response.emit(fact, moment)
            case Finished():
                response.finish(fact, moment)
        self._answered |= response.response_ids
        self.lineages.join(response)
        for each in (response, *self._merge(response, moment)):
            self.windows.change(each.call_id)
            for container_id in each.mentioned:
                self.mentions.setdefault(container_id, set()).add(each.call_id)

    def _begin(
        self, response: Response, fact: Started, moment: Moment, claim: Claim | None
    ) -> None:
        """Fold a start. One that the daemon read blocks births since its id was learned."""
        if fact.opaque:
            self.opaque.add(response.call_id)
        claimed_by = response.started
        read = moment.source.resolver
        if response.begin(fact, moment, self._learned.get(fact.call_id) if read else claim):
            return
        tellers = (moment, claimed_by) if claimed_by is not None else (moment,)
        # That an application took the response's own id for its call's proves no false writer.
        if not any(each.source.resolver for each in tellers):
            for each in tellers:
                each.source.contradict()

    def _merge(self, response: Response, moment: Moment) -> list[Response]:
        """Bring what an application logged of a response and what the daemon read of it together.

        Returns:
            Those among them that have changed.
        """
        if moment.source.resolver:
            self._read.add(response.call_id)
        if response.call_id in self._read:
            pairs = [(each, response) for each in self._calls_of(response.call_id)]
        else:
            read = response.response_ids & self._read
            pairs = [(response, self.responses[each]) for each in read if each in self.responses]
        merged: list[Response] = []
        for call, reading in pairs:
            if call is not reading:
                call.absorb(reading)
                self.lineages.join(call)
                merged += [call, reading]
        return merged

    def _calls_of(self, response_id: str) -> list[Response]:
        """All that is held of one response, whoever told it."""
        (key,) = lineage_keys(None, response_id)
        return [
            self.responses[call]
            for call in self.lineages.linked(key)
            if response_id in self.responses[call].response_ids
        ]

    def _place(self, about: str, position: int) -> None:
        self.positions.setdefault(about, []).append(position)

    def names(self, container_id: str) -> bool:
        """True when anything that is held names the container."""
        return (
            container_id in self.mentions
            or container_id in self.pins
            or container_id in self.explicit
        )

    @property
    def named(self) -> frozenset[str]:
        """All containers that anything held names."""
        return frozenset((*self.mentions, *self.pins, *self.explicit))

    def naming(self, container_id: str) -> list[Response]:
        """The responses that name a container, in their request or their answer."""
        return [self.responses[call] for call in self.mentions.get(container_id, ())]

    def unresolved(self) -> Iterator[tuple[str, Moment]]:
        """Known response ids of which no request is logged."""
        return ((rid, at) for rid, at in self.known.items() if rid not in self._answered)

    def unsettled(self) -> list[tuple[str, Moment]]:
        """Known response ids of whose end nothing tells yet, and when each was last given."""
        self._unsettled -= {each for each in self._unsettled if self._settled(each)}
        return [(each, self.known[each]) for each in sorted(self._unsettled)]

    def _settled(self, response_id: str) -> bool:
        calls = self._calls_of(response_id)
        return bool(calls) and all(each.ended for each in calls)

    def begun(self, response_id: str) -> bool:
        """True when a start stands under the response's own id, as the daemon's readings do."""
        response = self.responses.get(response_id)
        return response is not None and response.started is not None

    def logged(self, response_id: str) -> bool:
        """True when an application has logged the response itself."""
        return any(each.call_id != response_id for each in self._calls_of(response_id))

    def pin_releases(self, container_id: str, pin: Pin) -> list[Moment]:
        """Those that may end one pin: its own writer's, and those that end more than pins."""
        own = [at for at in self.releases.get(container_id, ()) if at.source.id == pin.at.source.id]
        return [*own, *self.final_releases(container_id)]

    def final_releases(self, container_id: str) -> list[Moment]:
        """Those that end more than pins: by a source that used or created the container itself.

        One that has only pinned it can tell when its own need is over, not when others' is.
        """
        releases = self.releases.get(container_id)
        if not releases:
            return []
        users = self._users(container_id)
        return [at for at in releases if at.source.person or at.source.id in users]

    def _users(self, container_id: str) -> set[str]:
        """The sources of the responses that name a container, and of its creation."""
        moments = (
            moment
            for response in self.naming(container_id)
            for moment in (response.started, response.finished, response.output)
            if moment is not None
        )
        return {at.source.id for at in (*moments, *self.explicit.get(container_id, ()))}

    def forget(
        self,
        before: float,
        needed: frozenset[str],
        flying: frozenset[str],
        unknown: float,
        *,
        oldest: float,
    ) -> frozenset[str]:
        """Drop what can bear on no living container any more.

        Args:
            before: nothing that happened later is dropped, in provider time.
            needed: containers that live, or still constrain those that do.
            flying: calls that heartbeats name; their promises are kept as long as these are known.
            unknown: bound in seconds on the offset of a clock that has not been reported.
            oldest: no container that lives was born earlier, clocks' skew counted in; +inf where
                nothing lives.

        A lineage goes as a whole or not at all: every response ended, begun and ended before
        the moment, none naming a needed container, nor with a living one in what it goes on from
        without naming it. A response without a known end stays.

        Returns:
            The calls that were dropped.
        """
        forgotten: list[Response] = []
        seen: set[str] = set()
        for call_id in self.responses:
            if call_id in seen:
                continue
            members = self.lineages.members(call_id)
            seen |= members
            lineage = [self.responses[member] for member in members]
            if all(self._past(each, before, unknown) for each in lineage) and not any(
                each.call_id in flying
                or each.mentioned & needed
                or (each.call_id in self.opaque and each.begun_latest(unknown) >= oldest)
                for each in lineage
            ):
                forgotten.extend(lineage)
        self.windows.clear()
        for response in forgotten:
            del self.responses[response.call_id]
            self.opaque.discard(response.call_id)
            self._unmention(response)
            for key in response.keys:
                self.positions.pop(key, None)
            # Or a reader starting anew would find the id, and nothing that answers to it.
            for response_id in response.response_ids:
                self._forget_known(response_id)
        # An end that comes when its lineage is forgotten already has nothing to go with.
        for key in self.lineages.drop_loose(lambda at: at.latest(unknown) < before):
            self.positions.pop(key, None)
        self.lineages = self.lineages.without(forgotten, self.responses.values())
        self._forget_containers(before, needed, unknown)
        return frozenset(response.call_id for response in forgotten)

    def _forget_known(self, response_id: str) -> None:
        """Drop an id with all that was known by it; else it would be looked up for ever."""
        self.known.pop(response_id, None)
        self.positions.pop(response_id, None)
        self._learned.pop(response_id, None)
        self._read.discard(response_id)
        self._unsettled.discard(response_id)
        self._answered.discard(response_id)

    def _forget_containers(self, before: float, needed: frozenset[str], unknown: float) -> None:
        """Drop pins, releases and creations of containers that are long gone."""
        for source_id, requests in list(self.requested.items()):
            place = f"requested:{source_id}"
            kept = [
                each
                for each in zip(requests, self.positions[place], strict=True)
                if each[0].latest(unknown) >= before
            ]
            if kept:
                self.requested[source_id] = [moment for moment, _ in kept]
                self.positions[place] = [position for _, position in kept]
            else:
                del self.requested[source_id], self.positions[place]
        for container_id in {*self.explicit, *self.pins, *self.releases} - needed:
            moments = (
                *self.explicit.get(container_id, ()),
                *self.releases.get(container_id, ()),
                *(pin.at for pin in self.pins.get(container_id, ())),
            )
            if container_id not in self.mentions and all(
                moment.latest(unknown) < before for moment in moments
            ):
                for told in (self.explicit, self.pins, self.releases, self.positions):
                    told.pop(container_id, None)

    def moments(self) -> Iterator[Moment]:
        """All that is held, as far as a writer's clock dates it."""
        for response in self.responses.values():
            yield from response.moments
        for told in (self.explicit, self.releases, self.requested):
            yield from chain.from_iterable(told.values())
        for pins in self.pins.values():
            yield from (pin.at for pin in pins)
        yield from self.known.values()
        yield from self.undecodable.values()
        yield from self.lineages.all_ends()

    def held_positions(self) -> Iterator[int]:
        """Where in the log stands what is still held."""
        for response in self.responses.values():
            yield from response.positions
        for positions in self.positions.values():
            yield from positions

    def _past(self, response: Response, before: float, unknown: float) -> bool:
        """True when the response is over and everything about it lies before the moment.

        Of one that the daemon has read, the application's own call, in the same lineage, tells.
        """
        if response.superseded:
            return True
        if not response.ended or response.finished is None:
            return False
        named = (self.known[each] for each in response.response_ids if each in self.known)
        told = (response.finished, *named)
        latest = max(at.latest(unknown) for at in told)
        return max(latest, response.begun_latest(unknown)) < before

    def _unmention(self, response: Response) -> None:
        for container_id in response.mentioned:
            calls = self.mentions.get(container_id)
            if calls is not None:
                calls.discard(response.call_id)
                if not calls:
                    del self.mentions[container_id]
