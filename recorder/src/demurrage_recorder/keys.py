"""A mark by which two names for one key are noticed, and from which no key can be told."""

from collections.abc import Sequence
from hashlib import sha256

_SALT = b"demurrage-recorder/key/1:"
# 64 bits: no two keys of one log have the same by chance.
_LENGTH = 16
_BEARER = b"bearer "
_NAMES = (b"authorization", b"api-key")


def borne_by(headers: Sequence[tuple[bytes, bytes]]) -> bytes | None:
    """What a request bears as its key, if anything.

    Args:
        headers: names and values as they leave, whatever the case of the names.
    """
    for name in _NAMES:
        length = len(name)
        for each, value in headers:
            # There are many, and an application waits: most are told by their length.
            if len(each) == length and value and each.lower() == name:
                return value
    return None


def mark_of(value: bytes) -> str | None:
    """The mark of a key; None where it does not last.

    Args:
        value: what the request bears.
    """
    key = value[len(_BEARER) :] if value[: len(_BEARER)].lower() == _BEARER else value
    # A token of an identity service is another one every hour.
    if key.count(b".") == 2:  # noqa: PLR2004 - header, claims and signature
        return None
    return sha256(_SALT + key).hexdigest()[:_LENGTH]
