"""Brings one sink what it is owed, from a thread of its own: whatever the sink does, nobody waits.

The store knows what each sink was told, so a change is told once, through restarts too. Where the
store fails, which people should hear of most of all, memory stands in for it.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

import structlog

from demurrage.alerts.notice import Scribe
from demurrage.alerts.sink import Sink, SinkFailedError
from demurrage.model.condition import ConditionKind, Severity
from demurrage.model.error import DemurrageError
from demurrage.model.incident import Delivery, Incident

# Seconds between two looks where nothing wakes the courier: silences end, failures are due again.
PACE = 5.0
# Seconds after the first failure; doubled with each further one, up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
# A single failure is no news, for the next attempt follows at once.
_TROUBLE = 2
# Seconds after which a sink that does not answer is said to hang.
HANGS = 30.0
_STANDSTILL = "it does not answer, and does not break off either"

Told = Callable[[str, str], None]
Identity = tuple[str, ConditionKind, str, float]


class Accounts(Protocol):
    """What the store keeps about sinks."""

    def undelivered(self, sink: str, now: float) -> tuple[Incident, ...]:
        """What a sink is to be told now, the oldest change first."""
        ...

    def told(self, sink: str) -> tuple[Incident, ...]:
        """What is open and was told to a sink."""
        ...

    def deliveries(self, incident_id: int) -> tuple[Delivery, ...]:
        """What every sink has been told of one incident."""
        ...

    def note_delivered(self, sink: str, incident_id: int, revision: int, at: float) -> None:
        """A sink was told a revision."""
        ...

    def note_undelivered(
        self, sink: str, incident_id: int, revision: int, at: float, error: str
    ) -> None:
        """A sink could not be told a revision."""
        ...


class Courier:
    """One sink's thread.

    Args:
        name: the sink's, from the settings.
        sink: who is told.
        severities: what it is told of; all else is not its business.
        accounts: what it was told.
        scribe: puts incidents into words.
        on_told: is given the name and how it went, delivered or failed.
        clock: epoch seconds.
    """

    def __init__(
        self,
        name: str,
        sink: Sink,
        *,
        severities: AbstractSet[Severity],
        accounts: Accounts,
        scribe: Scribe,
        on_told: Told,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self._sink = sink
        self._severities = severities
        self._accounts = accounts
        self._scribe = scribe
        self._on_told = on_told
        self._clock = clock
        self._log = structlog.get_logger("demurrage")
        self._awake = threading.Event()
        self._stopped = threading.Event()
        # A daemon's thread in both senses: one that hangs in a sink must not keep the process.
        self._thread = threading.Thread(target=self._work, name=f"sink {name}", daemon=True)
        # Told, and not yet written down.
        self._unnoted: dict[Identity, int] = {}
        self._unkept: tuple[Incident, ...] = ()
        self._standing: list[Incident] = []
        self._reminded_at = -float("inf")
        self._failures = 0
        self._reason = ""
        self._busy_since: float | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self, unkept: Sequence[Incident] = ()) -> None:
        """There may be something to tell; returns at once.

        Args:
            unkept: open incidents that the store could not keep.
        """
        self._unkept = tuple(unkept)
        self._awake.set()

    def stop(self) -> None:
        """Begin nothing more; returns at once."""
        self._stopped.set()
        self._awake.set()

    def join(self, patience: float) -> None:
        """Wait for what is under way, but not for longer than `patience` seconds."""
        self._thread.join(patience)

    @property
    def trouble(self) -> str:
        """Why the sink cannot be told, empty while it can."""
        since = self._busy_since
        if since is not None and time.monotonic() - since > HANGS:
            return _STANDSTILL
        return self._sink.fault or (self._reason if self._failures >= _TROUBLE else "")

    def _work(self) -> None:
        while not self._stopped.is_set():
            self._awake.clear()
            try:
                self.round()
            except DemurrageError as error:
                # The cycles meet the same, and say so.
                self._log.debug("sink_waits", sink=self.name, reason=str(error))
            except Exception as error:  # noqa: BLE001 - no fault may end the thread unnoticed
                self._failed("its code failed; see the log")
                self._log.error("sink_broken", sink=self.name, exc_info=error)
            self._awake.wait(PACE)

    def round(self) -> None:
        """Tell what is due, and remind of what stands.

        Raises:
            StoreFailedError: the store could not be read or written.
        """
        try:
            owed = self._accounts.undelivered(self.name, self._clock())
            self._standing = self._stands()
        except DemurrageError:
            self._tell_all(self._due(self._unkept))
            self._remind()
            raise
        owed = (*owed, *(each for each in self._unkept if not each.id))
        if not any(map(self._concerns, owed)) and not self._standing:
            self._failures = 0
        self._tell_all(self._due(owed))
        self._remind()

    def _due(self, owed: Iterable[Incident]) -> list[Incident]:
        """What may be tried now, with what has failed least often first."""
        now = self._clock()
        found = []
        for incident in owed:
            if not self._concerns(incident):
                continue
            attempts, tried_at = self._tries(incident)
            pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 10), LONGEST_PAUSE)
            # A clock that was set back must not make it wait for longer.
            if not attempts or not tried_at <= now < tried_at + pause:
                found.append((attempts, incident))
        return [incident for _, incident in sorted(found, key=lambda each: each[0])]

    def _concerns(self, incident: Incident) -> bool:
        """Not its business: what is below its severities, and its own failures."""
        condition = incident.condition
        own = condition.kind is ConditionKind.SINK_FAILED and condition.scope == self.name
        return condition.severity in self._severities and not own

    def _tries(self, incident: Incident) -> tuple[int, float]:
        for each in self._accounts.deliveries(incident.id) if incident.id else ():
            if each.sink == self.name:
                return each.attempts, each.tried_at or 0.0
        return 0, 0.0

    def _tell_all(self, due: Iterable[Incident]) -> None:
        """Tell one after the other, until the sink fails: the others would only fail as well."""
        for incident in due:
            if self._stopped.is_set() or not self._tell(incident):
                return

    def _tell(self, incident: Incident) -> bool:
        if self._unnoted.get(_identity(incident), 0) < incident.revision:
            try:
                self._call(lambda: self._sink.tell(self._scribe.notice(incident)))
            except SinkFailedError as error:
                self._note_failure(incident, self._scribe.text(str(error)))
                return False
            self._failures = 0
            self._on_told(self.name, "delivered")
            self._unnoted[_identity(incident)] = incident.revision
        if incident.id and not self._stopped.is_set():
            now = self._clock()
            self._accounts.note_delivered(self.name, incident.id, incident.revision, now)
            self._unnoted.pop(_identity(incident), None)
        return True

    def _note_failure(self, incident: Incident, reason: str) -> None:
        self._failed(reason)
        if incident.id and not self._stopped.is_set():
            self._accounts.note_undelivered(
                self.name, incident.id, incident.revision, self._clock(), reason
            )

    def _failed(self, reason: str) -> None:
        self._failures += 1
        self._reason = reason
        self._on_told(self.name, "failed")
        self._log.warning("sink_failed", sink=self.name, failures=self._failures, reason=reason)

    def _stands(self) -> list[Incident]:
        """What a sink that forgets has to be reminded of."""
        if self._sink.remind_every is None:
            return []
        return [*filter(self._concerns, self._accounts.told(self.name))]

    def _remind(self) -> None:
        every = self._sink.remind_every
        if every is None or self._clock() - self._reminded_at < every or self._stopped.is_set():
            return
        standing = [*self._standing, *filter(self._was_told, self._unkept)]
        self._reminded_at = self._clock()
        if not standing:
            return
        try:
            self._call(lambda: self._sink.remind([*map(self._scribe.notice, standing)]))
        except SinkFailedError as error:
            self._failed(self._scribe.text(str(error)))
            # The next round, not the next reminder: what is not said again is taken for over.
            self._reminded_at = -float("inf")
        else:
            self._failures = 0

    def _was_told(self, incident: Incident) -> bool:
        return not incident.id and _identity(incident) in self._unnoted

    def _call(self, call: Callable[[], None]) -> None:
        self._busy_since = time.monotonic()
        try:
            call()
        finally:
            self._busy_since = None


def _identity(incident: Incident) -> Identity:
    """The same for an incident before and after the store has given it an id."""
    return (*incident.key, incident.opened_at)
