"""Every live container gets exactly one verdict; the first rule that holds gives it.

unknown · protected · released · referenced · explicit · orphan · pending · unproven, in that
order (docs/architecture.md). *Time alone never turns unknown into none*: an orphan is proven by
P1 (no reference), P2 (evidence complete), P3 (every candidate done), P4 (the count fits) and
P5 (coverage); whatever falls short of that is kept.
"""

from fnmatch import fnmatchcase

from demurrage.decide import billing
from demurrage.decide.coverage import last_use
from demurrage.decide.grounds import Grounds, evidence_waits, looks_auto, restored, uncovered
from demurrage.decide.release import Held, LetGo, hold_on
from demurrage.decide.watermark import has_gone
from demurrage.model.container import Container, Life, Sighting
from demurrage.model.verdict import Code, Reason, Verdict, VerdictKind

_NO_REFERENCE = Reason(Code.NO_REFERENCE, "no response, conversation or pin names it")
_CANDIDATES_DONE = Reason(Code.CANDIDATES_DONE, "every response that can have made it is done")
_COUNT_FITS = Reason(Code.COUNT_FITS, "the logged slots account for every container")


def judge(sighting: Sighting, grounds: Grounds) -> Verdict:
    """The verdict on one live container."""
    container = sighting.container
    return (
        _unknown(container, grounds)
        or _protected(container, grounds)
        or _named_elsewhere(container, grounds)
        or _held(container, grounds)
        or _used(container, grounds)
        or _not_auto(container, grounds)
        or _maybe_created(container, grounds)
        or _unheld(container, grounds)
    )


def _verdict(
    container: Container,
    grounds: Grounds,
    kind: VerdictKind,
    reasons: tuple[Reason, ...],
    *,
    due_at: float | None = None,
    proven_at: float | None = None,
    shadow: VerdictKind | None = None,
) -> Verdict:
    maker = grounds.attribution.makers.get(container.id)
    return Verdict(container.id, kind, reasons, due_at, proven_at, maker, shadow)


def _unknown(container: Container, grounds: Grounds) -> Verdict | None:
    """A status, an id or an activity that cannot be read."""
    if container.life is Life.UNKNOWN:
        text = f"its status {container.status!r} is not one that the daemon knows"
        reason = Reason(Code.STATUS_UNKNOWN, text)
        return _verdict(container, grounds, VerdictKind.UNKNOWN, (reason,))
    if not container.recognisable:
        text = "its id does not begin as container ids do, so no reference to it would be seen"
        reason = Reason(Code.ID_UNKNOWN, text)
        return _verdict(container, grounds, VerdictKind.UNKNOWN, (reason,))
    if container.last_active_at is None:
        text = "the listing does not say when it was last active"
        reason = Reason(Code.ACTIVITY_NULL, text)
        return _verdict(container, grounds, VerdictKind.UNKNOWN, (reason,))
    return None


def _protected(container: Container, grounds: Grounds) -> Verdict | None:
    if container.id in grounds.facts.protected:
        reason = Reason(Code.PROTECTED_BY_PERSON, "a person protects it")
        return _verdict(container, grounds, VerdictKind.PROTECTED, (reason,))
    for pattern in grounds.rules.policy.protect_names:
        if fnmatchcase(container.name, pattern):
            reason = Reason(Code.PROTECTED_BY_NAME, f"its name matches {pattern!r}")
            return _verdict(container, grounds, VerdictKind.PROTECTED, (reason,))
    return None


def _named_elsewhere(container: Container, grounds: Grounds) -> Verdict | None:
    """Used by somebody who logs under another target: both are one project, or one is mistaken."""
    other = grounds.elsewhere.get(container.id)
    if other is None:
        return None
    text = f"what is logged for target {other} names it: are they one project?"
    reason = Reason(Code.NAMED_BY_RESPONSE, text, other)
    return _verdict(container, grounds, VerdictKind.REFERENCED, (reason,))


def _held(container: Container, grounds: Grounds) -> Verdict | None:
    """Released, referenced or explicit, for a container that somebody has named."""
    hold = hold_on(grounds.book, container.id, grounds.rules.evidence, grounds.now)
    if isinstance(hold, Held):
        created = hold.reasons[0].code is Code.CREATED_BY_APPLICATION
        kind = VerdictKind.EXPLICIT if created else VerdictKind.REFERENCED
        return _verdict(container, grounds, kind, hold.reasons)
    return _let_go(container, hold, grounds) if isinstance(hold, LetGo) else None


def _let_go(container: Container, hold: LetGo, grounds: Grounds) -> Verdict:
    """Due now if the end itself is proven, else still referenced."""
    waits = _release_waits(container, hold, grounds)
    if waits is not None:
        return _verdict(container, grounds, VerdictKind.REFERENCED, (*hold.reasons, waits))
    policy = grounds.rules.policy
    explicit = container.id in grounds.book.explicit or not looks_auto(container, policy)
    name, rule = ("explicit", policy.explicit) if explicit else ("released", policy.released)
    proven_at = grounds.facts.proven.get(container.id, grounds.now)
    due_at: float | None
    if rule == "delete":
        reasons, due_at = hold.reasons, proven_at
    else:
        kept = Reason(Code.POLICY_KEEPS, f'policy.{name} = "{rule}" keeps it until it expires')
        reasons, due_at = (kept, *hold.reasons), None
    return _verdict(
        container, grounds, VerdictKind.RELEASED, reasons, due_at=due_at, proven_at=proven_at
    )


def _release_waits(container: Container, hold: LetGo, grounds: Grounds) -> Reason | None:
    """What still speaks against a release: coverage, late events, activity since.

    Its end is known, but not that nothing came after it: a hole anywhere in the log, or an
    answer that cannot be read, may be somebody who came back, and so may a request that does not
    say what it goes on from. A maker that has not named it yet, because another did, still may.
    """
    rules = grounds.rules.evidence
    reason = uncovered(container, grounds)
    if reason is not None:
        return reason
    if (container.last_active_at or 0) > hold.ended_at + rules.activity_tolerance:
        return Reason(Code.ACTIVE_SINCE_BIRTH, "it was used after that end")
    return (
        restored(container, grounds)
        or evidence_waits(max(hold.ended_at, container.created_at + 1), grounds)
        or _hole(grounds)
        or _candidates_wait(container, grounds)
        or _unreadable(container, grounds)
        or _unread(grounds)
        or _in_another_context(container, hold, grounds)
    )


def _hole(grounds: Grounds) -> Reason | None:
    """What is known to be missing from the log, wherever it is."""
    for holder in grounds.watermark.faults:
        text = f"something may be missing from the log: writer {holder.source}: {holder.detail}"
        return Reason(Code.LOG_NOT_COMPLETE, text, holder.source)
    return None


def _unreadable(container: Container, grounds: Grounds) -> Reason | None:
    if container.created_at <= grounds.undecodable:
        text = "a response named a container by an id that could not be decoded"
        return Reason(Code.UNDECODABLE_REFERENCE, text)
    return None


def _unread(grounds: Grounds) -> Reason | None:
    if grounds.unread is None:
        return None
    text = f"of response {grounds.unread} only the id is known; it may use the container"
    return Reason(Code.RESPONSE_END_UNKNOWN, text, grounds.unread)


def _in_another_context(container: Container, hold: LetGo, grounds: Grounds) -> Reason | None:
    about = grounds.opaque.holder(container.created_at, hold.declared_at)
    if about is None:
        return None
    response = grounds.book.responses[about]
    about = response.response_id or about
    text = f"{about} goes on from something that it does not name, and may use the container"
    return Reason(Code.RELEASE_WAITS, text, about)


def _used(container: Container, grounds: Grounds) -> Verdict | None:
    used_at = last_use(container, grounds.rules.evidence)
    if used_at is None:
        return None
    text = f"it was active {used_at - container.created_at} s after its birth"
    reason = Reason(Code.ACTIVE_SINCE_BIRTH, text)
    return _verdict(container, grounds, VerdictKind.REFERENCED, (reason,))


def _not_auto(container: Container, grounds: Grounds) -> Verdict | None:
    policy = grounds.rules.policy
    if looks_auto(container, policy):
        return None
    text = f"its name does not match {policy.auto_name!r}, so an application made it"
    reason = Reason(Code.NAME_NOT_AUTO, text)
    return _verdict(container, grounds, VerdictKind.EXPLICIT, (reason,))


def _maybe_created(container: Container, grounds: Grounds) -> Verdict | None:
    """Born when an application was creating one, and has not told the id of what came of it."""
    if not grounds.creates or not any(
        span.admits(container.created_at) for span in grounds.creates
    ):
        return None
    text = "an application was creating a container when it was born, and the answer is not logged"
    reason = Reason(Code.CREATE_UNANSWERED, text)
    return _verdict(container, grounds, VerdictKind.EXPLICIT, (reason,))


def _unheld(container: Container, grounds: Grounds) -> Verdict:
    """Orphan, pending or unproven, for a container that nobody has named or used."""
    waiting = _waiting(container, grounds)
    impossible = _impossible(container, grounds) if waiting is None else None
    coverage = uncovered(container, grounds)
    if coverage is not None:
        shadow = VerdictKind.PENDING if waiting else VerdictKind.ORPHAN
        shadow = VerdictKind.UNPROVEN if impossible else shadow
        known = (coverage, impossible) if impossible is not None else (coverage,)
        return _unproven(container, grounds, known, waiting, shadow)
    if waiting is not None:
        return _verdict(container, grounds, VerdictKind.PENDING, (waiting,))
    if impossible is not None:
        return _unproven(container, grounds, (impossible,), waiting, None)
    return _orphan(container, grounds)


def _waiting(container: Container, grounds: Grounds) -> Reason | None:
    """What proof is still waiting for (P2, P3), None if for nothing."""
    return (
        restored(container, grounds)
        or evidence_waits(container.created_at + 1, grounds)
        or _candidates_wait(container, grounds)
    )


def _candidates_wait(container: Container, grounds: Grounds) -> Reason | None:
    """P3: a response whose end is not known may have made it and come to name it."""
    blockers = grounds.attribution.blockers.get(container.id)
    if not blockers:
        return None
    about = blockers[0]
    if about not in grounds.waits:
        grounds.waits[about] = _wait_for(about, grounds)
    return grounds.waits[about]


def _wait_for(about: str, grounds: Grounds) -> Reason:
    response = grounds.book.responses.get(about)
    if response is not None and not response.lost and _alive(response.call_id, grounds):
        text = f"response {response.response_id or about} may have made it and is not done"
        return Reason(Code.RESPONSE_RUNNING, text, response.response_id or about)
    text = f"{about} may have made it, and how it ended is not known"
    return Reason(Code.RESPONSE_END_UNKNOWN, text, about)


def _alive(call_id: str, grounds: Grounds) -> bool:
    """True when the writer of a call can still tell how it ends."""
    started = grounds.book.responses[call_id].started
    return started is not None and not (
        started.source.said_goodbye
        or has_gone(started.source, grounds.facts.retired, grounds.rules.evidence)
    )


def _impossible(container: Container, grounds: Grounds) -> Reason | None:
    """Why proof can no longer come: unreadable references, foreign, suspect."""
    unreadable = _unreadable(container, grounds)
    if unreadable is not None:
        return unreadable
    if container.id in grounds.attribution.foreign:
        return Reason(Code.FOREIGN, "no logged response can have made it")
    if container.id in grounds.attribution.matching.suspects:
        text = "more containers than logged slots: somebody else may have made it"
        return Reason(Code.SUSPECT, text)
    return None


def _unproven(
    container: Container,
    grounds: Grounds,
    reasons: tuple[Reason, ...],
    waiting: Reason | None,
    shadow: VerdictKind | None,
) -> Verdict:
    """Kept and reported; deleted only at the operator's express risk.

    Even then not while the evidence that there is may still turn up a use, nor where a name that
    could not be read may be its own.
    """
    policy = grounds.rules.policy
    due_at = None
    if waiting is not None:
        reasons = (*reasons, waiting)
    elif policy.unproven == "delete" and _unreadable(container, grounds) is None:
        risk = Reason(Code.UNPROVEN_DELETE, "policy.unproven deletes it without proof")
        reasons = (*reasons, risk)
        due_at = max(
            container.created_at + 1 + policy.unproven_after,
            (container.last_active_at or container.created_at) + 1 + policy.idle_after,
        )
    return _verdict(container, grounds, VerdictKind.UNPROVEN, reasons, due_at=due_at, shadow=shadow)


def _orphan(container: Container, grounds: Grounds) -> Verdict:
    proven_at = grounds.facts.proven.get(container.id, grounds.now)
    return _verdict(
        container,
        grounds,
        VerdictKind.ORPHAN,
        (_NO_REFERENCE, _makers_done(container, grounds), _COUNT_FITS),
        due_at=billing.due_at(proven_at, container, grounds.rules),
        proven_at=proven_at,
    )


def _makers_done(container: Container, grounds: Grounds) -> Reason:
    """P3 holds: how it is known that nobody may come to name the container."""
    deduced = grounds.attribution.deduced.get(container.id)
    if deduced is None:
        return _CANDIDATES_DONE
    about = deduced.cleared[0]
    response = grounds.book.responses[about]
    about = response.response_id or about
    text = f"deduced: {about} is not done, but must have made something else, or nothing"
    return Reason(Code.MAKERS_DEDUCED, text, about)
