"""Container ids that a LiteLLM proxy has rewritten, turned back into the provider's own.

Inside `/v1/responses` such a proxy hands out `cntr_` + base64 of
`litellm:custom_llm_provider:…;model_id:…;container_id:cntr_…` (containers-api facts, "LiteLLM in
between"), while the provider lists the native id. Unless the two are brought together, a
container in use looks unreferenced.
"""

import base64
import binascii
import re

from demurrage.model.container import ID_PREFIX

# base64 of "litellm", as far as its bits do not depend on what follows
_WRAPPED_START = "bGl0ZWxsb"
# A native id is the prefix and 48 hex digits; whatever is much longer carries something inside.
_LONGEST_NATIVE = 64
_INNER = re.compile(r"cntr_[\x21-\x7e]{1,1000}")
# A proxy behind a proxy wraps twice; more than this is no chain of proxies.
_MOST_LAYERS = 4


def is_wrapped(container_id: str) -> bool:
    """True when the id hides another one, so that it names no container by itself.

    Errs towards True: an id wrongly taken for wrapped only makes the daemon wait.
    """
    body = container_id.removeprefix(ID_PREFIX)
    return (
        body.startswith(_WRAPPED_START)
        or len(body) > _LONGEST_NATIVE
        # In base64 alone; three searches take a fraction of a walk through a set.
        or "=" in body
        or "+" in body
        or "/" in body
    )


def unwrap(container_id: str) -> str:
    """The provider's own id inside a rewritten one; any other id, or an unreadable one, as is."""
    current = container_id
    for _ in range(_MOST_LAYERS):
        if not is_wrapped(current):
            return current
        inner = _peel(current)
        if inner is None:
            return container_id
        current = inner
    return container_id if is_wrapped(current) else current


def undecodable(container_id: str) -> bool:
    """True for a container's id that hides another one, which cannot be read from it."""
    return container_id.startswith(ID_PREFIX) and is_wrapped(unwrap(container_id))


def _peel(container_id: str) -> str | None:
    body = container_id.removeprefix(ID_PREFIX).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        text = base64.b64decode(body + "=" * (-len(body) % 4), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    start, found, inner = text.rpartition(";container_id:")
    if not found or not start.startswith("litellm:") or not _INNER.fullmatch(inner):
        return None
    return inner
