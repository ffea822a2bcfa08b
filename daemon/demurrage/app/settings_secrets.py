"""Where secrets come from: systemd credentials, files, the environment; never the settings file.

For every secret the first place that has it wins. Nothing here ever puts a secret, or a text
that might be one, into a message.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import SecretStr

# A pasted secret seldom looks like this; what does may be named in a message.
_SAFE_TO_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


class SecretUnreadableError(Exception):
    """A place that should hold a secret cannot be used; the message never quotes the content."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What was found at start. `SecretStr` keeps every value out of `repr` and dumps."""

    api_keys: Mapping[str, SecretStr] = field(default_factory=dict)
    webhook_secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    events_token: SecretStr | None = None
    admin_token: SecretStr | None = None
    sentry_dsn: SecretStr | None = None
    sentry_token: SecretStr | None = None
    sink_urls: Mapping[str, SecretStr] = field(default_factory=dict)
    database_url: SecretStr | None = None

    def with_database_url(self, url: SecretStr) -> "Secrets":
        """The same, with the URL of the store to use."""
        return replace(self, database_url=url)


def spoken(variable: str) -> str:
    """How a message names a variable; a name that might be a pasted secret is not repeated."""
    return variable if _SAFE_TO_NAME.fullmatch(variable) else "that it names"


def clean(text: str) -> SecretStr | None:
    """A secret without its surrounding space; None when nothing is left.

    Raises:
        SecretUnreadableError: it holds more than one line, or what no header can carry.
    """
    text = text.strip()
    if not text:
        return None
    if not text.isascii() or not text.isprintable() or " " in text:
        raise SecretUnreadableError("its content is not one line of printable ASCII")
    return SecretStr(text)


def read_secret_file(path: Path) -> SecretStr:
    """The secret in a file.

    Raises:
        SecretUnreadableError: the file cannot be read, is empty, or holds no usable secret.
    """
    try:
        secret = clean(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise SecretUnreadableError(f"its file cannot be read: {reason}") from None
    except UnicodeDecodeError:
        raise SecretUnreadableError("its content is not one line of printable ASCII") from None
    if secret is None:
        raise SecretUnreadableError("its file is empty")
    return secret


def find_secret(
    environ: Mapping[str, str], variable: str, credentials: tuple[str, ...]
) -> SecretStr | None:
    """Look for one secret.

    Args:
        environ: the process's environment.
        variable: the variable that holds it; with `_FILE` appended, the variable that names a
            file that holds it (the convention of container images). May be empty.
        credentials: names under systemd's `$CREDENTIALS_DIRECTORY`, the first found wins. They
            go before the environment: a unit that loads a credential means it.

    Raises:
        SecretUnreadableError: a place names it and cannot be used.
    """
    if directory := environ.get("CREDENTIALS_DIRECTORY"):
        for name in credentials:
            path = Path(directory) / name
            if path.exists():
                return read_secret_file(path)
    if not variable:
        return None
    if (found := clean(environ.get(variable, ""))) is not None:
        return found
    if path_text := environ.get(f"{variable}_FILE"):
        return read_secret_file(Path(path_text))
    return None
