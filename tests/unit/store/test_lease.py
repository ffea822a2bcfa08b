"""Whoever lost the store, knowing it or not, writes no intent and begins no delete."""

import pytest
from tests.unit.store.build import NOW, intent, ruling, sighting

from demurrage.model.deletion import DeleteOutcome
from demurrage.model.error import LockLostError
from demurrage.model.record import Conclusion
from demurrage.store import StoreLock, open_store


class Believing(StoreLock):
    """A lock whose holder slept through its loss: it believes that it has it."""

    @property
    def held(self) -> bool:
        """What it believes."""
        return not self.ousted

    def prove(self) -> bool:
        """Nothing tells it otherwise."""
        return False


def test_a_daemon_that_was_replaced_writes_down_no_delete(url: str) -> None:
    """The database refuses its intents, whatever it believes; what it did, it may still tell."""
    first_lock = Believing(url)
    with open_store(url, lock=first_lock) as first:
        number = first.record_verdicts("t", [ruling("a")])["a"]
        (meant,) = first.intend("t", [intent(number, "a")], NOW)
        assert first.held
        with open_store(url, lock=Believing(url)) as second:
            assert [each.id for each in second.unfinished("t")] == [meant.id]
            for write in (
                lambda: first.intend("t", [intent(number, "a")], NOW),
                lambda: first.save_sightings("t", [sighting("b")]),
                lambda: first.touch(NOW),
            ):
                with pytest.raises(LockLostError):
                    write()
            assert first_lock.ousted
            assert not first.held
            first.conclude([Conclusion(meant.id, DeleteOutcome.DELETED, NOW, "", 0.0)])
            assert second.unfinished("t") == ()
            assert len(second.deletions("t")) == 1
            number = second.record_verdicts("t", [ruling("b")])["b"]
            assert second.intend("t", [intent(number, "b")], NOW)
            assert second.held


def test_people_write_beside_the_daemon(url: str) -> None:
    """A command takes no lock, and ends no epoch."""
    with StoreLock(url) as lock, open_store(url, lock=lock) as daemon:
        with open_store(url) as command:
            command.protect("t", "a", None, "ann")
            assert command.held
        daemon.touch(NOW)
        assert daemon.facts("t", NOW).protected == {"a"}


@pytest.mark.usefixtures("path")
def test_without_its_lock_a_daemon_writes_nothing(url: str) -> None:
    """A lock that was given back is one that another may have."""
    with StoreLock(url) as lock, open_store(url, lock=lock) as daemon:
        daemon.touch(NOW)
        lock.release()
        assert not daemon.held
        with pytest.raises(LockLostError):
            daemon.touch(NOW)
