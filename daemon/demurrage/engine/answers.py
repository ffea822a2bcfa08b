"""The condition of a provider that does not behave as the canary last found it to."""

from collections.abc import Iterable

from demurrage.model.condition import Condition, ConditionKind
from demurrage.model.finding import FindingRecord


def changed_answers(target: str, changed: Iterable[FindingRecord]) -> tuple[Condition, ...]:
    """One condition for each answer that has changed and that nobody has taken note of."""
    return tuple(
        Condition(
            ConditionKind.ANSWER_CHANGED,
            target,
            f"canary: {each.finding.question} was {each.changed_from}, and now is "
            f"{each.finding.words}; demurrage canary {target} --acknowledge",
        )
        for each in changed
    )
