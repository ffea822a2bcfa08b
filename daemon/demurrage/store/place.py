"""Where the store is, from `database_url`."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from demurrage.model.error import StoreUnusableError

_EXAMPLE = "sqlite:////var/lib/demurrage/demurrage.db"


@dataclass(frozen=True, slots=True)
class Place:
    """A parsed `database_url`. `path` is the SQLite file, symbolic links resolved."""

    url: URL
    path: Path | None

    @staticmethod
    def parse(url: str) -> "Place":
        """Understand a `database_url`.

        Raises:
            StoreUnusableError: it is no URL, or of a database that the store does not speak.
        """
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise StoreUnusableError(
                f"database_url is not a database URL; write it like {_EXAMPLE}"
            ) from error
        backend = parsed.get_backend_name()
        if backend == "postgresql":
            return Place(parsed, None)
        if backend != "sqlite":
            raise StoreUnusableError(
                f"database_url: {backend} is not supported; use SQLite or PostgreSQL"
            )
        if parsed.database in (None, "", ":memory:"):
            raise StoreUnusableError(
                f"database_url names no file, and state must outlive the process; "
                f"write it like {_EXAMPLE}"
            )
        path = Path(str(parsed.database)).resolve()
        return Place(parsed.set(database=str(path)), path)

    @property
    def shown(self) -> str:
        """The place in words for people; a password stays hidden."""
        return str(self.path) if self.path else self.url.render_as_string(hide_password=True)

    def beside(self, suffix: str) -> Path | None:
        """The path of a companion file of the SQLite file, None for a server."""
        return self.path.with_name(self.path.name + suffix) if self.path else None
