"""What is wrong with the settings, one clear line each: the field, the trouble, the fix."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Path = tuple[str, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
# Pydantic's kinds of error, as a person would say them.
_PLAIN = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be text in quotes",
    "model_type": "must be a table",
    "dict_type": "must be a table",
    "tuple_type": "must be a list of names",
}
_SECRET_KEYS = ("key", "token", "secret", "password", "dsn")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. `path` is the setting, as nested TOML keys.

    `absent`: a secret that is in none of its places; it may be in the daemon's own.
    """

    path: Path
    text: str
    absent: bool = False


def dotted(path: Iterable[str]) -> str:
    """The setting's name as TOML writes it."""
    return ".".join(key if _BARE_KEY.fullmatch(key) else json.dumps(key) for key in path)


def known_paths(model: type[BaseModel], prefix: Path = ()) -> list[Path]:
    """Every key that a model accepts; `*` stands for a name that the operator chooses."""
    paths: list[Path] = []
    for name, info in model.model_fields.items():
        path = (*prefix, name)
        paths.append(path)
        kind: Any = info.annotation
        if get_origin(kind) is dict:
            path, kind = (*path, "*"), get_args(kind)[1]
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            paths += known_paths(kind, path)
    return paths


def nearest(path: Sequence[str], known: Iterable[Path]) -> Path | None:
    """The accepted key that a mistyped one probably means, its `*` filled in."""
    candidates: dict[str, Path] = {}
    for accepted in known:
        filled = tuple(
            (path[place] if place < len(path) else "NAME") if key == "*" else key
            for place, key in enumerate(accepted)
        )
        candidates.setdefault(dotted(filled).lower(), filled)
    matches = difflib.get_close_matches(dotted(path).lower(), candidates, n=1, cutoff=0.75)
    if matches:
        return candidates[matches[0]]
    # A key in the wrong table, or at the top level, has the right name in the wrong place.
    homes = [filled for filled in candidates.values() if filled[-1] == path[-1]]
    return min(homes, key=len, default=None)


def problems_of(error: ValidationError, known: Sequence[Path]) -> list[Problem]:
    """Pydantic's findings in the words of a settings file; inputs are never quoted."""
    found = []
    for detail in error.errors(include_url=False, include_input=False, include_context=True):
        path = tuple(str(key) for key in detail["loc"] if key != "[key]")
        found.append(Problem(path, _text(detail, path, known)))
    return found


def _text(detail: ErrorDetails, path: Path, known: Sequence[Path]) -> str:
    context: Mapping[str, Any] = detail.get("ctx") or {}
    kind = detail["type"]
    if kind == "extra_forbidden":
        return unknown_key(path, known)
    if kind in ("literal_error", "enum"):
        return "must be " + str(context["expected"]).replace("'", '"')
    if kind == "value_error":
        return str(context["error"])
    return _PLAIN.get(kind) or detail["msg"].replace("Input should be", "must be")


def _holds(table: Path, path: Path) -> bool:
    return len(table) < len(path) and all(
        key in ("*", given) for key, given in zip(table, path, strict=False)
    )


def unknown_key(path: Path, known: Sequence[Path]) -> str:
    """What to say of a key that nothing reads."""
    # A table that holds the key is there already; to name it would mend nothing.
    near = nearest(path, [each for each in known if not _holds(each, path)])
    hint = f"; did you mean {dotted(near)}?" if near else "; remove it or mend its name"
    secret = path[-1].lower() in _SECRET_KEYS or path[-1].lower().endswith(
        tuple(f"_{key}" for key in _SECRET_KEYS)
    )
    if secret:
        hint += " Secrets do not go here: name the variable or the file that holds them"
    return "unknown key" + hint
