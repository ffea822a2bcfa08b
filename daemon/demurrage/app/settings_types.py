"""The types that settings are made of: durations, addresses, names, each with one clear error."""

import math
import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from demurrage.model.condition import Severity

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_LONGEST = 36525 * 86400.0  # a century: beyond it, date arithmetic elsewhere would overflow
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TARGET = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]|_(?!_))*")
_TIER = re.compile(r"[1-9][0-9]*g")
_HIGHEST_PORT = 65535


def parse_duration(value: Any) -> float:
    """Seconds from `"90s"`, `"5m"`, `"1h"`, `"2d"`, or a bare number of seconds.

    Raises:
        ValueError: it is none of these, is negative, or is longer than a century.
    """
    seconds = math.nan
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip().lower())):
        seconds = float(match[1]) * _SECONDS[match[2] or "s"]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    if not 0 <= seconds <= _LONGEST:
        raise ValueError('must be a duration: "90s", "5m", "1h", "2d" or a number of seconds')
    return seconds


def _parse_optional_duration(value: Any) -> float | None:
    if value is None or value == "":
        return None
    return _above_zero(parse_duration(value))


def _above_zero(seconds: float) -> float:
    if seconds <= 0:
        raise ValueError("must be longer than zero")
    return seconds


def _parse_allowance(value: Any) -> int | None:
    number = int(value) if isinstance(value, str) and value.strip().isdecimal() else value
    if value == "auto" or value is None:
        return None
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError('must be "auto" or a whole number above zero')
    return number


def _parse_share(value: Any) -> float | None:
    if value == "auto" or value is None:
        return None
    try:
        share = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        share = math.nan
    if not 0 < share <= 1:
        raise ValueError('must be "auto" or a number above 0 and at most 1')
    return share


def _check_variable(name: str) -> str:
    # The value is never echoed: the commonest mistake is to paste the secret itself here.
    if name and not _VARIABLE.fullmatch(name):
        raise ValueError("must be the name of an environment variable, not the secret itself")
    return name


def check_target_name(name: str) -> str:
    """A target's name, fit for labels, file names and environment variables.

    Raises:
        ValueError: it holds anything but letters, digits, `.`, `-` and single `_`.
    """
    if not _TARGET.fullmatch(name):
        raise ValueError("a target's name has letters, digits, '.', '-' and single '_' only")
    return name


def _check_sink_name(name: str) -> str:
    if not _TARGET.fullmatch(name):
        raise ValueError("a sink's name has letters, digits, '.', '-' and single '_' only")
    return name


def _check_tier(tier: str) -> str:
    if not _TIER.fullmatch(tier):
        raise ValueError('a tier is written like "1g" or "64g"')
    return tier


def _check_price(value: float) -> float:
    if not math.isfinite(value) or value < 0:
        raise ValueError("must be a price in USD, zero or above")
    return value


def _check_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        usable = False
        parts = urlsplit("")
    if not usable:
        raise ValueError("must be a URL that starts with https:// or http://")
    if "@" in parts.netloc:
        raise ValueError("must not carry a user or password; name the key in api_key_env")
    return url


def _check_optional_url(url: str) -> str:
    return _check_url(url) if url else url


def _check_header(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise ValueError("must be one line of printable ASCII")
    return text


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """True when only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_address(text: str) -> Address:
    """`host:port`, with IPv6 hosts in brackets; port 0 lets the system choose.

    Raises:
        ValueError: it is not of that form.
    """
    host, _, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    plausible = bool(host) and not re.search(r"[\s/@\[\]]", host) and (":" in host) == bracketed
    if not plausible or not (port.isascii() and port.isdecimal()) or int(port) > _HIGHEST_PORT:
        raise ValueError('must be host:port, like "127.0.0.1:9470" or "[::1]:9470"')
    return Address(host, int(port))


def _check_address(text: str) -> str:
    parse_address(text)
    return text


def _check_optional_address(text: str) -> str:
    return _check_address(text) if text else text


def _parse_names(value: Any) -> Any:
    # One string is how an environment variable says a short list.
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


Duration = Annotated[float, BeforeValidator(parse_duration)]
PositiveDuration = Annotated[Duration, AfterValidator(_above_zero)]
OptionalDuration = Annotated[float | None, BeforeValidator(_parse_optional_duration)]
Allowance = Annotated[int | None, BeforeValidator(_parse_allowance)]
Share = Annotated[float | None, BeforeValidator(_parse_share)]
Variable = Annotated[str, AfterValidator(_check_variable)]
TargetName = Annotated[str, AfterValidator(check_target_name)]
SinkName = Annotated[str, AfterValidator(_check_sink_name)]
Tier = Annotated[str, AfterValidator(_check_tier)]
Price = Annotated[float, AfterValidator(_check_price)]
BaseUrl = Annotated[str, AfterValidator(_check_url)]
OptionalUrl = Annotated[str, AfterValidator(_check_optional_url)]
HeaderValue = Annotated[str, AfterValidator(_check_header)]
ListenAddress = Annotated[str, AfterValidator(_check_address)]
OptionalAddress = Annotated[str, AfterValidator(_check_optional_address)]
Names = Annotated[tuple[str, ...], BeforeValidator(_parse_names)]
Severities = Annotated[tuple[Severity, ...], BeforeValidator(_parse_names), Field(min_length=1)]
USUAL_SEVERITIES = (Severity.WARNING, Severity.PAGE)


class Section(BaseModel):
    """One table of the settings: frozen, no unknown keys, inputs never echoed in errors."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
        validate_default=True,
    )
