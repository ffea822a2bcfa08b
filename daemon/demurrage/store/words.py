"""Text that any database takes, whatever the API or an application put into it."""

from sqlalchemy import Dialect, Text, TypeDecorator


class Words(TypeDecorator[str]):
    """Text in which NULs and lone surrogates are replaced.

    JSON can carry both. SQLite's driver raises on the one, PostgreSQL refuses the other, and
    neither may keep the inventory from being saved.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 (its signature is SQLAlchemy's)
        """The text as it is stored."""
        if value is None or (value.isascii() and "\0" not in value):
            return value
        return value.encode(errors="replace").decode().replace("\0", "\ufffd")
