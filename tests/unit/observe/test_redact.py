"""Secrets are masked; what is no secret stays readable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demurrage.observe.redact import MASK, Redactor

SECRET = "S3cretS3cretS3cret"


@pytest.mark.parametrize(
    "text",
    [
        f"Incorrect API key provided: sk-proj-{SECRET}.",
        f"Authorization: Bearer {SECRET}",
        f"{{'authorization': 'Digest a={SECRET} b={SECRET}'}}",
        f"api-key: {SECRET}",
        f'"api_key": "{SECRET}"',
        f"OPENAI_API_KEY={SECRET}",
        f"events_token = '{SECRET}'",
        f"https://u:{SECRET}@proxy.test/x",
        f"postgresql+psycopg://u:{SECRET}@db/x",
        f"https://x.test/?token={SECRET}&a=1",
        f"whsec_{SECRET}",
        f"Basic {SECRET}",
        f"(b'api-key', b'{SECRET}')".replace("', b'", "': b'"),
        f"eyJhbGciOi.{SECRET}.{SECRET}",
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str) -> None:
    """Keys, tokens and passwords are found by their look, in running text and JSON."""
    masked = Redactor().text(text)
    assert SECRET not in masked
    assert MASK in masked


@pytest.mark.parametrize(
    "text",
    [
        "cntr_68bd2f4e0c7c8190a1b2c3d4e5f60718293a4b5c6d7e8f90",
        "resp_0123456789abcdef",
        "https://api.openai.com/v1/containers?after=cntr_1",
        "max_tokens: 12, tasks-12 done, risk-averse",
        "3f2a9c04d1e84a5f9b7c6d5e4f3a2b1c",
    ],
)
def test_ids_and_figures_stay(text: str) -> None:
    """What people look for in a log is not masked."""
    assert Redactor().text(text) == text


@pytest.mark.parametrize(
    "name", ["api_key", "Authorization", "x-api-key", "token", "events_token", "cookie", "dsn"]
)
def test_fields_that_hold_secrets_are_masked_whole(name: str) -> None:
    """By its name alone, whatever the value looks like, however deep it is."""
    assert Redactor().value({"a": [{name: "plain"}]}) == {"a": [{name: MASK}]}


def test_known_secrets_are_masked_wherever_they_stand() -> None:
    """A key that looks like nothing in particular is known by heart."""
    redactor = Redactor(["0a1b2c3d4e5f", "0a1b2c3d4e5f6789"])
    masked = redactor.value({"x": ("see 0a1b2c3d4e5f6789!", b"0a1b2c3d4e5f")})
    assert masked == {"x": [f"see {MASK}!", f"b'{MASK}'"]}


def test_plain_values_pass() -> None:
    """Numbers, switches and nothing keep their types."""
    value: dict[str, object] = {"a": 1, "b": 2.5, "c": True, "d": None, "e": [], "tokens": 3}
    assert Redactor().value(value) == value


@pytest.mark.timeout(10)
@pytest.mark.parametrize("piece", ["a", "a-b", "token", "http://", "eyJa", "Bearer ", "sk-", "="])
def test_long_text_takes_no_time(piece: str) -> None:
    """No text makes the patterns crawl: two hundred thousand characters are done at once."""
    Redactor().text(piece * (200_000 // len(piece)))


def test_bottomless_values_end() -> None:
    """A value that holds itself does not hang the log."""
    loop: list[object] = []
    loop.append(loop)
    assert MASK in str(Redactor().value(loop))


@given(st.text(), st.text(), st.text(alphabet="abcdef0123456789", min_size=12, max_size=40))
def test_known_secret_never_passes(before: str, after: str, secret: str) -> None:
    """Whatever stands around it."""
    assert secret not in Redactor([secret]).text(f"{before}{secret}{after}").replace(MASK, "")
