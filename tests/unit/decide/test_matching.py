"""The matching against an enumeration of every maximum matching."""

from itertools import product
from random import Random

from hypothesis import example, given
from hypothesis import strategies as st
from tests.examples import examples

from demurrage.decide.matching import Birth, Search, Span, match
from demurrage.decide.stabbing import Stabbing

TIERS = st.sampled_from([None, "1g", "4g"])


@st.composite
def births(draw: st.DrawFn) -> list[Birth]:
    """Up to five containers born within ten seconds."""
    drawn = draw(st.lists(st.tuples(st.integers(0, 9), TIERS), max_size=5))
    return [Birth(second, f"c{place}", tier) for place, (second, tier) in enumerate(drawn)]


@st.composite
def spans(draw: st.DrawFn) -> list[Span]:
    """Up to five slots with windows of any length, some without an end."""
    ends = st.one_of(st.integers(0, 10), st.just(float("inf")))
    drawn = draw(st.lists(st.tuples(st.integers(-2, 9), ends, TIERS), max_size=5))
    return [
        Span(f"r{place}", low, low + length, tier)
        for place, (low, length, tier) in enumerate(drawn)
    ]


def every_maximum(born: list[Birth], slots: list[Span]) -> list[dict[str, int]]:
    """All maximum matchings, by trying every choice of slot or none for every birth."""
    choices = [
        [None, *(number for number, span in enumerate(slots) if span.admits(birth))]
        for birth in born
    ]
    found: list[dict[str, int]] = []
    for choice in product(*choices):
        taken = [number for number in choice if number is not None]
        if len(taken) == len(set(taken)):
            found.append(
                {
                    birth.container_id: number
                    for birth, number in zip(born, choice, strict=True)
                    if number is not None
                }
            )
    most = max(len(each) for each in found)
    return [each for each in found if len(each) == most]


@examples(400)
@given(births(), spans())
@example(
    [Birth(1, "c0", "1g"), Birth(2, "c1", None), Birth(2, "c2", "1g")],
    [
        Span("r0", 2, 2, "4g"),
        Span("r1", 1, 2, "1g"),
        Span("r2", 1, 1, None),
        Span("r3", 1, 2, None),
    ],
).via("one has to give way for the others")
@example(
    [Birth(1, "c1", "1g"), Birth(2, "c3", None), Birth(3, "c0", None), Birth(3, "c2", "4g")],
    [
        Span("r0", 0, 1, None),
        Span("r1", 2, 2, "4g"),
        Span("r2", 1, 3, "1g"),
        Span("r3", 2, 3, None),
    ],
).via("one gives way only after another has")
@example(
    [Birth(0, "c0", "2g"), Birth(0, "c1", None), Birth(0, "c2", "1g"), Birth(0, "c3", "1g")],
    [Span("r0", 0, 1, "1g"), Span("r1", 0, 1, "4g")],
).via("one that cannot be paired hinders nobody else")
def test_matching_agrees_with_enumeration(born: list[Birth], slots: list[Span]) -> None:
    """It is valid and maximum, and suspects are exactly those that some maximum leaves over."""
    maxima = every_maximum(born, slots)
    matching = match(born, slots)
    by_id = {birth.container_id: birth for birth in born}
    assert matching.spans == slots
    assert len(set(matching.pairs.values())) == len(matching.pairs)
    assert all(slots[number].admits(by_id[each]) for each, number in matching.pairs.items())
    assert len(matching.pairs) == len(maxima[0])
    assert matching.left_over == set(by_id) - set(matching.pairs)
    left = {each for pairs in maxima for each in by_id if each not in pairs}
    assert matching.suspects == left


@examples(200)
@given(births(), spans())
def test_alone_a_birth_takes_the_span_that_closes_first(
    born: list[Birth], slots: list[Span]
) -> None:
    """Of its own tier, if one of that admits it: there is its most likely maker."""
    for birth in born:
        fitting = [span for span in slots if span.admits(birth)]
        taken = [slots[number] for number in match([birth], slots).pairs.values()]
        assert bool(taken) == bool(fitting)
        for span in taken:
            assert span.high == min(each.high for each in fitting if each.tier == span.tier)
            assert birth.tier in (None, span.tier) or {each.tier for each in fitting} == {None}


@examples(200)
@given(births(), spans())
def test_search_agrees_with_a_look_at_every_slot(born: list[Birth], slots: list[Span]) -> None:
    """Foreign is what no slot admits; each slot is handed out once."""
    search = Search(slots)
    handed: list[int] = []
    for birth in born:
        open_ones = {
            number
            for number, span in enumerate(slots)
            if span.admits(birth) and number not in handed
        }
        assert search.admits(birth) == bool(open_ones)
        got = list(search.fitting(birth))
        assert set(got) == open_ones
        handed.extend(got)
    assert len(handed) == len(set(handed))


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 8)), max_size=12),
    st.lists(st.integers(-1, 25), max_size=12),
)
def test_stabbing_agrees_with_a_scan(drawn: list[tuple[int, int]], points: list[int]) -> None:
    """One by one, every interval that contains the point and was not handed out."""
    intervals = [(float(low), float(low + length)) for low, length in drawn]
    stabbing = Stabbing(intervals)
    left = set(range(len(intervals)))
    for point in points:
        hit = {each for each in left if intervals[each][0] <= point <= intervals[each][1]}
        assert stabbing.hits(point) == bool(hit)
        one = stabbing.take_one(point)
        assert (one in hit) if hit else one is None
        rest = set(stabbing.take(point)) | ({one} if one is not None else set())
        assert rest == hit
        left -= hit


@examples(200)
@given(births(), spans(), st.randoms(use_true_random=False))
def test_who_is_suspect_does_not_depend_on_the_order(
    born: list[Birth], slots: list[Span], dice: Random
) -> None:
    """Only which of equals is paired with which may differ."""
    before = match(born, slots)
    shuffled = list(slots)
    dice.shuffle(shuffled)
    after = match(reversed(born), shuffled)
    assert after.suspects == before.suspects
    assert len(after.pairs) == len(before.pairs)
