"""What each target's API says: is it there, is the key good, may it list and delete."""

import secrets

from demurrage.app.assembly import budgets, targets
from demurrage.app.preflight.check import Check, Grade
from demurrage.app.settings import Settings
from demurrage.engine.look import Target
from demurrage.model.condition import ConditionKind
from demurrage.model.deletion import DeleteOutcome
from demurrage.model.listing import Failure, Region
from demurrage.model.plan import Mode

# Beyond this a person should mend the clock; decisions go by the provider's own. In seconds.
_OFFSET = 5.0
# A short stretch of the listing tells of the key all that a listing can tell. In seconds.
_BACK = 60.0
# Random bytes of an id that no container has, nor will have.
_NOBODY = 24

_ADVICE = {
    ConditionKind.UNAUTHORIZED: "check the key that api_key_env names, and base_url",
    ConditionKind.MISSING_SCOPE: "give the key the scopes to read and write containers",
    ConditionKind.SPEND_LIMIT: "raise the project's spend limit; no waiting cures it",
    ConditionKind.UNREACHABLE: "check base_url, proxy and ca_file, and the way out of this host",
    ConditionKind.TIMEOUT: "try again; if it stays so, check proxy and raise timeout",
    ConditionKind.RATE_LIMITED: "try again later, and lower requests_per_minute",
    ConditionKind.OVERLOADED: "try again later",
    ConditionKind.SERVER_ERROR: "try again later",
    ConditionKind.NOT_JSON: "check base_url: something else than the API answers there",
}
_ANY_ADVICE = "check base_url and provider"
_REFUSALS = frozenset({ConditionKind.UNAUTHORIZED, ConditionKind.MISSING_SCOPE})


async def api_checks(settings: Settings) -> list[Check]:
    """Lists one page of each target, and asks to delete what does not exist; changes nothing."""
    found: list[Check] = []
    for target in targets(settings, budgets(settings)):
        try:
            found += await _api(target, settings.targets[target.name].base_url)
        finally:
            await target.api.close()
    return found


async def _api(target: Target, base_url: str) -> list[Check]:
    now = target.api.clock.now()
    listing = await target.api.read((Region(down_to=now - _BACK),))
    failure = listing.failure
    if failure is not None:
        advice = _ADVICE.get(failure.kind, _ANY_ADVICE)
        finding = f"{base_url}: {_said(failure)}"
        return [Check(f"{target.name}: API", Grade.FAIL, finding, advice)]
    finding = f"{base_url} answers; the key is valid and may list"
    return [
        Check(f"{target.name}: API", Grade.PASS, finding),
        _clock(target),
        await _delete_scope(target),
    ]


def _clock(target: Target) -> Check:
    offset, name = target.api.clock.offset, f"{target.name}: clock"
    if offset is None:
        finding = "its answers carry no date; without the provider's time nothing is decided"
        return Check(name, Grade.WARN, finding, "have whatever lies between pass `Date` on")
    finding = f"the provider's is {abs(offset):.1f} s {'ahead' if offset > 0 else 'behind'}"
    if abs(offset) > _OFFSET:
        return Check(name, Grade.WARN, finding, "synchronise this host's clock")
    return Check(name, Grade.PASS, finding)


async def _delete_scope(target: Target) -> Check:
    """Ask to delete a container that cannot exist: refused, or not found?

    That a 404 comes from behind the check of the key's scopes is likely and written nowhere, so
    the finding says what was seen.
    """
    name, enforce = f"{target.name}: delete", target.mode is Mode.ENFORCE
    answer = await target.api.delete(f"cntr_{secrets.token_hex(_NOBODY)}", lambda: None)
    if answer.outcome is DeleteOutcome.ALREADY_GONE:
        finding = "a DELETE of an id that does not exist was answered not found, and not refused"
        return Check(name, Grade.PASS, finding)
    failure = answer.failure
    if failure is not None and failure.kind in _REFUSALS:
        grade = Grade.FAIL if enforce else Grade.WARN
        finding = f"the key may list but not delete: {_said(failure)}"
        return Check(name, grade, finding, "give the key the scope to write containers")
    said = _said(failure) if failure is not None else "the API says that it deleted it"
    finding = f"whether the key may delete cannot be told: asked to delete nothing, {said}"
    return Check(name, Grade.WARN, finding, "see that it has the scope to write containers")


def _said(failure: Failure) -> str:
    return f"{failure.kind.value}: {failure.detail}"
