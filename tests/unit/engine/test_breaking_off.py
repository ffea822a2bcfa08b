"""A ledger on which work broke off is not gone on with."""

from collections.abc import Mapping
from math import inf
from unittest.mock import patch

import pytest
from tests.unit.decide.builders import TARGET, T, Writer
from tests.unit.engine.test_look import Clock, EmptyLog

from demurrage.decide.ledger import Ledger
from demurrage.decide.lineage import Lineages
from demurrage.decide.windows import Windows
from demurrage.engine.evidence import Evidence, Reading
from demurrage.model.error import LogUnreadableError
from demurrage.model.event import Batch
from demurrage.model.floor import Floor
from demurrage.model.rules import EvidenceRules


class Log(EmptyLog):
    """A log that holds what one writer said, and all of whose first events were pruned."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def read(self, after: int, limit: int) -> Batch:
        """The records after a position."""
        records = [each for each in self._writer.records if each.position > after][:limit]
        cursor = records[-1].position if records else after
        return Batch("log", tuple(records), cursor, T + 100.0)

    def floors(self) -> Mapping[str, Floor]:
        """What retention has dropped was held once."""
        return {"long gone": Floor(7, 0)}


async def test_an_event_whose_fold_broke_off_is_folded_after_all(writer: Writer) -> None:
    """It would pass for held: the gap would never show, and what it tells would be missing."""
    evidence, clock = Evidence(Log(writer), None, 60.0), Clock()
    await evidence.read(clock)
    writer.starts("b", 20.0)
    with patch.object(Lineages, "join", side_effect=MemoryError), pytest.raises(MemoryError):
        await evidence.read(clock)
    assert not evidence.ledger.sources
    again = await evidence.read(clock)
    assert isinstance(again, Reading)
    assert again.since == again.read_at
    assert again.records == len(writer.records)
    book = evidence.ledger.book(TARGET)
    assert book.lineages.members("b") == {"b"}
    assert {"app-1", "long gone"} <= evidence.ledger.sources.keys()


async def test_a_ledger_that_was_half_forgotten_is_folded_anew(writer: Writer) -> None:
    """What is left of it is nobody's."""
    evidence, clock = Evidence(Log(writer), None, 60.0), Clock()
    await evidence.read(clock)
    with (
        patch.object(Lineages, "without", side_effect=MemoryError),
        pytest.raises(MemoryError),
    ):
        await evidence.forget(TARGET, T + 1000.0, frozenset(), 30.0, oldest=inf)
    assert not evidence.ledger.sources
    await evidence.read(clock)
    assert evidence.ledger.book(TARGET).responses.keys() == {"a"}


async def test_whom_the_log_speaks_of_is_known_once_it_is_read(writer: Writer) -> None:
    """A ledger that holds nothing yet, or nothing any more, tells of nobody who has gone."""
    evidence, clock = Evidence(Log(writer), None, 60.0), Clock()
    assert await evidence.writers() is None
    await evidence.read(clock)
    spoken_of = await evidence.writers()
    assert spoken_of is not None
    assert spoken_of == {"app-1", "long gone"}
    with patch.object(Log, "read", side_effect=LogUnreadableError("away")):
        await evidence.read(clock)
    assert await evidence.writers() is None
    await evidence.read(clock)
    writer.starts("b", 20.0)
    with patch.object(Lineages, "join", side_effect=MemoryError), pytest.raises(MemoryError):
        await evidence.read(clock)
    assert await evidence.writers() is None


def test_a_response_that_was_half_folded_is_looked_at(writer: Writer) -> None:
    """It has begun, so it blocks what it may have made."""
    rules = EvidenceRules()
    ledger = Ledger()
    ledger.fold(writer.records)
    book = ledger.book(TARGET)
    book.windows.look(book.responses, T, {}, rules, whole_life=False)
    writer.starts("b", 20.0)
    with patch.object(Lineages, "join", side_effect=MemoryError), pytest.raises(MemoryError):
        ledger.fold(writer.records[-1:])
    remembered = book.windows.look(book.responses, T, {}, rules, whole_life=False)
    anew = Windows().look(book.responses, T, {}, rules, whole_life=False)
    assert [response.call_id for response, _ in remembered.unended] == ["a", "b"]
    assert remembered == anew
