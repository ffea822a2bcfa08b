"""What keeps a store from opening, in one line that says what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from demurrage.model.error import StoreAwayError, StoreFailedError, StoreUnusableError
from demurrage.store.database import say
from demurrage.store.place import Place
from demurrage.store.schema import ForeignDatabaseError

# SQLSTATE classes: connection exceptions, operator intervention. A refused connection has none.
_AWAY = ("08", "57")


@contextmanager
def named_refusals(place: Place) -> Iterator[None]:
    """Say in one line what keeps the store from opening.

    Raises:
        StoreUnusableError: always instead of what was raised inside.
        StoreAwayError: in its place, where a server cannot be reached now.
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
            f"{where} needs a driver that is not installed; install demurrage[postgres]"
        ) from error
    except OSError as error:
        raise StoreUnusableError(
            f"{where} cannot be used: {error.strerror}; point database_url at a folder that "
            "this user may write"
        ) from error
    except (SQLAlchemyError, StoreFailedError) as error:
        cause = (error.__cause__ if isinstance(error, StoreFailedError) else error) or error
        if place.path is None and _is_away(cause):
            raise StoreAwayError(
                f"{where} cannot be reached: {say(cause)}; "
                "start the server, or correct the address in database_url"
            ) from error
        fix = (
            "point database_url at a demurrage store or a new file, or restore a backup"
            if place.path is not None
            else "correct database_url, or what its user may do there"
        )
        raise StoreUnusableError(f"{where} cannot be used: {say(cause)}; {fix}") from error


def _is_away(cause: BaseException) -> bool:
    if not isinstance(cause, DBAPIError):
        return False
    state = getattr(cause.orig, "sqlstate", None)
    return cause.connection_invalidated or state is None or state.startswith(_AWAY)
