"""What must be true after any number of kills, read from store, log and the harbour's truth."""

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isclose
from typing import Any

from tests.integration.process.daemon import Daemon
from tests.proof.witness import Witness

from demurrage.eventlog.log import EventLog
from demurrage.model.deletion import DeleteOutcome
from demurrage.simulator.writer import Writer
from demurrage.store import SqlStore, open_store

TARGET = "default"
_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Audit:
    """`figures` say what was looked at; `faults` what should not be, empty if all is well."""

    figures: Mapping[str, int | float]
    faults: tuple[str, ...]


def audit(
    daemon: Daemon,
    truth: Mapping[str, Any],
    witness: Witness,
    writers: Sequence[Writer],
    acknowledged: Counter[tuple[str, int]],
) -> Audit:
    """Compare what is written with what happened. The daemon must have ended."""
    held = _held(daemon)
    gone = deleted(truth)
    with open_store(daemon.database_url) as store:
        faults = [
            *_of_events(daemon, held, writers, acknowledged),
            *_of_deletes(store, gone, truth, witness),
            *_of_totals(store, gone),
        ]
        intents = len(store.deletions(TARGET, limit=_MOST))
    figures = {
        "events acknowledged": len(acknowledged),
        "events in the log": held.total(),
        "containers made": len(truth["containers"]),
        "containers deleted": len(gone),
        "intents": intents,
        "DELETE calls": witness.deletes.total(),
        "harm": truth["totals"]["harm"],
    }
    return Audit(figures, tuple(faults))


def deleted(truth: Mapping[str, Any]) -> set[str]:
    """What the harbour was asked to delete, be it that it had expired the moment before."""
    return {each["id"] for each in truth["containers"] if each["deleted_at"] is not None}


def settled(daemon: Daemon, truth: Mapping[str, Any]) -> bool:
    """True once the audit knows how every delete that took effect has ended."""
    with open_store(daemon.database_url, read_only=True) as store:
        return deleted(truth) <= set(_done(store))


def _held(daemon: Daemon) -> Counter[tuple[str, int]]:
    """How often the log holds each event of each application, by its own rows."""
    connection = sqlite3.connect(daemon.database)
    try:
        rows = connection.execute(
            "SELECT source, sequence, count(*) FROM event_log WHERE sequence IS NOT NULL"
            " GROUP BY source, sequence"
        ).fetchall()
    finally:
        connection.close()
    return Counter({(source, sequence): count for source, sequence, count in rows})


def _of_events(
    daemon: Daemon,
    held: Counter[tuple[str, int]],
    writers: Sequence[Writer],
    acknowledged: Counter[tuple[str, int]],
) -> Iterator[str]:
    """No event lost, none twice."""
    for name, odd in (
        ("acknowledged and not in the log", acknowledged.keys() - held.keys()),
        ("twice in the log", {key for key, count in held.items() if count != 1}),
        ("acknowledged twice", {key for key, count in acknowledged.items() if count != 1}),
    ):
        if odd:
            yield f"{len(odd)} events {name}, such as {min(odd)}"
    log = EventLog.open(daemon.database_url, clock=time.time)
    report = log.verify()
    log.close()
    if not report.sound:
        yield "the log is not sound"
    told = {each.source: each.events for each in report.sources}
    for writer in writers:
        if writer.unsent or told.get(writer.source) != writer.sent:
            held_of = told.get(writer.source)
            yield f"{writer.source}: {writer.sent} sent, {held_of} held, {writer.unsent} unsent"


def _of_deletes(
    store: SqlStore, gone: set[str], truth: Mapping[str, Any], witness: Witness
) -> Iterator[str]:
    """No harm; every DELETE written down before, on a recorded verdict."""
    if truth["totals"]["harm"]:
        yield f"{truth['totals']['harm']} times somebody missed a container"
    if witness.unrecorded:
        yield f"DELETE calls without an intent: {witness.unrecorded}"
    for container_id in gone:
        case = store.case(container_id)
        recorded = {record.id: record for record in case.verdicts} if case is not None else {}
        for deletion in case.deletions if case is not None else ():
            verdict = recorded.get(deletion.verdict_id)
            if verdict is None or verdict.decided_at > deletion.intended_at:
                yield f"{container_id}: a delete before its verdict"


def _of_totals(store: SqlStore, gone: set[str]) -> Iterator[str]:
    """Each delete counted once, and the money with it."""
    done = _done(store)
    if set(done) != gone:
        yield f"{len(done)} deletes are done by the audit, {len(gone)} in the harbour"
    if twice := [each for each, count in done.items() if count != 1]:
        yield f"done twice: {twice}"
    rows = store.deletions(TARGET, limit=_MOST)
    totals = store.totals(TARGET, 6.0).all
    outcomes = Counter(each.outcome for each in rows)
    for name, counted, audited in (
        ("swept", totals.swept, len(done)),
        ("refused", totals.refused, outcomes[DeleteOutcome.REFUSED]),
        ("failed", totals.failed, outcomes[DeleteOutcome.FAILED]),
    ):
        if counted != audited:
            yield f"{name}: {counted} by the totals, {audited} by the audit"
    saved = sum(each.saved_usd for each in rows)
    if not isclose(totals.saved_usd, saved, abs_tol=1e-9):
        yield f"saved: {totals.saved_usd} USD by the totals, {saved} by the audit"


def _done(store: SqlStore) -> Counter[str]:
    return Counter(
        each.container_id
        for each in store.deletions(TARGET, limit=_MOST)
        if each.outcome is not None and each.outcome.done
    )
