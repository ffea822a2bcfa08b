"""What ids look like, so that a slip of the hand is told from an id that nobody knows yet."""

import re

from demurrage.cli.exits import UsageError
from demurrage.eventlog.proxy_ids import undecodable, unwrap

# Proxies put more than digits into a container's id, but no space into any.
_CONTAINER = re.compile(r"cntr_\S+")
_ANY = re.compile(r"\S+")


def is_container_id(text: str) -> bool:
    """True for what can be the id of a container."""
    return _CONTAINER.fullmatch(text) is not None


def container_named(given: str, argument: str) -> str:
    """The provider's own id of the container that a person names, be it by a proxy's.

    Args:
        given: what the person gave.
        argument: the argument or option that it was given for.

    Raises:
        UsageError: it is a proxy's, and the provider's cannot be read from it: what is said of it
            would be said of no container.
    """
    if undecodable(given):
        raise UsageError(
            f"{argument}: is a proxy's id of a container, from which the provider's own cannot be "
            "read; `demurrage plan --all` names containers by that"
        )
    return unwrap(given)


def is_id(text: str) -> bool:
    """True for what can be an id of anything."""
    return _ANY.fullmatch(text) is not None
