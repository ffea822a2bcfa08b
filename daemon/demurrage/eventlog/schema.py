"""The one JSON Schema of the events, made from the models.

`python -m demurrage.eventlog.schema` prints it; `events.schema.json` beside this file is that
output, kept in the tree for writers in other languages.
"""

import json
import sys
from importlib.resources import files
from typing import Annotated, Any

from pydantic import Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue

from demurrage.eventlog.wire import KnownWire, UnheardEvent

COMMITTED = files("demurrage.eventlog") / "events.schema.json"


class _PlainSchema(GenerateJsonSchema):
    """Without titles, which repeat the names of fields."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the base's signature
        return False

    def generate(self, schema: Any, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        made = super().generate(schema, mode)
        head = {
            "$schema": self.schema_dialect,
            "$id": "urn:demurrage:events:1",
            "title": "Demurrage events",
            "description": "CloudEvents 1.0 in JSON, as the event log takes them. Unknown fields "
            "and unknown types are kept and ignored.",
        }
        return head | made


def event_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one event."""
    union = Annotated[KnownWire, Field(discriminator="type")] | UnheardEvent
    adapter: TypeAdapter[Any] = TypeAdapter(union)
    return adapter.json_schema(schema_generator=_PlainSchema)


def rendered() -> str:
    """The schema as text, the same for the same models."""
    return json.dumps(event_schema(), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(rendered())
