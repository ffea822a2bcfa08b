"""A person's word: on single containers, and on writers that will not return."""

from collections.abc import Callable
from collections.abc import Container as SetContainer

from sqlalchemy import delete, select

from demurrage.store.acts import record_act
from demurrage.store.database import Repository
from demurrage.store.dialect import upsert
from demurrage.store.tables import protections, retired_writers

# So many writers one call forgets at most; the next one goes on.
_MOST_AT_ONCE = 500


class People(Repository):
    """Protections and retired writers."""

    _clock: Callable[[], float]

    def protect(self, target: str, container_id: str, until: float | None, by: str) -> None:
        """A person protects a container, for ever or until a moment; the last word counts."""
        now = self._clock()
        row = {
            "target": target,
            "container_id": container_id,
            "since": now,
            "until": until,
            "by": by,
        }
        detail = "for ever" if until is None else f"until {until:.0f}"
        with self._database.write() as connection:
            upsert(connection, protections, [row], replace=("since", "until", "by"))
            record_act(
                connection, now, by, "protect", target=target, about=container_id, detail=detail
            )

    def unprotect(self, target: str, container_id: str, by: str) -> bool:
        """Take a protection back; False when there was none."""
        statement = delete(protections).where(
            protections.c.target == target, protections.c.container_id == container_id
        )
        with self._database.write() as connection:
            if connection.execute(statement).rowcount == 0:
                return False
            record_act(
                connection, self._clock(), by, "unprotect", target=target, about=container_id
            )
        return True

    def retire_writer(self, source: str, at: float, by: str) -> None:
        """A person's word that a writer will not return."""
        row = {"source": source, "at": at, "by": by}
        with self._database.write() as connection:
            upsert(connection, retired_writers, [row], replace=("at", "by"))
            record_act(connection, at, by, "retire_writer", about=source)

    def forget_retired(self, before: float, spoken_of: SetContainer[str]) -> int:
        """Drop the word on writers that were retired before a moment and of whom nothing is held.

        Nobody waits for one of whom the log says nothing. Should it speak again, its past looks
        like a gap, and holds the watermark until it is retired anew.

        Args:
            before: epoch seconds.
            spoken_of: the writers that the log speaks of; of these the word stays.

        Returns:
            How many were dropped.
        """
        retired = retired_writers.c
        with self._database.write() as connection:
            old = connection.scalars(select(retired.source).where(retired.at < before))
            gone = [each for each in old if each not in spoken_of][:_MOST_AT_ONCE]
            if gone:
                connection.execute(
                    delete(retired_writers).where(retired.source.in_(gone), retired.at < before)
                )
        return len(gone)
