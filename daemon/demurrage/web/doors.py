"""Who may come in: the tokens, the names under which the daemon is addressed, the largest body."""

import hmac
from dataclasses import dataclass, field
from ipaddress import ip_address

from pydantic import SecretStr

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
ANY_HOST = "*"
# A batch of the most events that the log takes at once, each of ordinary size, twice over.
_MAX_BODY = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Doors:
    """The guards' settings.

    `events_token`: who may append; None lets in whoever reaches the address. `admin_token`: who
    may read and act; None opens reading and closes acts. `allowed_hosts`: names that a request
    may be addressed to, without port, IPv6 in brackets. `max_body` is in bytes. `private`: only
    who may reach applications' data reaches the address at all, as the mode of a unix socket
    sees to.
    """

    events_token: SecretStr | None = None
    admin_token: SecretStr | None = None
    allowed_hosts: frozenset[str] = field(default=LOOPBACK_NAMES)
    max_body: int = _MAX_BODY
    private: bool = False

    def __post_init__(self) -> None:
        for token in (self.events_token, self.admin_token):
            if token is not None and not token.get_secret_value():
                raise ValueError("a token must not be empty")

    @property
    def may_end(self) -> bool:
        """True when what comes in may end things, and not only add to what is known.

        An end makes containers deletable, so it must come from one who has shown that it is an
        application: by the token, which is checked before, or by reaching a private address.
        """
        return self.private or self.events_token is not None

    def addressed(self, host: str) -> bool:
        """True when a request may be addressed to the host (lower case, without port)."""
        return host in self.allowed_hosts or ANY_HOST in self.allowed_hosts


def host_names(bound: str) -> frozenset[str]:
    """The names under which a daemon bound to the host may be addressed.

    One that is bound to every address is reached under names that it cannot know. There the
    settings demand tokens, which a page that rebinds a name does not have.
    """
    try:
        address = ip_address(bound)
    except ValueError:
        return LOOPBACK_NAMES | {bound.lower()}
    if address.is_unspecified:
        return frozenset({ANY_HOST})
    return LOOPBACK_NAMES | {f"[{address}]" if address.version == 6 else str(address)}  # noqa: PLR2004 - the version's own number


def bears(authorization: str | None, token: SecretStr) -> bool:
    """True when an Authorization header bears the token; takes equally long for every wrong one."""
    scheme, _, given = (authorization or "").partition(" ")
    # Headers arrive as Latin-1, so this gives back the bytes that were sent.
    sent = given.strip().encode("latin-1", "replace")
    right = hmac.compare_digest(sent, token.get_secret_value().encode())
    return scheme.lower() == "bearer" and right
