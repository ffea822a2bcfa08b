"""What ids look like, so that a slip of the hand is told from an id that nobody knows yet."""

import re

# Proxies put more than digits into a container's id, but no space into any.
_CONTAINER = re.compile(r"cntr_\S+")
_ANY = re.compile(r"\S+")


def is_container_id(text: str) -> bool:
    """True for what can be the id of a container."""
    return _CONTAINER.fullmatch(text) is not None


def is_id(text: str) -> bool:
    """True for what can be an id of anything."""
    return _ANY.fullmatch(text) is not None
