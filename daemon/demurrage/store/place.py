"""Where the store is, from `database_url`."""

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from demurrage.model.error import StoreUnusableError

_EXAMPLE = "sqlite:////var/lib/demurrage/demurrage.db"
_SERVER_EXAMPLE = "postgresql+psycopg://demurrage@db.example/demurrage"
_SERVER = "postgresql+psycopg"


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
        except (ArgumentError, ValueError):
            # from None: the text that could not be parsed may hold a password
            raise StoreUnusableError(
                f"database_url is not a database URL; write it like {_EXAMPLE} or {_SERVER_EXAMPLE}"
            ) from None
        if parsed.drivername in ("postgresql", _SERVER):
            if not parsed.database:
                raise StoreUnusableError(
                    f"database_url names no database; write it like {_SERVER_EXAMPLE}"
                )
            return Place(parsed.set(drivername=_SERVER), None)
        if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
            raise StoreUnusableError(
                f"database_url: {parsed.drivername} is not supported; use sqlite or {_SERVER}"
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
        """The place in words for people; a password stays hidden, wherever in the URL it is."""
        if self.path is not None:
            return str(self.path)
        return self.url.set(query={}).render_as_string(hide_password=True)

    def beside(self, suffix: str) -> Path | None:
        """The path of a companion file of the SQLite file, None for a server."""
        return self.path.with_name(self.path.name + suffix) if self.path else None

    def stamp(self, state: Path | None) -> Path | None:
        """Where the stamp is: beside a SQLite file, for a server in this host's state folder.

        The name stands for the server and its database, whoever opens it.
        """
        if self.path is not None:
            return self.beside(".stamp")
        if state is None:
            return None
        query = self.url.query
        where = (self.url.host, self.url.port, query.get("host"), query.get("port"))
        name = blake2b(repr((*where, self.url.database)).encode(), digest_size=8).hexdigest()
        return state / f"server-{name}.stamp"
