"""Reads the responses of which applications or webhooks gave only the id."""

import asyncio
from collections.abc import Callable

from demurrage.engine.evidence import Evidence
from demurrage.engine.hooks import Hooks
from demurrage.engine.log_ports import EventAppender
from demurrage.engine.look import Target
from demurrage.engine.readings import events_of
from demurrage.engine.unread import Unread, unretrievable_condition
from demurrage.model.condition import Condition, ConditionKind
from demurrage.model.error import MalformedEventError
from demurrage.model.listing import Failure
from demurrage.model.resolution import Resolution, ResolveOutcome, ResponseReading

# These say something about the target, not about one response.
_OF_THE_TARGET = frozenset(
    {
        ConditionKind.CLOCK_JUMP,
        ConditionKind.CLOCK_UNKNOWN,
        ConditionKind.MISSING_SCOPE,
        ConditionKind.OVERLOADED,
        ConditionKind.RATE_LIMITED,
        ConditionKind.SPEND_LIMIT,
        ConditionKind.TIMEOUT,
        ConditionKind.UNAUTHORIZED,
        ConditionKind.UNREACHABLE,
    }
)


class Resolving:
    """The reader of one target's known responses. Not to be run twice at a time.

    What it has read is in the log before anything is judged by it. What it keeps in memory only
    says when to try again; a restart tries everything that is still unsettled at once.

    Args:
        target: whose responses.
        log: where what was read goes.
        hooks: who is told.
    """

    def __init__(self, target: Target, log: EventAppender, hooks: Hooks) -> None:
        self._target = target
        self._log = log
        self._hooks = hooks
        self._unread = Unread(target.rules.watch.interval)
        self._told: dict[str, tuple[str, frozenset[str]]] = {}
        self._unretrievable: tuple[str, ...] = ()

    @property
    def unretrievable(self) -> tuple[str, ...]:
        """The ids that cannot be had, as of the last round."""
        return self._unretrievable

    def conditions(self) -> tuple[Condition, ...]:
        """What a person should know."""
        if not self._unretrievable:
            return ()
        return (unretrievable_condition(self._target.name, self._unretrievable),)

    async def work(self, evidence: Evidence, stopped: Callable[[], bool]) -> bool:
        """Try the responses that are due, each once, for as long as an interval lasts.

        Args:
            evidence: the folded log.
            stopped: asked before each; True when the daemon is to end.

        Returns:
            True when one could be read, so that the log may tell more of it.

        Raises:
            LogUnreadableError: what was read could not be written down; it is read again.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + self._target.rules.watch.interval
        begun = await self._wanted(evidence)
        read = False
        for response_id in self._unread.due(begun, loop.time()):
            if stopped() or loop.time() >= until:
                break  # those that were tried least come first next time
            resolution = await self._target.api.resolve(response_id, items=not begun[response_id])
            if resolution.reading is not None:
                resolution = await self._write_down(
                    resolution, resolution.reading, begun=begun[response_id]
                )
            read = read or resolution.reading is not None
            self._unread.note(resolution, loop.time())
            self._hooks.looked_up(self._target.name, resolution)
            if resolution.failure is not None and resolution.failure.kind in _OF_THE_TARGET:
                break  # the others would fare no better now
        self._told = {each: told for each, told in self._told.items() if each in begun}
        self._unretrievable = self._unread.unretrievable(loop.time())
        self._hooks.unretrievable(self._target.name, len(self._unretrievable))
        return read

    async def _wanted(self, evidence: Evidence) -> dict[str, bool]:
        """The ids to read, with whether the start of each is in the log.

        One that its application has logged is left to the application, unless that stays silent.
        """
        rules, now = self._target.rules.evidence, self._target.api.clock.now()
        async with evidence.lock:
            book = evidence.ledger.book(self._target.name)
            return {
                response_id: book.begun(response_id)
                for response_id, heard in book.unsettled()
                if not book.logged(response_id)
                or heard.latest(rules.max_event_delay) + rules.writer_timeout < now
            }

    async def _write_down(
        self, resolution: Resolution, reading: ResponseReading, *, begun: bool
    ) -> Resolution:
        """Append what is new about a response; a failure where the log cannot take it."""
        response_id = resolution.response_id
        news = (reading.status, reading.named)
        if begun and reading.status != "queued" and self._told.get(response_id) == news:
            return resolution
        events = events_of(self._target.name, reading, begun=begun)
        try:
            await asyncio.to_thread(
                self._log.append, events, appended_at=self._target.api.clock.now()
            )
        except MalformedEventError as error:
            # Its path names a field of ours, and its reason quotes nothing.
            failure = Failure(ConditionKind.UNEXPECTED_ANSWER, f"no event can hold it: {error}")
            return Resolution(response_id, ResolveOutcome.FAILED, failure=failure)
        self._told[response_id] = news
        return resolution
