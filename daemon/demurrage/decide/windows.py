"""The windows of a target's responses, kept from one decision to the next.

What a response comes to follows from its own events, from the clocks and the deaths of the
writers that told them, and from the settings. It is kept until one of these changes; so each
decision sees what it would see if it worked out everything anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from demurrage.decide.matching import Span, span_of
from demurrage.decide.response import Response
from demurrage.decide.source import Source
from demurrage.decide.window import Window, misdated_by, window
from demurrage.model.rules import EvidenceRules


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the log's responses come to in one decision.

    `windows`: by call id, of all that are not over before the first birth, and of those that name
    containers: one of these may have been born late. `spans`: the slots of those that are not
    over, have ended and name nothing, so that each is free. `others`: the rest of those that are
    not over, whose slots may be taken, or may yet be. `unended`: those without a known end, each
    with what it may have made, as long as nothing speaks for its slots. `late`: responses whose
    start reached the log later than decisions had allowed for. `misdated`: those that show that
    their writer's clock stands otherwise than was told.
    """

    windows: Mapping[str, Window]
    spans: Sequence[Span]
    others: Sequence[Response]
    unended: Sequence[tuple[Response, tuple[Span, ...]]]
    late: Sequence[Response]
    misdated: Sequence[Response]


@dataclass(slots=True)
class _Writers:
    """The writers of a response, and all that windows take from them; `stale` once that changed."""

    sources: tuple[Source, ...]
    told: tuple[tuple[float | None, ...], ...]
    stale: bool = False


@dataclass(slots=True)
class _Kept:
    """One response; what is born after `over_at` it cannot have made."""

    writers: _Writers
    over_at: float
    window: Window
    spans: tuple[Span, ...]
    named: bool
    ended: bool
    late: bool
    misdated: bool

    @property
    def strange(self) -> bool:
        """True for what bears on coverage, however long ago it was."""
        return self.late or self.misdated


@dataclass(slots=True)
class Windows:
    """The memory of one book: ask it with `look`, and tell it what was folded with `change`.

    `_near` are the responses that have to be looked at, in the book's order; None where that is
    all of them. The others, in `_far`, come to nothing as long as all that is listed was born
    after `_far_until` and nothing of what they rest on changes: so a decision costs what is
    going on, not what the log holds.
    """

    _kept: dict[str, _Kept] = field(default_factory=dict)
    _writers: dict[tuple[str, ...], _Writers] = field(default_factory=dict)
    _settings: tuple[EvidenceRules, bool] | None = None
    _near: dict[str, Response] | None = None
    _far: set[str] = field(default_factory=set)
    _far_until: float = -inf
    _changed: dict[str, None] = field(default_factory=dict)

    def change(self, call_id: str) -> None:
        """Something new was folded into the response."""
        self._kept.pop(call_id, None)
        if self._near is not None:
            self._changed[call_id] = None

    def clear(self) -> None:
        """Keep nothing."""
        self._kept.clear()
        self._writers.clear()
        self._near = None

    def look(
        self,
        responses: Mapping[str, Response],
        earliest: float,
        retired: Mapping[str, float],
        rules: EvidenceRules,
        *,
        whole_life: bool,
    ) -> Candidates:
        """What the responses come to.

        Args:
            responses: the book's, by call id.
            earliest: the first birth that is listed, provider time.
            retired: writers known to be gone, and since when.
            rules: the bounds of the windows.
            whole_life: windows last until the response ends (a late birth was seen).
        """
        self._renew(retired, rules, whole_life=whole_life)
        near = self._approach(responses, earliest)
        windows: dict[str, Window] = {}
        spans: list[Span] = []
        others: list[Response] = []
        unended: list[tuple[Response, tuple[Span, ...]]] = []
        strange: list[tuple[Response, _Kept]] = []
        passed: list[str] = []
        kept_of = self._kept.get
        for call_id, response in near.items():
            kept = kept_of(call_id)
            if kept is None or kept.writers.stale:
                kept = self._take(response, retired, rules, whole_life=whole_life)
            if kept.strange:
                strange.append((response, kept))
            over = kept.over_at < earliest
            if kept.named or not over:
                windows[call_id] = kept.window
            elif not kept.strange:
                passed.append(call_id)
                self._far_until = max(self._far_until, kept.over_at)
            if over:
                continue
            if kept.ended and not kept.named:
                spans += kept.spans
                continue
            others.append(response)
            if not kept.ended:
                unended.append((response, kept.spans))
        for call_id in passed:
            del near[call_id]
        self._far.update(passed)
        late = [response for response, kept in strange if kept.late]
        wrong = [response for response, kept in strange if kept.misdated]
        return Candidates(windows, spans, others, unended, late, wrong)

    def _approach(self, responses: Mapping[str, Response], earliest: float) -> dict[str, Response]:
        """The responses that have to be looked at."""
        near = self._near
        if near is None or earliest <= self._far_until or not self._far.isdisjoint(self._changed):
            self._near = near = dict(responses)
            self._far.clear()
            self._far_until = -inf
        else:
            near.update((each, responses[each]) for each in self._changed)
        self._changed.clear()
        return near

    def _renew(
        self, retired: Mapping[str, float], rules: EvidenceRules, *, whole_life: bool
    ) -> None:
        """Let go of what rests on settings, clocks or deaths that are not the same any more."""
        if self._settings != (rules, whole_life):
            self.clear()
            self._settings = (rules, whole_life)
        for key, writers in list(self._writers.items()):
            if writers.told != _told(writers.sources, retired, rules):
                writers.stale = True
                del self._writers[key]
                self._near = None

    def _take(
        self,
        response: Response,
        retired: Mapping[str, float],
        rules: EvidenceRules,
        *,
        whole_life: bool,
    ) -> _Kept:
        """Work a response out, and keep what comes of it."""
        span = window(response, retired, rules, whole_life=whole_life)
        unknown = rules.max_event_delay
        kept = self._kept[response.call_id] = _Kept(
            self._writers_of(response, retired, rules),
            _over_at(response, span, rules),
            span,
            _free(response, span) if response.ended else _open(response, span),
            bool(response.named),
            response.ended,
            response.began_late(unknown),
            bool(misdated_by(response, rules)),
        )
        return kept

    def _writers_of(
        self, response: Response, retired: Mapping[str, float], rules: EvidenceRules
    ) -> _Writers:
        sources = {at.source.id: at.source for at in response.moments}
        key = tuple(sorted(sources))
        writers = self._writers.get(key)
        if writers is None:
            ordered = tuple(sources[each] for each in key)
            writers = self._writers[key] = _Writers(ordered, _told(ordered, retired, rules))
        return writers


def _told(
    sources: Sequence[Source], retired: Mapping[str, float], rules: EvidenceRules
) -> tuple[tuple[float | None, ...], ...]:
    """What windows, and whether a start was late, take from writers."""
    unknown, skew = rules.max_event_delay, rules.clock_skew
    return tuple(
        (
            *source.offsets(unknown),
            source.timed,
            source.retired_at(retired, unknown=unknown, skew=skew),
            source.departed_by(unknown),
        )
        for source in sources
    )


def _over_at(response: Response, span: Window, rules: EvidenceRules) -> float:
    """When the last can have been born that the response may have made, +inf while it runs."""
    if not response.ended:
        return inf
    told = response.last_told(rules.max_event_delay) + rules.clock_skew
    return max(told, span.closes)


def _free(response: Response, span: Window) -> tuple[Span, ...]:
    """What is to be matched of a response all of whose slots are free."""
    slots = response.auto_slots
    if len(slots) > 1:
        slots = tuple(sorted(slots, key=lambda slot: slot.tier or ""))
    return tuple(span_of(response.call_id, span, slot.tier) for slot in slots)


def _open(response: Response, span: Window) -> tuple[Span, ...]:
    """What a response that has no known end may have made, and come to name.

    Of two slots that made one known container between them, either may be the open one.
    """
    tiers = dict.fromkeys(slot.tier for slot in response.auto_slots)
    if response.unclear:
        tiers[None] = None
    return tuple(span_of(response.call_id, span, tier) for tier in tiers)
