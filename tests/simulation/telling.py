"""Turns a world's truth into what its writers say of it, and when each line reaches the log."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import inf
from random import Random
from typing import Any

from tests.simulation.faults import Dice
from tests.simulation.truth import EPOCH, Call, Hand, Line, Story

from demurrage.eventlog.parse import Line as Read
from demurrage.eventlog.parse import read_line
from demurrage.model.event import PERSON_PREFIX, Ending

PERSON = f"{PERSON_PREFIX}ops"
# Whole seconds that a line of an honest writer is under way at most, under `late_lines`.
_LATEST = 25.0
# Seconds that a line is under way where nothing is wrong.
_PROMPT = 0.3
_BEAT = 12.0
# A writer looks at a request that has been under way for so long.
_LOOKED_AT = 1.0


@dataclass(slots=True, eq=False)
class Letter:
    """One line on its way. `needed`: a fact, not a heartbeat; `ends`: the call it ends for good."""

    at: float
    arrives: float
    read: Read
    needed: bool
    source: str
    ends: str | None = None
    again: float = inf
    garbled_at: float = inf
    delivered: bool = False


@dataclass(slots=True)
class Post:
    """All letters, by writer in the order in which they were written."""

    by_source: dict[str, list[Letter]] = field(default_factory=dict)


def write(story: Story, dice: Dice, until: float) -> Post:
    """Everything that is said of a story up to a moment."""
    post = Post()
    random = dice.of("telling")
    lines: dict[str, list[Line]] = {hand.name: [] for hand in story.hands}
    for call in story.calls:
        lines[call.hand.name] += _of_call(random, call)
    for line in story.lines:
        lines[line.hand.name].append(line)
    for hand in story.hands:
        said = [line for line in lines[hand.name] if line.at < hand.dies]
        post.by_source[hand.name] = list(_letters(random, dice, hand, said, until))
    settled = sorted(
        (call for call in story.calls if call.settled_at < until), key=lambda each: each.settled_at
    )
    post.by_source[PERSON] = [_settles(number, call) for number, call in enumerate(settled)]
    return post


def _settles(number: int, call: Call) -> Letter:
    """A person who has looked it up says how a call ended, and what it names."""
    about = {"call_id": call.id}
    if call.by_id:
        about = {"call_id": call.response_id, "response_id": call.response_id}
    data = {
        **about,
        "status": "failed" if not call.names else "completed",
        "containers": [made.id for made in call.names],
    }
    at = call.settled_at
    line = Line(call.hand, at, "response.finished", data, call.target)
    raw = _raw((PERSON, f"{PERSON}/{number}", None), EPOCH + at, line)
    return Letter(at, at, read_line(raw), needed=False, source=PERSON, ends=call.id)


def _of_call(random: Random, call: Call) -> Iterator[Line]:
    """What its writer says of a call, as far as it learns of it."""
    known = {"call_id": call.id}
    if call.by_id:
        yield _line(call, call.known_at, "response.known", {"response_id": call.response_id})
        return
    started = {
        **known,
        "slots": call.slots,
        "containers": list(call.carried),
        "previous_response_id": call.previous,
        "conversation": call.conversation,
        "background": call.style == "background",
        "direct": call.direct,
        "opaque": True if call.opaque else None,
    }
    yield _line(call, call.starts, "response.started", started)
    if call.ending is Ending.REFUSED:
        refused = {**known, "status": "refused", "http_status": 400}
        yield _line(call, call.told_at, "response.finished", refused)
        return
    heard_until = min(call.told_at, call.hand.dies)
    seen = max(call.sent, call.starts + _LOOKED_AT) + 0.1
    if seen < heard_until:
        told = {**known, "sent_at": EPOCH + seen + call.hand.offset}
        yield _line(call, seen, "response.sent", told)
    yield from (line for line in _on_the_way(random, call) if line.at < heard_until)
    if call.told_at < inf:
        yield _line(call, call.told_at, "response.finished", _end(call))


def _line(call: Call, at: float, kind: str, data: dict[str, Any]) -> Line:
    return Line(call.hand, at, kind, data, call.target)


def _sent(call: Call) -> float | None:
    """When the last byte left, on its writer's clock; known of a direct connection."""
    return EPOCH + call.sent + call.hand.offset if call.direct else None


def _on_the_way(random: Random, call: Call) -> Iterator[Line]:
    """What is seen of a call before its end."""
    known = {"call_id": call.id, "response_id": call.response_id}
    if call.tells_creation:
        seen, status = call.creation + random.uniform(0, 0.5), "in_progress"
        if call.style == "background" and seen < call.runs:
            status = "queued"
            polled = min(call.runs + random.uniform(0, 3), call.ends)
            yield _line(call, polled, "response.created", {**known, "status": "in_progress"})
        elif call.style == "background":
            seen = max(seen, call.runs)
        told = {"created_at": EPOCH + call.creation, "sent_at": _sent(call), "status": status}
        yield _line(call, seen, "response.created", {**known, **told})
    if call.tells_output:
        names = [made.id for made in call.names]
        yield _line(call, call.output, "response.output", {**known, "containers": names})


def _end(call: Call) -> dict[str, Any]:
    """How a call ended, as its writer has it."""
    end: dict[str, Any] = {
        "call_id": call.id,
        "status": call.ending.value,
        "sent_at": _sent(call),
    }
    if call.ending is Ending.LOST:
        return end
    end["response_id"] = call.response_id
    end["created_at"] = EPOCH + call.creation
    end["containers"] = [made.id for made in call.names]
    if call.ending is Ending.COMPLETED:
        end["completed_at"] = EPOCH + call.ends
    return end


def _letters(
    random: Random, dice: Dice, hand: Hand, said: list[Line], until: float
) -> Iterator[Letter]:
    """Number a writer's lines, heartbeats among them, and send them off."""
    last = max((line.at for line in said), default=hand.begins)
    leaves = max(hand.leaves, last + 0.1) if hand.leaves < inf else inf
    stops = min(leaves, hand.dies, until)
    beats = [Line(hand, hand.begins, "writer.heartbeat", {})]
    at = hand.begins
    while (at := at + random.uniform(0.7, 1.3) * _BEAT) < stops:
        beats.append(Line(hand, at, "writer.heartbeat", {}))
    if leaves < min(hand.dies, until):
        beats.append(Line(hand, leaves, "writer.heartbeat", {"final": True}))
    offset_told = hand.offset + (random.uniform(-0.5, 0.5) if hand.offset else 0.0)
    flying: dict[str, None] = {}
    spoken_of: set[str] = set()
    sequence = 0
    for line in sorted([*said, *beats], key=lambda each: each.at):
        sequence += 1
        data = line.data
        if line.kind == "response.started":
            flying[data["call_id"]] = None
        elif line.kind == "response.finished":
            flying.pop(data["call_id"], None)
        elif line.kind == "writer.heartbeat":
            data = _beat(hand, line, sequence - 1, list(flying), offset_told)
        elif "lasts" in data:
            data = {"container_id": data["container_id"], "until": EPOCH + line.at + data["lasts"]}
        opens = line.target not in spoken_of
        spoken_of.add(line.target)
        yield _letter(random, dice, replace(line, data=data), sequence, opens=opens)
    if hand.taken_over < until:
        line = Line(hand, hand.taken_over, "writer.heartbeat", {"final": True})
        data = _beat(hand, line, sequence, list(flying), offset_told)
        yield _letter(random, dice, replace(line, data=data), sequence + 1, opens=False)


def _beat(hand: Hand, line: Line, counted: int, flying: list[str], offset: float) -> dict[str, Any]:
    return {
        "complete_through": EPOCH + line.at + hand.offset,
        "last_sequence": counted,
        "in_flight": flying,
        "clock_offset": offset,
        "final": line.data.get("final", False),
    }


def _letter(random: Random, dice: Dice, line: Line, sequence: int, *, opens: bool) -> Letter:
    """A line on its way; one that opens is the first that its writer says of a target."""
    hand = line.hand
    told = {key: value for key, value in line.data.items() if value is not None}
    place = (hand.name, f"{hand.name}/{sequence}", sequence)
    raw = _raw(place, EPOCH + line.at + hand.offset, replace(line, data=told))
    final = line.kind == "response.finished" and told.get("status") != "lost"
    letter = Letter(
        line.at,
        _by_calm(line.at + _delay(random, dice, line, opens=opens), line, dice),
        read_line(raw),
        needed=line.kind != "writer.heartbeat",
        source=hand.name,
        ends=told["call_id"] if final else None,
    )
    if not opens:
        _outlive(letter, hand)
    if line.at >= dice.calm_from:
        return letter
    if letter.arrives < inf and dice.strikes("doubled_lines"):
        letter.again = letter.arrives + random.uniform(0, 100)
    if not opens and letter.arrives < inf and dice.strikes("corrupt_lines"):
        letter.garbled_at = letter.arrives
        healed = _by_calm(letter.arrives + random.uniform(10, 120), line, dice)
        # What a dead writer left may come after all is calm, garbled first as well.
        letter.arrives = max(healed, letter.garbled_at + _PROMPT)
    return letter


def _delay(random: Random, dice: Dice, line: Line, *, opens: bool) -> float:
    """Seconds under way.

    The first line of a writer for a target comes in time, even of one that is killed at once:
    nobody would miss it there. Once all is calm, so does every line.
    """
    if line.at >= dice.calm_from:
        return random.uniform(0, _PROMPT)
    if not opens and line.hand.retired == inf and dice.strikes("missing_lines"):
        return random.uniform(30, 300)
    if dice.strikes("late_lines"):
        return random.uniform(1, _LATEST)
    return random.uniform(0, _PROMPT)


def _by_calm(arrives: float, line: Line, dice: Dice) -> float:
    """When a line arrives that is under way until then, or until all is calm."""
    return min(arrives, max(line.at, dice.calm_from) + _PROMPT)


def _outlive(letter: Letter, hand: Hand) -> None:
    """What had not arrived when its writer was killed waits in its journal for a successor.

    One that a person retires is known to have delivered everything.
    """
    if letter.arrives >= hand.dies and hand.retired == inf:
        letter.arrives = max(hand.taken_over, letter.at) + 0.5


def _raw(place: tuple[str, str, int | None], time: float, line: Line) -> dict[str, Any]:
    source, name, sequence = place
    stamp = datetime.fromtimestamp(time, UTC).isoformat().replace("+00:00", "Z")
    raw: dict[str, Any] = {
        "specversion": "1.0",
        "id": name,
        "source": source,
        "type": f"demurrage.{line.kind}",
        "time": stamp,
        "data": {**line.data, "target": line.target},
    }
    if sequence is not None:
        raw["sequence"] = sequence
    return raw
