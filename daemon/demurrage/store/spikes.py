"""What the watch over orphans remembers, through restarts."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, select

from demurrage.model.condition import ConditionKind
from demurrage.model.spike import (
    Alarm,
    Rate,
    Scope,
    Settlement,
    SpikeMemory,
    SpikeNews,
    Tally,
    Traits,
    Usual,
)
from demurrage.store.database import Repository, slices
from demurrage.store.dialect import upsert
from demurrage.store.tables import settled_births, spike_bins, spike_scopes


class Spikes(Repository):
    """Births, the older past of each scope in bins, and the scopes themselves."""

    def spike_memory(
        self, target: str, *, born_after: float, grain: float, width: float
    ) -> SpikeMemory:
        """What is kept; no scopes where it was kept in other grains or widths of bins (s)."""
        with self._database.read() as connection:
            scopes = {
                row["scope"]: row["state"]
                for row in connection.execute(
                    select(spike_scopes).where(
                        spike_scopes.c.target == target,
                        spike_scopes.c.grain == grain,
                        spike_scopes.c.bin == width,
                    )
                ).mappings()
            }
            bins: dict[str, dict[int, Tally]] = {}
            rows = connection.execute(select(spike_bins).where(spike_bins.c.target == target))
            for row in rows.mappings():
                tally = Tally(row["settled"], row["orphans"])
                bins.setdefault(row["scope"], {})[row["bin"]] = tally
            births = connection.execute(
                select(settled_births)
                .where(settled_births.c.target == target, settled_births.c.born_at >= born_after)
                .order_by(settled_births.c.born_at, settled_births.c.container_id)
            ).mappings()
            return SpikeMemory(
                {name: _scope(state, bins.get(name, {})) for name, state in scopes.items()},
                tuple(map(_birth, births)),
            )

    def save_spikes(self, target: str, news: SpikeNews, *, grain: float, width: float) -> None:
        """Keep what has changed; a birth that is kept already stays as it is."""
        with self._database.write() as connection:
            if _otherwise(connection, target, grain, width):
                for table in (spike_bins, spike_scopes):
                    connection.execute(delete(table).where(table.c.target == target))
            upsert(
                connection,
                settled_births,
                [_row(target, each) for each in news.births],
                replace=("born_at",),
            )
            upsert(
                connection,
                spike_scopes,
                [
                    {
                        "target": target,
                        "scope": name,
                        "grain": grain,
                        "bin": width,
                        "state": _state(scope),
                    }
                    for name, scope in news.scopes.items()
                ],
                replace=("grain", "bin", "state"),
            )
            upsert(
                connection,
                spike_bins,
                [
                    {
                        "target": target,
                        "scope": name,
                        "bin": number,
                        "settled": tally.settled,
                        "orphans": dict(tally.orphans),
                    }
                    for name, bins in news.bins.items()
                    for number, tally in bins.items()
                ],
                replace=("settled", "orphans"),
            )
            _forget(connection, target, news)


def _otherwise(connection: Connection, target: str, grain: float, width: float) -> bool:
    """True when what is kept has other grains, so that its numbers mean other times."""
    query = select(spike_scopes.c.scope).where(
        spike_scopes.c.target == target,
        (spike_scopes.c.grain != grain) | (spike_scopes.c.bin != width),
    )
    return connection.execute(query.limit(1)).first() is not None


def _forget(connection: Connection, target: str, news: SpikeNews) -> None:
    if news.births:
        connection.execute(
            delete(settled_births).where(
                settled_births.c.target == target, settled_births.c.born_at < news.births_after
            )
        )
    if news.bins:
        connection.execute(
            delete(spike_bins).where(
                spike_bins.c.target == target, spike_bins.c.bin < news.bins_from
            )
        )
    for some in slices(sorted(news.gone)):
        for table in (spike_bins, spike_scopes):
            connection.execute(
                delete(table).where(table.c.target == target, table.c.scope.in_(some))
            )


def _row(target: str, birth: Settlement) -> dict[str, Any]:
    return {**asdict(birth), "target": target}


def _birth(row: RowMapping) -> Settlement:
    traits = row["traits"]
    labels = tuple((key, value) for key, value in traits["labels"])
    return Settlement(
        row["container_id"],
        row["born_at"],
        row["tier"],
        row["orphan"],
        Traits(traits["writer"], traits["model"], traits["context"], labels),
    )


def _state(scope: Scope) -> dict[str, Any]:
    """All of a scope but its grains and bins."""
    usual = scope.usual
    return {
        "since": scope.since,
        "until": scope.until,
        "binned": scope.binned,
        "skips": [list(each) for each in scope.skips],
        "fast": scope.fast,
        "slow": scope.slow,
        "rates": dict(scope.rates),
        "alarms": {kind.value: asdict(each) for kind, each in scope.alarms.items()},
        "usual": None if usual is None else _usual_state(usual),
        "usual_at": scope.usual_at,
    }


def _usual_state(usual: Usual) -> dict[str, Any]:
    return {
        "share": usual.share,
        "dispersion": usual.dispersion,
        "rates": {tier: [each.per_hour, each.dispersion] for tier, each in usual.rates.items()},
        "settled": usual.past.settled,
        "orphans": dict(usual.past.orphans),
        "hours": usual.hours,
    }


def _scope(state: Mapping[str, Any], bins: Mapping[int, Tally]) -> Scope:
    usual = state["usual"]
    return Scope(
        since=state["since"],
        until=state["until"],
        bins=bins,
        binned=state["binned"],
        skips=tuple((since, to) for since, to in state["skips"]),
        fast=state["fast"],
        slow=state["slow"],
        rates=state["rates"],
        alarms={ConditionKind(kind): Alarm(**each) for kind, each in state["alarms"].items()},
        usual=None if usual is None else _usual(usual),
        usual_at=state["usual_at"],
    )


def _usual(state: Mapping[str, Any]) -> Usual:
    return Usual(
        share=state["share"],
        dispersion=state["dispersion"],
        rates={tier: Rate(*each) for tier, each in state["rates"].items()},
        past=Tally(state["settled"], state["orphans"]),
        hours=state["hours"],
    )
