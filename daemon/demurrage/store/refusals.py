"""What keeps a store from opening, in one line that says what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError

from demurrage.model.away import is_away
from demurrage.model.error import (
    LockLostError,
    StoreAwayError,
    StoreFailedError,
    StoreUnusableError,
)
from demurrage.store.database import say
from demurrage.store.place import Place
from demurrage.store.schema import ForeignDatabaseError


@contextmanager
def named_refusals(place: Place) -> Iterator[None]:
    """Say in one line what keeps the store from opening.

    Raises:
        StoreUnusableError: always instead of what was raised inside.
        StoreAwayError: in its place, where that may go away by itself.
    """
    where = f"database_url: {place.shown}"
    try:
        yield
    except ForeignDatabaseError as error:
        raise StoreUnusableError(
            f"{where} holds somebody else's tables; point database_url at "
            + ("a file of its own" if place.path is not None else "a database of its own")
        ) from error
    except (NoSuchModuleError, ImportError) as error:
        raise StoreUnusableError(
            f"{where} needs a driver that is not installed; in the project's folder: "
            "pip install '.[postgres]'"
        ) from error
    except OSError as error:
        kind = StoreAwayError if is_away(error) else StoreUnusableError
        raise kind(
            f"{where} cannot be used: {error.strerror}; point database_url at a folder that "
            "this user may write"
        ) from error
    except (SQLAlchemyError, StoreFailedError) as error:
        cause = (error.__cause__ if isinstance(error, StoreFailedError) else error) or error
        if is_away(getattr(cause, "orig", cause)) or isinstance(error, LockLostError):
            fix = (
                "mount its folder, and make room there for this user to write"
                if place.path is not None
                else "start the server, or correct the address in database_url"
            )
            raise StoreAwayError(f"{where} cannot be reached: {say(cause)}; {fix}") from error
        fix = (
            "point database_url at a demurrage store or a new file, or restore a backup"
            if place.path is not None
            else "correct database_url, or what its user may do there"
        )
        raise StoreUnusableError(f"{where} cannot be used: {say(cause)}; {fix}") from error
