"""Every fault that a world can have, by name.

`inside` faults stay within what the daemon's proof stands on (docs/architecture.md): under them
no harm may be done. The others break one of these assumptions, so that harm can be measured.
A fault is switched on by its name in a shape; where it strikes asks `Dice.strikes`.
"""

from collections import Counter
from dataclasses import dataclass
from math import inf
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of trouble: where it strikes, how often, and what it is.

    `share` is the probability each time that it could strike.
    """

    name: str
    where: str
    share: float
    what: str
    inside: bool = True


_ALL = (
    # The API's listing.
    Fault("lag", "listing", 0.5, "a new container shows up to 30 s late"),
    Fault("lost_rows", "listing", 0.01, "rows are missing from a page"),
    Fault("repeated_rows", "listing", 0.01, "a row shows twice in a page"),
    Fault("shuffled_rows", "listing", 0.01, "the rows of a page are out of order"),
    Fault("cut_page", "listing", 0.01, "a page's JSON breaks off"),
    Fault("malformed_row", "listing", 0.01, "a row lacks a field, or has one of a wrong type"),
    Fault("early_end", "listing", 0.01, "has_more says no where more follows"),
    Fault("no_end", "listing", 0.01, "has_more is null, missing, or promises more for ever"),
    Fault("ignored_cursor", "listing", 0.01, "the cursor is ignored: the first page comes again"),
    Fault("empty_page", "listing", 0.01, "a page comes without rows"),
    Fault("unknown_status", "row", 0.02, "a row's status is one that nobody knows"),
    Fault("null_activity", "row", 0.02, "a row says nothing of its last activity"),
    Fault("missing_tier", "row", 0.05, "a row says nothing of its tier"),
    Fault("tombstones", "delete", 0.5, "a deleted container stays listed for minutes"),
    # Any call of the API.
    Fault("html", "call", 0.01, "a page of HTML comes in place of JSON"),
    Fault("server_error", "call", 0.02, "a 5xx"),
    Fault("storm", "weather", 0.003, "429 with Retry-After for a while"),
    Fault("outage", "weather", 0.002, "no call is answered for a while"),
    Fault("slow", "call", 0.02, "an answer takes seconds"),
    Fault("lost_call", "call", 0.01, "the request never arrives; no answer"),
    Fault("lost_answer", "call", 0.01, "the request has its effect; no answer"),
    Fault("wrong_date", "call", 0.005, "one answer's Date is off by minutes"),
    Fault("no_date", "call", 0.02, "an answer bears no Date"),
    Fault("refused_delete", "delete", 0.03, "a delete is answered with deleted: false"),
    Fault("failed_delete", "delete", 0.03, "a delete has its effect and is answered by a 500"),
    # Makers and what they log.
    Fault("lost_responses", "maker", 0.04, "an application never learns how a response ended"),
    Fault("clocks", "maker", 1.0, "writers' clocks are off by up to 29 s, and they say so"),
    Fault("deaths", "maker", 0.5, "a writer is killed; it is taken over, retired or left silent"),
    Fault("lazy", "maker", 1.0, "containers are made only when the tool is used"),
    Fault("explicit", "maker", 0.1, "an application makes a container itself"),
    Fault("pins", "maker", 0.3, "an application pins a container"),
    Fault("unknown_tiers", "maker", 0.1, "a request does not tell its tier"),
    Fault("many_tools", "maker", 0.2, "a request has two tools that can make containers"),
    # The log.
    Fault("late_lines", "line", 0.3, "a line comes late, out of order"),
    Fault("missing_lines", "line", 0.01, "a line is missing for minutes; the gap shows"),
    Fault("doubled_lines", "line", 0.05, "a line comes twice"),
    Fault("corrupt_lines", "line", 0.004, "a line comes garbled, and intact later"),
    Fault("log_down", "weather", 0.002, "the log can be neither read nor appended to"),
    Fault("log_unreadable", "read", 0.02, "one reading of the log fails"),
    # The daemon's own machine.
    Fault("crash_at_step", "life", 0.006, "the daemon is killed at a call to store, log or API"),
    Fault("crash_at_time", "life", 0.004, "the daemon is killed at any moment"),
    Fault("stop", "life", 0.002, "the daemon is stopped in order and started again"),
    Fault("second_daemon", "life", 0.05, "a second daemon tries to start, and takes over"),
    Fault("wall_step", "life", 0.004, "the daemon's wall clock is set"),
    Fault("freeze", "life", 0.003, "the daemon's process stands still for a while"),
    Fault("store_locked", "store", 0.003, "the database is locked"),
    Fault("disk_full", "store", 0.003, "the disk is full"),
    Fault("store_restored", "life", 0.0006, "an older copy of the store is put back"),
    Fault("log_restored", "life", 0.0006, "an older copy of the log is put back"),
    # What the proof stands on does not hold.
    Fault("strangers", "outside", 0.1, "unlogged containers, used within minutes", inside=False),
    Fault("late_strangers", "outside", 0.05, "unlogged containers, used much later", inside=False),
    Fault("late_births", "outside", 0.5, "births come after the window", inside=False),
    Fault("lost_starts", "outside", 0.1, "nothing of a call is ever logged", inside=False),
    Fault("twins", "outside", 0.1, "a slot makes a second container", inside=False),
    Fault("returns", "outside", 0.5, "a user comes back soon after an end", inside=False),
    Fault("late_returns", "outside", 0.2, "a user comes back long after an end", inside=False),
    Fault("observer_effect", "outside", 1.0, "listing refreshes activity", inside=False),
    Fault("second_reaper", "outside", 0.2, "somebody else deletes, too", inside=False),
)

FAULTS = {fault.name: fault for fault in _ALL}


class Dice:
    """One stream of chance for each part of a world, so that a change to one leaves the rest.

    `fury` multiplies how often everything strikes. `struck` counts what did happen.
    Nothing strikes while it is `calm`, and what lasts ends at `calm_from`, seconds after the
    world's beginning.
    """

    def __init__(self, seed: int, on: frozenset[str], fury: float = 1.0) -> None:
        self._seed = seed
        self._fury = fury
        self._on = on
        self._streams: dict[str, Random] = {}
        self.struck: Counter[str] = Counter()
        self.on_strike: Callable[[str], object] = lambda _name: None
        self.calm = False
        self.calm_from = inf

    def of(self, part: str) -> Random:
        """The stream of one part."""
        stream = self._streams.get(part)
        if stream is None:
            stream = self._streams[part] = Random(f"{part}/{self._seed}")
        return stream

    def on(self, name: str) -> bool:
        """True when the fault may strike in this world."""
        return name in self._on

    def strikes(self, name: str, times: float = 1.0) -> bool:
        """Decide whether a fault strikes here and now, and count it.

        Args:
            name: which.
            times: how many chances are taken at once.
        """
        if self.calm or name not in self._on:
            return False
        share = FAULTS[name].share
        chance = max(share, min(0.5, share * self._fury)) * times
        struck = self.of(name).random() < chance
        if struck:
            self.struck[name] += 1
            self.on_strike(name)
        return struck

    def note(self, name: str) -> None:
        """Count one strike that was decided elsewhere."""
        self.struck[name] += 1
