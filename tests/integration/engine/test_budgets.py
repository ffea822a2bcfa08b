"""Under a tight budget the dearest waste goes first, and on fresh evidence only."""

import asyncio
from dataclasses import replace

from tests.integration.engine.conftest import AT_ONCE, Bench

from demurrage.simulator.ask import TIERS

EACH = 4


async def test_the_dearest_go_first_and_never_on_stale_evidence(bench: Bench) -> None:
    """64g before 16g before 4g before 1g; each row was listed within three intervals before."""
    interval = 0.5
    bench.rules = replace(
        AT_ONCE,
        billing=replace(AT_ONCE.billing, minimum=60.0, idle_expiry=120.0),
        watch=replace(AT_ONCE.watch, interval=interval),
    )
    bench.admin.settings(delete_lag=[0.0, 0.0], idle_expiry=12_000.0)
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        await asyncio.gather(*(app.leak(EACH, tier=tier) for tier in TIERS))
    async with bench.engine(calls_per_minute=300) as running:
        # A log that is watched anew proves all of them in the same look, however late that is.
        await running.turn_until(lambda: bench.totals()["deleted"] == EACH * len(TIERS), 60.0)
        meant = sorted(running.store.deletions("default"), key=lambda each: each.id)
    tiers = [each.tier for each in meant]
    assert tiers == sorted(tiers, key=TIERS.index, reverse=True)
    calls = bench.admin.calls()["calls"]
    deleted = [each for each in calls if each["method"] == "DELETE"]
    listed = [each["at"] for each in calls if each["method"] == "GET" and not each["about"]]
    for each in deleted:
        freshest = max(at for at in listed if at < each["at"])
        assert each["at"] - freshest <= 3 * interval + 0.1
