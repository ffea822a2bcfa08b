"""`DEMURRAGE_…` variables as a settings source: each names one key, `__` goes a table deeper."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from demurrage.app.settings_problems import Path, Problem, known_paths, nearest

PREFIX = "DEMURRAGE_"

# Read by others, or before the settings are: the applications' recorder, and the file's place.
_NOT_OURS = re.compile(r"DEMURRAGE_(RECORDER_.*|CONFIG)")
# What Kubernetes and Docker put into every container beside a service named demurrage(-…).
# A port variable counts as theirs only with their kind of value, or it would hide a typo.
_INJECTED_NAME = re.compile(
    r"DEMURRAGE_(?:[A-Z0-9_]+_)?"
    r"(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_[A-Z]+)?)"
)
_INJECTED_PORT = re.compile(r"DEMURRAGE_(?:[A-Z0-9_]+_)?PORT")
_PORT_VALUE = re.compile(r"(?:tcp|udp|sctp)://.*")
_DOCKER_LINK = re.compile(r"DEMURRAGE_(?:NAME|ENV_.*)")


def fold(name: str) -> str:
    """How target names compare in the environment, where `-` and `.` cannot be written."""
    return re.sub(r"[.-]", "_", name).lower()


def variable_of(path: Iterable[str]) -> str:
    """The variable that sets a key."""
    return PREFIX + "__".join(fold(key) for key in path).upper()


def ours(name: str, value: str) -> bool:
    """True for a variable that must name a setting."""
    injected = (
        _INJECTED_NAME.fullmatch(name)
        or _DOCKER_LINK.fullmatch(name)
        or (_INJECTED_PORT.fullmatch(name) and _PORT_VALUE.fullmatch(value))
    )
    return name.startswith(PREFIX) and not _NOT_OURS.fullmatch(name) and not injected


class EnvironmentSource(PydanticBaseSettingsSource):
    """Reads `environ`; `problems` holds the names that no setting answers to.

    `names` are those in the settings file, by the table that they stand in (`targets`, `sinks`):
    a variable means the one that folds alike, else it starts a new one under the lower-case name.
    """

    def __init__(
        self,
        settings: type[BaseSettings],
        environ: Mapping[str, str],
        names: Mapping[str, Iterable[str]],
    ) -> None:
        super().__init__(settings)
        self._names = {
            table: {fold(name): name for name in chosen} for table, chosen in names.items()
        }
        self._known = known_paths(settings)
        self.problems: list[Problem] = []
        self.variables: dict[Path, str] = {}
        self._values: dict[str, Any] = {}
        for name, value in sorted(environ.items()):
            if ours(name, value):
                self._take(name, value)

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """One top-level value, as pydantic-settings asks for it."""
        del field
        return self._values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """All values, nested as in the file."""
        return self._values

    def _take(self, name: str, value: str) -> None:
        parts = [part.lower() for part in name.removeprefix(PREFIX).split("__")]
        path, kind = self._resolve(parts)
        if path is None:
            near = nearest(parts, self._known)
            hint = f"did you mean {variable_of(near)}?" if near else "remove it or mend its name"
            self.problems.append(Problem((name,), f"no setting has this name; {hint}"))
            return
        if _is_table(kind):
            text = f"this is a table; set its keys, like {name}__…"
            self.problems.append(Problem((name,), text))
            return
        table = self._values
        for key in path[:-1]:
            table = table.setdefault(key, {})
        try:
            table[path[-1]] = _decode(value, kind)
        except ValueError:
            self.problems.append(Problem((name,), "a value that opens with [ or { must be JSON"))
        self.variables[path] = name

    def _resolve(self, parts: list[str]) -> tuple[Path | None, Any]:
        """The setting that the parts of a name lead to, and its type; None when to none."""
        kind: Any = self.settings_cls
        path: list[str] = []
        for part in parts:
            if get_origin(kind) is dict:
                kind = get_args(kind)[1]
                chosen = self._names.get(path[0], {}) if len(path) == 1 else {}
                path.append(chosen.get(part, part))
            elif isinstance(kind, type) and issubclass(kind, BaseModel):
                info = kind.model_fields.get(part)
                if info is None:
                    return None, None
                kind = info.annotation
                path.append(part)
            else:
                return None, None
        return tuple(path), kind


def _is_table(kind: Any) -> bool:
    """True for what holds further settings: a section, or sections by names."""
    held = get_args(kind)[1] if get_origin(kind) is dict else kind
    return isinstance(held, type) and issubclass(held, BaseModel)


def _decode(value: str, kind: Any) -> Any:
    """Lists and price tables may come as JSON; all else stays text for its type to read."""
    several = get_origin(kind) in (tuple, dict)
    return json.loads(value) if several and value.lstrip().startswith(("[", "{")) else value
