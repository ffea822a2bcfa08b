"""The harbour's core: responses make, reuse, use and lose containers. No IO, no waiting."""

from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

from demurrage.simulator.agenda import Agenda
from demurrage.simulator.ask import Ask, Mention, mentions, without_prose
from demurrage.simulator.berths import Berth, Berths
from demurrage.simulator.cargo import answer, call, function_call
from demurrage.simulator.clock import HarbourClock
from demurrage.simulator.conversations import Conversations
from demurrage.simulator.functions import OpenCalls, called, left_open, refuse_open, runs_code
from demurrage.simulator.ids import Ids
from demurrage.simulator.quay import Quay
from demurrage.simulator.refusal import Refusal, container_not_found
from demurrage.simulator.settings import HarbourSettings
from demurrage.simulator.voyage import Voyage


class Port:
    """A state machine over time.

    `begin` lays down when things will happen; `advance` makes happen what is due. Whoever
    reads anything advances first, so the state depends on the clock alone.
    """

    def __init__(self, settings: HarbourSettings, clock: HarbourClock, seed: int = 0) -> None:
        self.clock = clock
        self.rng = Random(seed)  # noqa: S311 - a simulation repeats itself from its seed
        self.ids = Ids(self.rng)
        self.berths = Berths()
        self.quay = Quay(self.berths, clock, self.ids, self.rng, settings)
        self.conversations = Conversations(self.ids)
        self.agenda = Agenda()
        self._voyages: dict[str, Voyage] = {}
        self._running: dict[str, Voyage] = {}

    @property
    def settings(self) -> HarbourSettings:
        """The knobs as they stand."""
        return self.quay.settings

    def turn(self, settings: HarbourSettings) -> None:
        """Turn the knobs; what is under way keeps the times it was given."""
        self.quay.settings = settings
        self.clock.offset = settings.clock_offset

    def advance(self) -> float:
        """Make happen what is due; returns the inner time."""
        now = self.clock.now()
        self.agenda.advance(now)
        return now

    # responses

    def begin(self, ask: Ask) -> Voyage:
        """Take a request in.

        Raises:
            Refusal: its context or its containers are not there.
        """
        now = self.advance()
        ask = self._answered(ask)
        context = self._context(ask)
        needed = self._needed(ask, context, now)
        settings, rng, scale = self.settings, self.rng, self.settings.scale
        queue = rng.uniform(*settings.queue_delay) / scale if ask.background else 0.0
        nominal = ask.seconds if ask.seconds is not None else rng.uniform(*settings.default_seconds)
        runs_at, length = now + queue, nominal / scale
        voyage = Voyage(
            id=self.ids.of("resp"),
            ask=ask,
            created_at=self.clock.shown(now),
            started=now,
            runs_at=runs_at,
            first_output_at=runs_at + length / 2,
            ends_at=runs_at + length,
            context=context,
            calls=called(ask.functions, ask.call, wants_code=ask.use_tool and not ask.berthings),
            status="queued" if ask.background else "in_progress",
        )
        for place, berth in needed.items():
            voyage.holds[place] = berth.id
            self.quay.touch(berth, now)
        self._schedule(voyage)
        self._voyages[voyage.id] = self._running[voyage.id] = voyage
        self.agenda.advance(now)
        return voyage

    def voyage(self, response_id: str) -> Voyage:
        """A stored response.

        Raises:
            Refusal: 404, unknown or not stored.
        """
        self.advance()
        voyage = self._voyages.get(response_id)
        if voyage is None or not voyage.ask.store:
            raise Refusal(404, f"Response with id '{response_id}' not found.")
        return voyage

    def cancel(self, response_id: str) -> Voyage:
        """Cancel a background response; one that has ended stays as it is.

        Raises:
            Refusal: 404, or 400 for a response that is not in the background.
        """
        voyage = self.voyage(response_id)
        if not voyage.ask.background:
            raise Refusal(400, "Only background responses can be cancelled.")
        if not voyage.ended:
            self._end(voyage, self.clock.now(), "cancelled")
        return voyage

    def drop(self, response_id: str) -> None:
        """Forget a stored response."""
        self.voyage(response_id)
        del self._voyages[response_id]

    # containers

    def delete_container(self, container_id: str) -> None:
        """A client's DELETE; harm is done where a running response goes on to use it.

        Raises:
            Refusal: 404, unknown or deleted already.
        """
        now = self.advance()
        berth = self.berths.found(container_id)
        alive = berth.gone(now) is None
        self.quay.delete(berth, now)
        for voyage in self._running.values():
            slot = voyage.used_berthing
            if alive and slot is not None and voyage.holds.get(slot.place) == container_id:
                self.quay.harm(berth, now, voyage.id, "in_flight")

    def maker_runs(self, berth: Berth) -> bool:
        """True while the response that made the container has not ended."""
        return berth.maker in self._running

    # how a request finds its containers

    def _context(self, ask: Ask) -> tuple[Mention, ...]:
        carried: tuple[Mention, ...] = ()
        if ask.previous_response_id is not None:
            previous = self._previous(ask.previous_response_id)
            carried = previous.context + tuple(mentions(previous.items))
        elif ask.conversation is not None:
            carried = tuple(mentions(self.conversations.found(ask.conversation).items))
        return carried + ask.mentions

    def _previous(self, response_id: str) -> Voyage:
        previous = self._voyages.get(response_id)
        if previous is None or not previous.ask.store:
            raise Refusal(
                400,
                f"Previous response with id '{response_id}' not found.",
                code="previous_response_not_found",
                param="previous_response_id",
            )
        return previous

    def _answered(self, ask: Ask) -> Ask:
        """The request; once its stored call for code is answered, the model goes on to run it."""
        before: OpenCalls = {}
        if ask.previous_response_id is not None:
            # What a stored response itself left open is all that can be: requests with more
            # are refused.
            before = left_open({}, self._previous(ask.previous_response_id).items)
        elif ask.conversation is not None:
            before = left_open({}, self.conversations.found(ask.conversation).items)
        refuse_open(left_open(before, ask.items))
        answers = {item.get("call_id") for item in ask.items}
        goes_on = any(runs_code(name) for call, name in before.items() if call in answers)
        return replace(ask, use_tool=ask.use_tool or goes_on)

    def _needed(self, ask: Ask, context: tuple[Mention, ...], now: float) -> dict[int, Berth]:
        latest = dict(context)
        needed: dict[int, Berth] = {}
        for slot in ask.berthings:
            wanted = slot.container or latest.get(slot.tool)
            if wanted is None:
                continue
            berth = self.berths.known(wanted)
            if berth is None:
                raise container_not_found(wanted)
            self.quay.refuse_gone(berth, now)
            needed[slot.place] = berth
        return needed

    # what happens on the way

    def _schedule(self, voyage: Voyage) -> None:
        settings, scale = self.settings, self.settings.scale
        used = voyage.used_berthing
        delays = settings.late_birth_delay if settings.late_birth else settings.birth_delay
        for slot in voyage.ask.berthings:
            if slot.place in voyage.holds or (settings.lazy(slot.tool) and slot is not used):
                continue
            born = voyage.runs_at + self.rng.uniform(*delays) / scale
            voyage.born_at[slot.place] = born
            if slot is used or not settings.late_birth:
                voyage.first_output_at = max(voyage.first_output_at, born + 0.1 / scale)
        voyage.ends_at = max(voyage.ends_at, voyage.first_output_at + 0.5 / scale)
        self.agenda.at(voyage.runs_at, partial(self._run, voyage))
        for place, born in voyage.born_at.items():
            self.agenda.at(born, partial(self._birth, voyage, place))
        self.agenda.at(voyage.first_output_at, partial(self._output, voyage))
        self.agenda.at(voyage.ends_at, partial(self._finish, voyage))

    def _run(self, voyage: Voyage, _at: float) -> None:
        if not voyage.ended:
            voyage.status = "in_progress"
            for slot in voyage.ask.berthings:
                if slot.place in voyage.holds and slot.tool == "shell":
                    self._name(voyage, voyage.holds[slot.place])

    def _birth(self, voyage: Voyage, place: int, at: float) -> None:
        if voyage.status == "cancelled":
            return
        slot = next(slot for slot in voyage.ask.berthings if slot.place == place)
        for twin in range(2 if self.settings.slots_make_two else 1):
            berth = self.quay.moor(slot, voyage, at)
            voyage.made.append(berth.id)
            if twin == 0:
                voyage.holds[place] = berth.id
                if slot.tool == "shell":
                    self._name(voyage, berth.id)

    def _output(self, voyage: Voyage, at: float) -> None:
        if voyage.ended:
            return
        slot = voyage.used_berthing
        container_id = None
        if slot is not None:
            container_id = voyage.holds[slot.place]
            berth = self.berths.found_or_gone(container_id)
            ended = berth.gone(at)
            if ended is not None and self.settings.lost_container != "unharmed":
                voyage.error = {"code": "server_error", "message": "Container is expired."}
                self._end(voyage, at, "failed")
                return
            self.quay.touch(berth, at)
            berth.used_by.append(voyage.id)
            self._name(voyage, container_id)
            voyage.drafts += call(self.ids, slot, container_id)
        if voyage.calls:
            voyage.drafts += [answer(self.ids, None, cite=False)] * voyage.ask.preamble
            voyage.drafts += [function_call(self.ids, name) for name in voyage.calls]
            return
        voyage.drafts.append(answer(self.ids, container_id, cite=voyage.ask.cite))

    def _finish(self, voyage: Voyage, at: float) -> None:
        if voyage.ended:
            return
        slot = voyage.used_berthing
        if slot is not None:
            berth = self.berths.found_or_gone(voyage.holds[slot.place])
            if berth.gone(at) is None:
                self.quay.touch(berth, at)
        voyage.items = voyage.drafts
        self._end(voyage, at, "completed")

    def _end(self, voyage: Voyage, at: float, status: str) -> None:
        voyage.status = status
        voyage.completed_at = self.clock.shown(at)
        self._running.pop(voyage.id, None)
        if status == "completed" and voyage.ask.conversation is not None:
            kept: list[dict[str, Any]] = [*voyage.ask.items, *map(without_prose, voyage.items)]
            self.conversations.extend(voyage.ask.conversation, kept)
        if not voyage.ask.store:
            self._voyages.pop(voyage.id, None)

    def _name(self, voyage: Voyage, container_id: str) -> None:
        berth = self.berths.found_or_gone(container_id)
        if voyage.id not in berth.named_by:
            berth.named_by.append(voyage.id)
