"""The filter of deduction against an enumeration of every complete matching."""

from collections.abc import Iterator
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from demurrage.decide.alternatives import find_alternatives
from demurrage.decide.matching import Birth, Span, match

SEEDS = st.integers(0, 2**32)
TIERS = ("1g", "1g", "4g", None)


def group(dice: Random) -> tuple[list[Birth], list[Span]]:
    """Up to seven births, most with a slot that can have made them, among up to seven slots."""
    births = [
        Birth(dice.randint(0, 12), f"c{place}", dice.choice(TIERS))
        for place in range(dice.randint(1, 7))
    ]
    spans = [
        Span(
            f"r{place}",
            birth.created_at - dice.randint(0, 4),
            birth.created_at + dice.choice([0, 1, 3, 6, float("inf")]),
            dice.choice([birth.tier, birth.tier, None]),
        )
        for place, birth in enumerate(births)
        if dice.random() < 0.95
    ]
    while len(spans) < 7 and dice.random() < 0.3:
        low = dice.randint(-2, 12)
        spans.append(Span("more", low, low + dice.randint(0, 5), dice.choice(TIERS)))
    dice.shuffle(spans)
    return births, spans


def complete(births: list[Birth], spans: list[Span]) -> Iterator[tuple[int, ...]]:
    """Every matching that leaves no birth over, as the number of each one's span."""
    if not births:
        yield ()
        return
    for rest in complete(births[1:], spans):
        for number, span in enumerate(spans):
            if number not in rest and span.admits(births[0]):
                yield (number, *rest)


@settings(max_examples=300, deadline=None)
@given(SEEDS)
def test_possible_makers_are_those_of_some_complete_matching(seed: int) -> None:
    """No more and no fewer, whatever overlaps and whichever tiers are unknown."""
    births, spans = group(Random(seed))
    matching = match(births, spans)
    kept = [birth for birth in births if birth.container_id not in matching.suspects]
    found = find_alternatives(kept, spans, matching.pairs)
    assert sorted((*found.loose, *found.circles)) == sorted(each.container_id for each in kept)
    possible = {
        (birth.container_id, number)
        for numbers in complete(kept, spans)
        for birth, number in zip(kept, numbers, strict=True)
    }
    assert possible == {
        (birth.container_id, number)
        for birth in kept
        for number in range(len(spans))
        if found.pairs(birth, number)
    }


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_a_constraint_less_rules_out_no_more(seed: int) -> None:
    """To leave a container out of the count, or to count a slot too many, is always safe."""
    dice = Random(seed)
    births, spans = group(dice)
    matching = match(births, spans)
    kept = [birth for birth in births if birth.container_id not in matching.suspects]
    before = find_alternatives(kept, spans, matching.pairs)
    fewer = [birth for birth in kept if dice.random() < 0.7]
    more = [*spans, Span("extra", dice.randint(-2, 8), dice.randint(8, 14), dice.choice(TIERS))]
    after = find_alternatives(fewer, more, match(fewer, more).pairs)
    for birth in fewer:
        for number in range(len(spans)):
            assert after.pairs(birth, number) or not before.pairs(birth, number)
