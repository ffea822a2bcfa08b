"""The harbour's knobs: how fast its time runs and which habits of the real API it shows."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

Span = tuple[float, float]

_LOST = ("failed", "400", "404", "500", "unharmed")


@dataclass(frozen=True, slots=True)
class HarbourSettings:
    """Every duration is in nominal seconds; `scale` divides them all, moments stay real.

    Attributes:
        scale: how many nominal seconds pass in one real second.
        birth_delay: from the start of a run to the birth of its containers (recorded: 1 to 7 s).
        late_birth_delay: the same while `late_birth` is on.
        queue_delay: how long a background response stays queued.
        default_seconds: how long a response runs whose request does not say.
        visibility_lag: from a birth until the listing shows it (up to 30 s is reported).
        delete_lag: for how long a deleted container stays listed.
        idle_expiry: a container dies this long after its last activity.
        clock_offset: real seconds by which the harbour's clock is ahead of the machine's.
        auto_name: the `name` of containers that a request made.
        list_refreshes_activity: listing a live container counts as activity.
        delete_needs_beta: DELETE says yes and does nothing without `OpenAI-Beta: containers=v1`.
        delete_does_nothing: DELETE says yes and does nothing, whatever the header.
        lazy_birth: a container is made only when the model uses the tool.
        lazy_code_interpreter: the same for code interpreter alone.
        lazy_shell: the same for hosted shell alone.
        lost_container: what a call in flight gets whose container is gone: "failed" (an answer
            that says so), "400", "404" or "500", or "unharmed".
        slots_make_two: every auto slot makes a second container that nobody names.
        late_birth: births come `late_birth_delay` in; unused ones even after the response.
    """

    scale: float = 1.0
    birth_delay: Span = (1.0, 7.0)
    late_birth_delay: Span = (70.0, 95.0)
    queue_delay: Span = (0.5, 4.0)
    default_seconds: Span = (8.0, 20.0)
    visibility_lag: Span = (0.0, 2.0)
    delete_lag: Span = (0.0, 10.0)
    idle_expiry: float = 1200.0
    clock_offset: float = 0.0
    auto_name: str = "auto"
    list_refreshes_activity: bool = False
    delete_needs_beta: bool = False
    delete_does_nothing: bool = False
    lazy_birth: bool = False
    lazy_code_interpreter: bool = False
    lazy_shell: bool = False
    lost_container: str = "failed"
    slots_make_two: bool = False
    late_birth: bool = False

    def lazy(self, tool: str) -> bool:
        """True when a slot of that tool makes a container only once the model uses it."""
        own = {"code_interpreter": self.lazy_code_interpreter, "shell": self.lazy_shell}
        return self.lazy_birth or own[tool]

    def changed(self, changes: Mapping[str, Any]) -> "HarbourSettings":
        """A copy with some knobs turned.

        Raises:
            ValueError: a knob is unknown or its value is of the wrong kind.
        """
        known = {knob.name: getattr(self, knob.name) for knob in fields(self)}
        read: dict[str, Any] = {}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"the harbour has no setting {name!r}")
            read[name] = _like(known[name], value, name)
        changed = replace(self, **read)
        if changed.scale <= 0:
            raise ValueError("scale must be positive")
        if changed.lost_container not in _LOST:
            raise ValueError(f"lost_container must be one of {', '.join(_LOST)}")
        return changed


def _like(pattern: Any, value: Any, name: str) -> Any:
    if isinstance(pattern, bool):
        if isinstance(value, bool):
            return value
    elif isinstance(pattern, str):
        if isinstance(value, str):
            return value
    elif isinstance(pattern, tuple):
        if isinstance(value, list | tuple) and len(value) == len(pattern):
            low, high = (float(part) for part in value)
            if low <= high:
                return (low, high)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"{name}: {value!r} is not like {pattern!r}")
