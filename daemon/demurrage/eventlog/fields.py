"""The kinds of field that events are made of, each as pydantic checks it and as JSON Schema says.

Both must accept the very same documents, since applications are held to the one and the daemon
to the other; a test runs a corpus through both.
"""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from demurrage.eventlog.proxy_ids import unwrap

LONGEST_NAME = 512
# Response ids that a proxy has wrapped, twice even, stay well below this.
LONGEST_ID = 1024
MOST_CONTAINERS = 10_000
MOST_SLOTS = 128
MOST_IN_FLIGHT = 20_000
MOST_LABELS = 64
# 18 digits fit a signed 64-bit column.
HIGHEST_SEQUENCE = 10**18 - 1
# The last second of the year 9999; milliseconds taken for seconds land beyond it.
LATEST_MOMENT = 253_402_300_799

# Seconds stop at 59: neither Python nor the provider knows leap seconds.
_RFC3339 = (
    r"^(19[7-9][0-9]|2[0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]"
    r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,12})?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
_RFC3339_SHAPE = re.compile(_RFC3339)
_DATE_TIME = {"type": "string", "format": "date-time", "pattern": _RFC3339, "maxLength": 64}
_EPOCH = {"type": "number", "minimum": 0, "maximum": LATEST_MOMENT}
_SEQUENCE_DIGITS = r"^0{0,40}[1-9][0-9]{0,17}$"
_SEQUENCE_SHAPE = re.compile(_SEQUENCE_DIGITS)


def _instant(value: object) -> float:
    if not isinstance(value, str) or not _RFC3339_SHAPE.fullmatch(value):
        raise ValueError("must be an RFC 3339 date and time with its zone")
    try:
        return datetime.fromisoformat(value.upper()).timestamp()
    except ValueError:
        raise ValueError("is no date of the calendar") from None


def _moment(value: object) -> object:
    return _instant(value) if isinstance(value, str) else value


def _sequence(value: object) -> object:
    if isinstance(value, str):
        if not _SEQUENCE_SHAPE.fullmatch(value):
            raise ValueError("must be an integer from 1, or its decimal digits")
        return int(value)
    return _whole(value)


def _whole(value: object) -> object:
    # To JSON 3.0 and 3 are one number.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _text(longest: int) -> dict[str, Any]:
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": longest,
        "not": {"pattern": "[\\x00-\\x1f\\x7f]"},
    }


def _whole_schema(lowest: int, highest: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": lowest, "maximum": highest}


_PRINTABLE = r"^[^\x00-\x1f\x7f]+$"

Name = Annotated[
    str, Field(max_length=LONGEST_NAME, pattern=_PRINTABLE), WithJsonSchema(_text(LONGEST_NAME))
]
"""A name in one line: an event's id, its source, a target, a model."""

Id = Annotated[
    str, Field(max_length=LONGEST_ID, pattern=_PRINTABLE), WithJsonSchema(_text(LONGEST_ID))
]
"""An id that the provider or the writer gave."""

ContainerId = Annotated[Id, AfterValidator(unwrap), WithJsonSchema(_text(LONGEST_ID))]
"""A container's id; one that a proxy has rewritten comes out as the provider's own."""

# A default that cannot change is not copied for every event.
Containers = Annotated[tuple[ContainerId, ...], Field(max_length=MOST_CONTAINERS)]

Instant = Annotated[float, BeforeValidator(_instant), WithJsonSchema(_DATE_TIME)]
"""RFC 3339 with a zone; comes out as epoch seconds."""

Epoch = Annotated[float, Field(ge=0, le=LATEST_MOMENT, allow_inf_nan=False), WithJsonSchema(_EPOCH)]
"""Seconds since 1970, UTC, as the provider writes moments."""

Moment = Annotated[Epoch, BeforeValidator(_moment), WithJsonSchema({"anyOf": [_DATE_TIME, _EPOCH]})]
"""Either way of writing a moment; comes out as epoch seconds."""

Sequence = Annotated[
    int,
    BeforeValidator(_sequence),
    Field(ge=1, le=HIGHEST_SEQUENCE),
    WithJsonSchema(
        {
            "anyOf": [
                _whole_schema(1, HIGHEST_SEQUENCE),
                {"type": "string", "pattern": _SEQUENCE_DIGITS},
            ]
        }
    ),
]
"""CloudEvents writes the sequence as text, most programs as a number; both are taken."""

Count = Annotated[
    int,
    BeforeValidator(_whole),
    Field(ge=0, le=HIGHEST_SEQUENCE),
    WithJsonSchema(_whole_schema(0, HIGHEST_SEQUENCE)),
]

HttpStatus = Annotated[
    int,
    BeforeValidator(_whole),
    Field(ge=100, le=599),
    WithJsonSchema(_whole_schema(100, 599)),
]
