"""Where secrets are found, and that they never show."""

from collections.abc import Callable
from pathlib import Path

import pytest

from demurrage.app.settings import Settings

Load = Callable[..., Settings]
Complain = Callable[..., list[str]]
TARGET = "[targets.default]\n"
SECRET = "sk-proj-S3cretS3cretS3cretS3cret"


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    """What systemd calls the credentials directory."""
    directory = tmp_path / "credentials"
    directory.mkdir()
    return directory


def key(settings: Settings, target: str = "default") -> str:
    """The target's API key."""
    return settings.secrets.api_keys[target].get_secret_value()


def test_key_from_a_named_variable(load: Load) -> None:
    """`api_key_env` names it; space around the value is no part of it."""
    settings = load(TARGET + 'api_key_env = "TEAM_KEY"\n', {"TEAM_KEY": f" {SECRET}\n"})
    assert key(settings) == SECRET


def test_azure_has_its_own_usual_variable(load: Load) -> None:
    """An Azure target never picks up the OpenAI key by default."""
    toml = TARGET + 'provider = "azure"\nbase_url = "https://r.openai.azure.com/openai/v1/"\n'
    environ = {"OPENAI_API_KEY": "other", "AZURE_OPENAI_API_KEY": SECRET}
    assert key(load(toml, environ)) == SECRET


def test_entra_needs_no_key(load: Load) -> None:
    """With Entra there is no key to find."""
    toml = (
        TARGET + 'provider = "azure"\nauth = "entra"\n'
        'base_url = "https://r.openai.azure.com/openai/v1/"\n'
    )
    assert load(toml, {}).secrets.api_keys == {}


def test_key_file_goes_first(load: Load, tmp_path: Path) -> None:
    """`api_key_file` goes before the environment."""
    file = tmp_path / "key"
    file.write_text(f"{SECRET}\n")
    toml = TARGET + f'api_key_file = "{file}"\n'
    assert key(load(toml, {"OPENAI_API_KEY": "other"})) == SECRET


def test_variable_may_name_a_file(load: Load, tmp_path: Path) -> None:
    """With `_FILE` appended, the variable names a file that holds the secret."""
    (tmp_path / "key").write_text(SECRET)
    environ = {"OPENAI_API_KEY_FILE": str(tmp_path / "key")}
    assert key(load(TARGET, environ)) == SECRET
    assert key(load(None, environ)) == SECRET


def test_credentials_go_before_the_environment(load: Load, credentials: Path) -> None:
    """A credential that the unit loads is meant, whatever the environment has."""
    (credentials / "default.api_key").write_text(SECRET)
    environ = {"CREDENTIALS_DIRECTORY": str(credentials), "OPENAI_API_KEY": "other"}
    assert key(load(TARGET, environ)) == SECRET


def test_plain_credential_serves_a_sole_target(load: Load, credentials: Path) -> None:
    """`api_key` is unmistakable with one target, and with two goes to neither."""
    (credentials / "api_key").write_text(SECRET)
    environ = {"CREDENTIALS_DIRECTORY": str(credentials), "OPENAI_API_KEY": "other"}
    assert key(load(TARGET, environ)) == SECRET
    assert key(load(None, environ)) == SECRET
    both = load('[targets.a]\nbase_url = "https://a.test/v1"\n[targets.b]\n', environ)
    assert (key(both, "a"), key(both, "b")) == ("other", "other")


def test_every_other_secret_can_be_a_credential(load: Load, credentials: Path) -> None:
    """Tokens, the webhooks' secret, the DSN and the store's URL come the same way."""
    names = ("events_token", "admin_token", "default.webhook_secret", "sentry_dsn")
    for name in names:
        (credentials / name).write_text(f"{name}-value")
    (credentials / "database_url").write_text("postgresql://u:p@db/x")
    environ = {"CREDENTIALS_DIRECTORY": str(credentials), "OPENAI_API_KEY": SECRET}
    settings = load(TARGET + '[http]\nbind = "0.0.0.0:9470"\n', environ)
    found = settings.secrets
    assert found.events_token is not None
    assert found.admin_token is not None
    assert found.sentry_dsn is not None
    assert found.webhook_secrets["default"].get_secret_value() == "default.webhook_secret-value"
    assert settings.store_url == "postgresql://u:p@db/x"


@pytest.mark.parametrize(
    ("toml", "name"),
    [
        (TARGET, "targets.default.api_key_env"),
        (TARGET + 'api_key_env = "TEAM_KEY"', "targets.default.api_key_env"),
        (TARGET + 'api_key_file = "/nowhere/key"', "targets.default.api_key_file"),
        (TARGET + 'api_key_file = "/dev/null"', "targets.default.api_key_file"),
    ],
)
def test_missing_key_is_one_line(complain: Complain, toml: str, name: str) -> None:
    """A key that is not where the settings say is one line that names the setting."""
    (line,) = complain(toml, {})
    assert line.startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("toml", "name"),
    [
        ('[http]\nevents_token_env = "TOKEN"', "http.events_token_env"),
        ('[http]\nadmin_token_env = "TOKEN"', "http.admin_token_env"),
        ('[sentry]\ndsn_env = "MY_DSN"', "sentry.dsn_env"),
        ('[targets.default]\nwebhook_secret_env = "HOOK"', "targets.default.webhook_secret_env"),
    ],
)
def test_named_secret_must_exist(complain: Complain, toml: str, name: str) -> None:
    """To name a variable is to need it."""
    head = "" if "targets" in toml else TARGET
    (line,) = complain(head + toml, {"OPENAI_API_KEY": SECRET})
    assert line.startswith(f"{name}: ")


def test_foreign_bind_needs_both_tokens(load: Load, complain: Complain) -> None:
    """Beyond loopback, each missing token is its own line; with both it is allowed."""
    open_bind = TARGET + '[http]\nbind = "0.0.0.0:9470"\n'
    lines = complain(open_bind)
    assert [line.split(":")[0] for line in lines] == [
        "http.events_token_env",
        "http.admin_token_env",
    ]
    named = open_bind + 'events_token_env = "E"\nadmin_token_env = "A"\n'
    assert load(named, {"OPENAI_API_KEY": SECRET, "E": "one", "A": "two"}).http.bind


def test_tokens_differ(complain: Complain) -> None:
    """One token for both would let every application act as an administrator."""
    toml = TARGET + '[http]\nevents_token_env = "E"\nadmin_token_env = "A"\n'
    (line,) = complain(toml, {"OPENAI_API_KEY": SECRET, "E": "same", "A": "same"})
    assert line.startswith("http.admin_token_env: ")


@pytest.mark.parametrize("bind", ["127.0.0.1:1", "[::1]:1", "localhost:1", "127.9.9.9:1"])
def test_loopback_needs_no_token(load: Load, bind: str) -> None:
    """On loopback the daemon starts without tokens."""
    assert load(f'{TARGET}[http]\nbind = "{bind}"\n').http.address.loopback


def test_secrets_never_show(load: Load) -> None:
    """Neither `repr`, `str` nor any dump of the settings holds a secret."""
    toml = (
        f'database_url = "postgresql://u:{SECRET}@db/x"\n{TARGET}'
        f'proxy = "http://u:{SECRET}@proxy:3128"\n[http]\nevents_token_env = "E"\n'
    )
    settings = load(toml, {"OPENAI_API_KEY": SECRET, "E": SECRET, "SENTRY_DSN": SECRET})
    shown = [repr(settings), str(settings), repr(settings.secrets), repr(settings.targets)]
    shown += [repr(settings.model_dump()), settings.model_dump_json()]
    assert not any(SECRET in text for text in shown)
    assert SECRET in settings.store_url


@pytest.mark.parametrize(
    ("toml", "environ"),
    [
        (f'{TARGET}api_key = "{SECRET}"', {}),
        (f'{TARGET}api_key_env = "{SECRET}"', {}),
        (f'{TARGET}api_key_env = "{"0a1b" * 8}"', {}),
        (f'{TARGET}api_key_env = "{"a1b0" * 8}"', {}),
        (f'{TARGET}base_url = "https://{SECRET}@x.test"', {}),
        (f'database_url = "{SECRET}"\n{TARGET}', {}),
        (f"{TARGET}timeout = '{SECRET}'", {}),
        (f"{TARGET}provider = '{SECRET}'", {}),
        (f"mode = '{SECRET}'\n{TARGET}", {}),
        (TARGET, {"OPENAI_API_KEY": f"{SECRET} {SECRET}"}),
        (TARGET, {"OPENAI_API_KEY": f"{SECRET}é"}),
        (TARGET, {"DEMURRAGE_POLICY__IDLE_AFTER": SECRET}),
        (TARGET, {"DEMURRAGE_API_KEY": SECRET}),
        (f"api_key = '{SECRET}", {}),
    ],
)
def test_messages_never_hold_what_was_pasted(
    complain: Complain, toml: str, environ: dict[str, str]
) -> None:
    """Wherever a secret is pasted by mistake, the complaint does not repeat it."""
    text = "\n".join(complain(toml, environ))
    assert "S3cret" not in text
    assert "a1b0a1b0" not in text
