"""Keeps secrets out of what leaves the process: logs and error reports pass through here.

Two nets: the secrets that the daemon holds, wherever they stand; and whatever looks like one.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

MASK = "[redacted]"

_SHORTEST_KNOWN = 6  # masking every "a" because a token is "a" would hide the log, not the token
_DEEPEST = 12

# A field with such a name holds a secret, whatever it looks like. Plurals ("max_tokens") do not.
_FIELD = re.compile(
    r"(?:^|[._-])(?:api[_-]?key|authorization|auth|token|secret|password|passwd|cookie"
    r"|credentials?|dsn|signature)$",
    re.IGNORECASE,
)
_LOOKS = (
    # keys and secrets by their makers' prefixes, also half masked ("sk-ab***yz")
    (re.compile(r"\b(?:sk|sess|rk|pk)-[\w*-]{6,}"), MASK),
    (re.compile(r"\bwhsec_[\w+/=-]{6,}"), MASK),
    (re.compile(r"\beyJ[\w-]{6,}\.[\w-]+(?:\.[\w-]*)?"), MASK),
    # what follows an authorization scheme
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=*-]{6,}", re.IGNORECASE), rf"\1 {MASK}"),
    # name and value in running text, JSON, headers, query strings
    (
        re.compile(r"(\bauthorization[\"']?\s*[:=]\s*b?[\"']?)[^\"'\r\n,;}]+", re.IGNORECASE),
        rf"\1{MASK}",
    ),
    (
        re.compile(
            r"((?<![\w-])[\w-]{0,40}(?:api[_-]?key|token|secret|password|passwd|cookie)"
            r"[\"']?\s*[:=]\s*b?[\"']?)(?!\[redacted\])[^\s\"',;&}\])]+",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
    # user and password in a URL
    (
        re.compile(r"((?<![\w+.-])[a-z][a-z0-9+.-]{0,30}://)[^\s/@\"']+@", re.IGNORECASE),
        rf"\1{MASK}@",
    ),
)


class Redactor:
    """Masks secrets in text and in nested values.

    Args:
        secrets: those that the daemon holds, masked wherever they occur.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({s for s in secrets if len(s) >= _SHORTEST_KNOWN}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def text(self, text: str) -> str:
        """The text with every secret masked."""
        if self._known:
            text = self._known.sub(MASK, text)
        for pattern, mask in _LOOKS:
            text = pattern.sub(mask, text)
        return text

    def value(self, value: Any, depth: int = 0) -> Any:
        """The value with every secret in it masked; what is not plain data becomes text."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return self.text(value)
        if depth >= _DEEPEST:
            return MASK
        if isinstance(value, Mapping):
            return {
                self.text(str(key)): self.field(str(key), item, depth + 1)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(item, depth + 1) for item in value]
        return self.text(str(value))

    def field(self, name: str, value: Any, depth: int = 0) -> Any:
        """A named value; a field that by its name holds a secret is masked whole."""
        if value is not None and _FIELD.search(name):
            return MASK
        return self.value(value, depth)
