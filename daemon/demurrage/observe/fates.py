"""What became of containers, as counters tell it: each counts once, and money at its end.

Only what was born in this process's life is followed, so that a restart counts nothing twice; the
store's totals, which `status` shows, are exact.
"""

from collections.abc import Iterable, Mapping
from math import inf
from types import MappingProxyType

from demurrage.decide import billing
from demurrage.model.container import Container, Sighting
from demurrage.model.deletion import Deletion
from demurrage.model.record import Conclusion, Ruling
from demurrage.model.rules import BillingRules
from demurrage.model.verdict import Code, Verdict, VerdictKind
from demurrage.observe.metrics import Metrics

Prices = Mapping[str, BillingRules]
SHIPPED: Prices = MappingProxyType({})
# What tells one orphan's proof from another's; the other reasons all orphans have.
_PROOFS = (Code.CANDIDATES_DONE, Code.MAKERS_DEDUCED)


class Fates:
    """Follows the containers of all targets from birth to their first standing, and orphans on.

    Args:
        metrics: what is counted.
        prices: by target, how it is billed; a target left out has the shipped rules.
    """

    def __init__(self, metrics: Metrics, prices: Prices) -> None:
        self._metrics = metrics
        self._prices = prices
        self._unsettled: dict[str, dict[str, Container]] = {}
        self._orphans: dict[str, dict[str, Container]] = {}
        self._looked_at: dict[str, float] = {}

    def born(self, target: str, sightings: Iterable[Sighting]) -> None:
        """Containers were listed for the first time; those that are gone by then tell nothing."""
        unsettled = self._unsettled.setdefault(target, {})
        unsettled |= {each.id: each.container for each in sightings if each.alive}

    def ruled(self, target: str, rulings: Iterable[Ruling]) -> None:
        """Verdicts changed."""
        unsettled = self._unsettled.setdefault(target, {})
        orphans = self._orphans.setdefault(target, {})
        for ruling in rulings:
            verdict, container = ruling.verdict, ruling.container
            kind = verdict.shadow or verdict.kind
            if kind is VerdictKind.ORPHAN:
                orphans[container.id] = container
            else:
                orphans.pop(container.id, None)
            if kind is VerdictKind.PENDING or unsettled.pop(container.id, None) is None:
                continue
            self._metrics.settled(target, kind)
            if kind is VerdictKind.ORPHAN:
                self._metrics.orphan(target, _reason(verdict))

    def concluded(self, target: str, pairs: Iterable[tuple[Deletion, Conclusion]]) -> None:
        """Deletes ended: what an orphan has cost until then is certain."""
        orphans = self._orphans.setdefault(target, {})
        for deletion, conclusion in pairs:
            if conclusion.outcome.done and deletion.verdict == VerdictKind.ORPHAN:
                known = orphans.pop(deletion.container_id, None)
                container = known or Container(
                    deletion.container_id, deletion.created_at, "", tier=deletion.tier
                )
                self._spent(target, container, conclusion.finished_at)

    def passed(self, target: str, now: float) -> None:
        """Time went by: orphans that nobody deleted have expired, and cost all that they could.

        What was never judged by the time that it expired is followed no longer. A look at all of
        them once a tick is often enough: money has no finer grain.
        """
        rules = self._rules(target)
        if abs(now - self._looked_at.get(target, -inf)) < rules.tick:
            return
        self._looked_at[target] = now
        orphans = self._orphans.setdefault(target, {})
        for container in _expired(orphans, now, rules):
            self._spent(target, container, billing.expires_at(container, rules))
        # Twice the expiry, for a judgement can come late.
        _expired(self._unsettled.setdefault(target, {}), now - rules.idle_expiry, rules)

    def _spent(self, target: str, container: Container, until: float) -> None:
        usd = billing.billed_usd(container, until, self._rules(target))
        self._metrics.money(target, wasted=usd)

    def _rules(self, target: str) -> BillingRules:
        return self._prices.get(target) or BillingRules()


def _expired(living: dict[str, Container], now: float, rules: BillingRules) -> list[Container]:
    """Take out what the provider has ended by now."""
    over = [each for each in living.values() if billing.expires_at(each, rules) <= now]
    for each in over:
        del living[each.id]
    return over


def _reason(verdict: Verdict) -> Code:
    """How an orphan is known to be one; under partial coverage, what keeps it from being proven."""
    return next((code for code in verdict.codes if code in _PROOFS), verdict.codes[0])
