"""When a response can have made a container.

Response times and births are on the provider's clock; what only a writer's clock tells is
widened by the span of that clock's offset and by `clock_skew`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from demurrage.decide.response import Moment, Response
from demurrage.model.rules import EvidenceRules


@dataclass(frozen=True, slots=True)
class Window:
    """From `opens` to `closes`, both in provider time; `closes` is +inf while nothing bounds it."""

    opens: float
    closes: float

    def admits(self, created_at: int) -> bool:
        """True when a container born within [created_at, created_at + 1) may be born inside."""
        return self.opens <= created_at + 1 and created_at <= self.closes


def window(
    response: Response,
    retired: Mapping[str, float],
    rules: EvidenceRules,
    *,
    whole_life: bool,
) -> Window:
    """The span in which the response's auto slots can have made their containers.

    It opens at the server's `created_at` (else at the client's start) minus skew; for a background
    response, when it was last seen queued. It closes at the first output item, else at the
    end; and, where `created_at` or the last byte sent is known, `max_birth_delay` after that;
    for a background response, or one whose request was never logged and that may be one, after
    it was first seen running. A direct connection's process that is known to be dead sent its
    last byte before it died. With whole-life windows only the end closes it.

    Of a call that two starts claim, nothing that is told of the one bounds the other; only a
    person's word on both does. Where its writer's clock is proven wrong, only how much time has
    passed by it counts.
    """
    if response.contradicted:
        return Window(_earliest(response, rules) - rules.clock_skew, _end(response, rules))
    closes = _end(response, rules)
    if not whole_life:
        closes = min(
            closes, _first_output(response, rules), _latest_birth(response, retired, rules)
        )
    return Window(_opening(response, rules), closes)


def misdated_by(response: Response, rules: EvidenceRules) -> tuple[Moment, ...]:
    """What is told of a response by clocks that stand otherwise than was told of them.

    By these it was answered before the server had begun on it, or over before the server had
    completed it; as where a proxy's `Date` was taken for the API's. That it was sent after the
    server had begun proves nothing: an answer may be that of an earlier attempt.
    """
    answers = (response.queued, response.running, response.output, response.finished)
    found = [at for at in answers if at is not None and _too_early(response, at, rules)]
    if response.finished is not None and _over_too_early(response, response.finished, rules):
        found.append(response.finished)
    return tuple(found)


def heard_by(response: Response, heard: Moment) -> float:
    """The latest provider time of what is heard of a response, whatever its writer's clock shows.

    It has come so long after the start by that clock; the server had begun by `created_high`.
    +inf where another clock, or none, tells of the start.
    """
    started, created = response.started, response.created_high
    if started is None or created is None or started.source is not heard.source:
        return inf
    return created + max(0.0, heard.time - started.time)


def _too_early(response: Response, heard: Moment, rules: EvidenceRules) -> bool:
    created = response.created_low
    return created is not None and _latest(heard, rules) < created


def _over_too_early(response: Response, finished: Moment, rules: EvidenceRules) -> bool:
    """True where by the writer's clock the end came before the server had completed it.

    Of a call that two starts claim the one may be over long before the other.
    """
    completed = response.completed_at
    told = not (finished.source.own or response.contradicted)
    return told and completed is not None and _latest(finished, rules) < completed


def _heard(response: Response, heard: Moment, rules: EvidenceRules) -> float:
    """The latest provider time at which something of a response was heard."""
    if _too_early(response, heard, rules):
        # Its clock is wrong, and may have been set meanwhile.
        return heard_by(response, heard) + rules.max_event_delay + rules.clock_skew
    return _latest(heard, rules)


def _earliest(response: Response, rules: EvidenceRules) -> float:
    """The earliest moment that any of the starts or answers of a call tells of."""
    begun = response.begun_earliest(rules.max_event_delay)
    return begun if response.created_low is None else min(begun, response.created_low)


def _opening(response: Response, rules: EvidenceRules) -> float:
    opens = response.created_low
    if opens is None:
        opens = response.begun_earliest(rules.max_event_delay)
    if response.background and response.queued is not None:
        opens = max(opens, response.queued.earliest(rules.max_event_delay))
    return opens - rules.clock_skew


def _end(response: Response, rules: EvidenceRules) -> float:
    if not response.ended or response.finished is None:
        return inf
    ended, completed_at = _heard(response, response.finished, rules), response.completed_at
    if completed_at is None:
        return ended
    completed = completed_at + rules.clock_skew
    return completed if ended == inf else max(ended, completed)


def _first_output(response: Response, rules: EvidenceRules) -> float:
    return inf if response.output is None else _heard(response, response.output, rules)


def _latest_birth(response: Response, retired: Mapping[str, float], rules: EvidenceRules) -> float:
    """`max_birth_delay` after whatever bounds the moment at which the server began."""
    if response.background or response.started is None or response.queued is not None:
        began = inf if response.running is None else _heard(response, response.running, rules)
    else:
        began = min(
            inf if response.created_high is None else response.created_high + rules.clock_skew,
            _sent(response, retired, rules),
        )
    return began + rules.max_birth_delay


def _sent(response: Response, retired: Mapping[str, float], rules: EvidenceRules) -> float:
    """The latest moment at which the request's last byte can have left; +inf if unknown."""
    if not response.direct or response.started is None:
        return inf
    source = response.started.source
    sent = inf
    # Only the writer that sent it can know, and no request has left before its start was told.
    if (
        response.sent is not None
        and response.sent.source is source
        and response.sent.time >= response.started.time
    ):
        sent = _latest(response.sent, rules)
    gone_at = source.retired_at(retired, unknown=rules.max_event_delay, skew=rules.clock_skew)
    if gone_at is not None:
        sent = min(sent, gone_at + rules.clock_skew)
    return min(sent, source.departed_by(rules.max_event_delay) + rules.clock_skew)


def _latest(moment: Moment, rules: EvidenceRules) -> float:
    return moment.latest(rules.max_event_delay) + rules.clock_skew
