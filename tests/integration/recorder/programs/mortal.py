"""An application that is killed, and returns to the conversations of those before it.

`python mortal.py URL DIARY LIFE SEED WILL`: talks in three ways at once, in three styles of
context. It notes where each talk stands in DIARY, a line a change, and begins with the talks that
it finds there. WILL is `live`, to go on until it is killed, or `return`, to take one turn with the
tool in each talk that it finds and end well. Whatever the API refuses stands in DIARY too.
"""

import json
import os
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

from openai import APIStatusError, OpenAI

import demurrage_recorder as recorder

URL, DIARY, LIFE, SEED, WILL = sys.argv[1:]
STYLES = ("replayed", "previous", "conversation")
TOOL = {"type": "code_interpreter", "container": {"type": "auto"}}
TIER = {"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "4g"}}

client: Any = OpenAI(max_retries=0)
recorder.instrument(client, url=URL, labels={"life": LIFE}, direct=True)
diary = os.open(DIARY, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def note(line: dict[str, Any]) -> None:
    """Write a line that survives this process."""
    os.write(diary, json.dumps(line).encode() + b"\n")


def turn(talk: dict[str, Any], words: str) -> None:
    """Take a turn, after the one that nobody has seen the end of."""
    if talk["pending"]:
        _settle(talk, _last_of(client.responses.retrieve(talk["pending"])))
    request: dict[str, Any] = {"input": words, "tools": [talk["tool"]]}
    if talk["style"] == "replayed":
        request["input"] = [*talk["items"], {"role": "user", "content": words}]
    elif talk["style"] == "conversation":
        request["conversation"] = talk["conversation"]
    elif talk["previous"]:
        request["previous_response_id"] = talk["previous"]
    _settle(talk, _asked(talk, {"model": "gpt-5", "metadata": {"life": LIFE}, **request}))


def _asked(talk: dict[str, Any], request: dict[str, Any]) -> Any:
    if talk["way"] == "streamed":
        return list(client.responses.create(**request, stream=True))[-1].response
    if talk["way"] == "blocking":
        return client.responses.create(**request)
    response = client.responses.create(**request, background=True)
    talk["pending"] = response.id
    note(talk)
    return _last_of(response)


def _last_of(response: Any) -> Any:
    while response.status in ("queued", "in_progress"):
        time.sleep(0.05)
        response = client.responses.retrieve(response.id)
    return response


def _settle(talk: dict[str, Any], response: Any) -> None:
    talk["items"] += [each.model_dump(mode="json", exclude_none=True) for each in response.output]
    talk["previous"], talk["pending"] = response.id, None
    note(talk)


def begin(key: str, way: str, rng: random.Random) -> dict[str, Any]:
    """A talk that nobody has had."""
    talk = {"key": key, "way": way, "style": rng.choice(STYLES), "tool": rng.choice([TOOL, TIER])}
    talk["conversation"] = client.conversations.create().id
    return {**talk, "previous": None, "pending": None, "items": []}


def told() -> dict[str, dict[str, Any]]:
    """Where every talk stood when it was last noted."""
    lines = [json.loads(line) for line in Path(DIARY).read_text().splitlines()]
    return {line["key"]: line for line in lines if "refused" not in line}


def words_of(rng: random.Random, *, use: bool) -> str:
    """What is said in a turn; how long its answer takes in nominal seconds stands with it."""
    return f"{'[[use_tool]] ' * use}[[seconds={rng.randint(5, 40)}]]"


def work(way: str, found: list[dict[str, Any]]) -> None:
    """Talk in one of the ways."""
    rng = random.Random(f"{SEED} {LIFE} {way}")
    talks = list(found)
    if WILL == "live":
        rng.shuffle(found)
    for talk in found if WILL == "return" else found[:2]:
        attempt(talk, words_of(rng, use=True))
    while WILL == "live":
        if not talks or rng.random() < 0.5:
            talks.append(begin(f"{LIFE} {way} {len(talks)}", way, rng))
        attempt(rng.choice(talks[-3:]), words_of(rng, use=rng.random() < 0.3))


def attempt(talk: dict[str, Any], words: str) -> None:
    """Take a turn; what the API refuses must not be forgotten."""
    try:
        turn(talk, words)
    except APIStatusError as error:
        note({"key": talk["key"], "refused": error.message})


def main() -> None:
    """Work in all ways at once."""
    left = told()
    print("at work", flush=True)
    ways = ("blocking", "streamed", "background")
    threads = [
        threading.Thread(
            target=work, args=(way, [talk for talk in left.values() if talk["way"] == way])
        )
        for way in ways
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


main()
