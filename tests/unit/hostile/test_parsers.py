"""Whatever comes in: a value, or the parser's own error that repeats nothing of a secret."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.eventlog.conftest import LEAST, make
from tests.unit.hostile.mutations import SECRET, VALUES, mutated

from demurrage.app.settings import Settings, load_settings
from demurrage.eventlog.files.feed import FolderFeed
from demurrage.eventlog.log import EventLog
from demurrage.eventlog.parse import parse_batch
from demurrage.model.error import MalformedEventError, SettingsError
from demurrage.model.event import Entry
from demurrage.model.listing import Failure
from demurrage.provider.answer import Answer
from demurrage.provider.rows import Page, read_page
from demurrage.provider.webhooks import (
    ForgedWebhookError,
    MalformedWebhookError,
    read_webhook,
)

# A tenth of what the profile asks for: each example writes a database.
_DEAR = settings().max_examples // 10
EVENTS = [make(kind.removeprefix("demurrage.")) for kind in LEAST]
ROW = {
    "id": "cntr_" + "0" * 48,
    "object": "container",
    "created_at": 1_800_000_000,
    "status": "running",
    "last_active_at": 1_800_000_000,
    "expires_after": {"anchor": "last_active_at", "minutes": 20},
    "memory_limit": "1g",
    "name": "auto",
}
PAGE = {
    "object": "list",
    "data": [ROW, {**ROW, "id": "cntr_" + "1" * 48}],
    "first_id": ROW["id"],
    "last_id": ROW["id"],
    "has_more": False,
}
JSON = {"content-type": "application/json"}
KEY = b"a secret of the provider's"
WEBHOOK_SECRET = "whsec_" + base64.b64encode(KEY).decode()
WEBHOOK = {
    "id": "evt_1",
    "object": "event",
    "type": "response.completed",
    "created_at": 1_800_000_000,
    "data": {"id": "resp_1"},
}


def quotes_nothing(error: Exception) -> None:
    """Neither its message nor what stands behind it repeats what came in."""
    assert SECRET not in str(error)
    assert error.__cause__ is None


def text_of(document: Any) -> bytes:
    """A document as it travels; lone surrogates travel escaped."""
    return json.dumps(document).encode()


@given(st.binary(max_size=80) | mutated(*EVENTS).map(text_of) | VALUES.map(text_of))
@example(b"[" * 200_000)
@example(b'{"specversion": NaN}')
def test_an_event_or_a_named_field(raw: bytes) -> None:
    """An event is read or refused by its field's path, which quotes no value."""
    try:
        lines = parse_batch(raw)
    except MalformedEventError as error:
        quotes_nothing(error)
    else:
        assert all(line.event.id for line in lines)


@given(st.lists(mutated(*EVENTS), max_size=4), st.integers(0, 4))
def test_a_batch_is_refused_for_its_bad_event_alone(bad: list[Any], place: int) -> None:
    """Of a batch with bad events the first bad one is named; good ones are read as they are."""
    batch = [*bad[:place], make(), *bad[place:]]
    try:
        lines = parse_batch(text_of(batch))
    except MalformedEventError as error:
        refused = error.index
    else:
        refused = None
        assert len(lines) == len(batch)
    assert refused != min(place, len(bad))


_JUNK = (st.binary(min_size=1, max_size=60) | mutated(*EVENTS).map(text_of)).map(
    lambda raw: raw.replace(b"\n", b" ")
)


@settings(max_examples=_DEAR)
@given(st.lists(_JUNK, max_size=6), st.randoms(use_true_random=False))
def test_junk_costs_no_neighbour(
    tmp_path_factory: pytest.TempPathFactory, junk: list[bytes], random: Any
) -> None:
    """Every good line of a file is in the log, whatever stands around it; no reason quotes any."""
    folder: Path = tmp_path_factory.mktemp("events")
    good = [make(id=f"good-{n}", source="good/1", sequence=n) for n in (1, 2, 3)]
    lines = [*map(text_of, good), *junk]
    random.shuffle(lines)
    (folder / "app.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    reasons: list[str] = []
    log = EventLog.open(f"sqlite:///{folder}/log.db", clock=time.time)
    try:
        FolderFeed(
            folder, log, targets=("default",), clock=time.time, on_set_aside=reasons.extend
        ).gather()
        records = log.read(0, 100).records
    finally:
        log.close()
    held = {each.event.id for each in records if isinstance(each, Entry)}
    assert {each["id"] for each in good} <= held
    assert SECRET not in "".join(reasons)


@given(
    st.binary(max_size=80) | mutated(PAGE).map(text_of) | VALUES.map(text_of),
    st.sampled_from([JSON, {}, {"content-type": "text/html"}]),
    st.sampled_from([200, 200, 200, 204, 302, 400, 401, 404, 429, 500, 503]),
)
@example(b"[" * 200_000, JSON, 200)
def test_a_page_or_a_named_failure(body: bytes, headers: dict[str, str], status: int) -> None:
    """A page is whole and plausible, or it is a failure by name that quotes nothing."""
    read = read_page(Answer(status, headers, body))
    if isinstance(read, Failure):
        assert SECRET not in read.detail
        return
    assert isinstance(read, Page)
    shown = json.loads(body)["data"]
    assert [row.id for row in read.rows] == [row["id"] for row in shown]
    assert all(10**9 <= row.created_at < 10**11 for row in read.rows)


def load(folder: Path, text: bytes, environ: dict[str, str]) -> None:
    """Read settings; they are valid, or refused in our own words."""
    file = folder / "demurrage.toml"
    file.write_bytes(text)
    try:
        read = load_settings(file, environ)
    except SettingsError as error:
        quotes_nothing(error)
    else:
        assert isinstance(read, Settings)
        assert SECRET not in repr(read)


_KEYS = st.sampled_from(
    [
        *("mode", "database_url", "targets", "watch", "policy", "billing", "http", "canary"),
        *("interval", "usd_per_minute", "auto_name", "every", "bind", "api_key", "base_url"),
        *("events_token_env", "proxy", "default", "timeout", "nosuch"),
    ]
)
_SCALARS = st.sampled_from(
    [
        *(SECRET, f"https://user:{SECRET}@host/v1", f"postgresql://u:{SECRET}@h/d", "5m", "-1s"),
        *(-1, 0, 3.5, 10**30, True, "", "auto", "\0", "nosuch", float("inf"), [SECRET], []),
    ]
)


def toml(tree: dict[str, Any]) -> bytes:
    """A tree as TOML, all of it inline; JSON's strings and lists are TOML's."""

    def of(value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key} = {of(inner)}" for key, inner in value.items()) + "}"
        return "inf" if value == float("inf") else json.dumps(value)

    return "".join(f"{key} = {of(value)}\n" for key, value in tree.items()).encode()


_TREES = st.recursive(
    _SCALARS, lambda inner: st.dictionaries(_KEYS, inner, max_size=3), max_leaves=8
)


@given(st.binary(max_size=60) | st.dictionaries(_KEYS, _TREES, max_size=4).map(toml))
def test_settings_or_problems(tmp_path_factory: pytest.TempPathFactory, text: bytes) -> None:
    """Any file is read, or refused with problems that repeat no value."""
    load(tmp_path_factory.getbasetemp(), text, {"OPENAI_API_KEY": SECRET})


@given(
    st.dictionaries(
        st.lists(_KEYS, min_size=1, max_size=4).map(
            lambda keys: "DEMURRAGE_" + "__".join(keys).upper()
        ),
        st.sampled_from([SECRET, f"[{SECRET}", "{", '{"1g": "x"}', "5m", "-1", "", "[1]", "x,y"]),
        max_size=4,
    )
)
def test_variables_or_problems(
    tmp_path_factory: pytest.TempPathFactory, environ: dict[str, str]
) -> None:
    """Any environment is read, or refused with problems that name the variable and no value."""
    folder = tmp_path_factory.getbasetemp()
    load(folder, b"[targets.default]\n", {**environ, "OPENAI_API_KEY": SECRET})


@given(
    st.binary(max_size=80) | mutated(WEBHOOK).map(text_of),
    st.booleans(),
    st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]),
        st.text(max_size=20) | st.sampled_from(["v1,", "v1,\xe9", "1e400", "-1"]),
        max_size=2,
    ),
)
def test_a_webhook_or_its_refusal(body: bytes, signed: bool, odd: dict[str, str]) -> None:  # noqa: FBT001
    """Only a signed body is read at all; one that cannot be says where, and quotes nothing."""
    now = str(int(time.time()))
    mac = hmac.new(KEY, f"wh_1.{now}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "webhook-id": "wh_1",
        "webhook-timestamp": now,
        "webhook-signature": "v1," + base64.b64encode(mac if signed else b"no" * 16).decode(),
    } | ({} if signed else odd)
    try:
        webhook = read_webhook(body, headers, WEBHOOK_SECRET)
    except ForgedWebhookError as error:
        quotes_nothing(error)
        assert not signed or not is_text(body)
    except MalformedWebhookError as error:
        quotes_nothing(error)
    else:
        assert signed
        assert webhook.type == json.loads(body)["type"]


def is_text(body: bytes) -> bool:
    """True for UTF-8."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
