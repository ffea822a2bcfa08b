"""The reasons of verdicts in a few words, the same wherever people read many of them at once."""

from collections.abc import Mapping

from demurrage.model.verdict import Code, VerdictKind

_WHY: Mapping[str, str] = {
    Code.STATUS_UNKNOWN: "its status is not known",
    Code.ID_UNKNOWN: "its id is of a form not known",
    Code.ACTIVITY_NULL: "it shows no activity",
    Code.PROTECTED_BY_PERSON: "a person protects it",
    Code.PROTECTED_BY_NAME: "its name is protected",
    Code.LINEAGES_ENDED: "its conversation has ended",
    Code.RELEASED_BY_APPLICATION: "its application let it go",
    Code.POLICY_KEEPS: "let go, but policy keeps it",
    Code.NAMED_BY_RESPONSE: "a response names it",
    Code.PINNED: "an application pinned it",
    Code.ACTIVE_SINCE_BIRTH: "used since its birth",
    Code.CREATED_BY_APPLICATION: "an application made it itself",
    Code.CREATE_UNANSWERED: "an application may have made it itself",
    Code.NAME_NOT_AUTO: "its name says that an application made it",
    Code.NO_REFERENCE: "proven: no response needs it",
    Code.CANDIDATES_DONE: "every possible maker is done",
    Code.MAKERS_DEDUCED: "what still runs made something else",
    Code.COUNT_FITS: "as many containers as logged requests",
    Code.RELEASE_WAITS: "ended, but a turn still runs",
    Code.EVENTS_MAY_BE_LATE: "events may still come in",
    Code.LOG_NOT_COMPLETE: "the log is not complete yet",
    Code.RESPONSE_RUNNING: "a possible maker still runs",
    Code.RESPONSE_END_UNKNOWN: "a possible maker's end is unknown",
    Code.BORN_BEFORE_RESTORE: "born before a restore",
    Code.UNDECODABLE_REFERENCE: "a name could not be decoded",
    Code.FOREIGN: "no logged response can have made it",
    Code.SUSPECT: "more containers than logged requests",
    Code.COVERAGE_PARTIAL: "not every maker logs here",
    Code.COVERAGE_BROKEN: "coverage was broken",
    Code.BORN_BEFORE_COVERAGE: "born before coverage was complete",
    Code.UNPROVEN_DELETE: "policy deletes it without proof",
}
# Two of these mean something else where the container is still held.
_STILL_HELD: Mapping[str, str] = {
    Code.LINEAGES_ENDED: "ended, not yet provably",
    Code.RELEASED_BY_APPLICATION: "let go, not yet provably",
}


def why(verdict: str, code: str) -> str:
    """The ground of a verdict; a code that has no words yet stands for itself."""
    if verdict == VerdictKind.REFERENCED and code in _STILL_HELD:
        return _STILL_HELD[code]
    return _WHY.get(code, code.replace("_", " "))
