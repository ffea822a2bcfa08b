"""A plan as a file: what was shown, so that exactly this can be executed later."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from demurrage.cli.exits import FailedError, UsageError
from demurrage.cli.moments import spell_times
from demurrage.model.plan import Plan
from demurrage.model.verdict import VerdictKind

VERSION = 1


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    container_id: str
    verdict: VerdictKind


class _Target(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    target: str
    deletes: list[_Row]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    version: int
    plans: list[_Target]


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What was planned for one target: its containers, each with its verdict at that time."""

    target: str
    deletes: dict[str, VerdictKind]


def plain_plan(plan: Plan) -> dict[str, Any]:
    """A plan as plain data."""
    return {
        "target": plan.target,
        "made_at": plan.made_at,
        "deletes": [
            {
                "container_id": each.container_id,
                "tier": each.tier,
                "created_at": each.created_at,
                "verdict": each.verdict.kind.value,
                "codes": [code.value for code in each.verdict.codes],
                "due_at": each.due_at,
                "saves_usd": round(each.saves_usd, 6),
            }
            for each in plan.deletes
        ],
    }


def save_plans(file: Path, plans: list[Plan]) -> None:
    """Write plans to a file.

    Raises:
        FailedError: it cannot be written.
    """
    whole = {"version": VERSION, "plans": [plain_plan(each) for each in plans]}
    try:
        file.write_text(json.dumps(spell_times(whole), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise FailedError(f"{file} cannot be written: {error.strerror}") from None


def read_plans(file: Path) -> tuple[SavedPlan, ...]:
    """Read what `save_plans` wrote.

    Raises:
        UsageError: it is no such file; the message names the field.
    """
    try:
        read = _File.model_validate_json(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"])) or "the file"
        raise UsageError(
            f"{file}: no plan that `plan --save` wrote: {field}: {first['msg']}"
        ) from None
    if read.version != VERSION:
        raise UsageError(f"{file}: version: {read.version} is not one that this program reads")
    return tuple(
        SavedPlan(each.target, {row.container_id: row.verdict for row in each.deletes})
        for each in read.plans
    )
