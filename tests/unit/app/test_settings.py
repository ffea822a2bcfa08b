"""Loading: which file, what overrides what, what the settings amount to."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from demurrage.app import settings as module
from demurrage.app.settings import Settings, load_settings
from demurrage.model.error import SettingsError
from demurrage.model.plan import Mode

Load = Callable[..., Settings]
TARGET = "[targets.default]\n"


def test_key_alone_implies_one_target(load: Load) -> None:
    """Without a file, the SDK's two variables make the target `default`."""
    environ = {"OPENAI_API_KEY": "sk-a", "OPENAI_BASE_URL": "http://proxy.test/v1"}
    settings = load(None, environ)
    assert list(settings.targets) == ["default"]
    assert settings.targets["default"].base_url == "http://proxy.test/v1"
    assert settings.secrets.api_keys["default"].get_secret_value() == "sk-a"
    assert settings.mode is Mode.OBSERVE


def test_variable_overrides_implied_target(load: Load) -> None:
    """A `DEMURRAGE_` variable goes before what OPENAI_BASE_URL implies."""
    environ = {
        "OPENAI_API_KEY": "sk-a",
        "OPENAI_BASE_URL": "http://proxy.test/v1",
        "DEMURRAGE_TARGETS__DEFAULT__BASE_URL": "http://other.test/v1",
    }
    assert load(None, environ).targets["default"].base_url == "http://other.test/v1"


def test_targets_in_the_environment_imply_no_other(load: Load) -> None:
    """A target made of variables alone stands by itself."""
    environ = {"OPENAI_API_KEY": "sk-a", "DEMURRAGE_TARGETS__TEAM__TIMEOUT": "5s"}
    assert list(load(None, environ).targets) == ["team"]


def test_file_ignores_the_sdks_base_url(load: Load) -> None:
    """A file says all there is to say of its targets."""
    environ = {"OPENAI_API_KEY": "sk-a", "OPENAI_BASE_URL": "http://proxy.test/v1"}
    assert load(TARGET, environ).targets["default"].base_url == "https://api.openai.com/v1"


@pytest.mark.parametrize("spelt", ["MY_TEAM_EU", "my_team_eu", "My_Team_EU"])
def test_target_names_fold_in_the_environment(load: Load, spelt: str) -> None:
    """`-`, `.` and capitals of a target's name need not, and cannot, be written in a variable."""
    environ = {"OPENAI_API_KEY": "sk-a", f"DEMURRAGE_TARGETS__{spelt}__TIMEOUT": "7s"}
    settings = load("[targets.My-team_EU]\n", environ)
    assert settings.targets["My-team_EU"].timeout == 7


def test_every_kind_of_value_comes_from_the_environment(load: Load) -> None:
    """Switches, numbers, durations, lists, prices and bracketed text all override the file."""
    settings = load(
        TARGET + '[policy]\nidle_after = "1h"\n',
        {
            "OPENAI_API_KEY": "sk-a",
            "DEMURRAGE_MODE": "enforce",
            "DEMURRAGE_POLICY__IDLE_AFTER": "90",
            "DEMURRAGE_POLICY__USE_FREE_GRACE": "false",
            "DEMURRAGE_POLICY__PROTECT_NAMES": "a, b-*",
            "DEMURRAGE_POLICY__AUTO_NAME": "[a-z]*",
            "DEMURRAGE_RAILS__MAX_DELETES_PER_HOUR": "50",
            "DEMURRAGE_RAILS__MAX_DELETED_SHARE": "0.5",
            "DEMURRAGE_BILLING__USD_PER_MINUTE__1G": "0.5",
            "DEMURRAGE_HTTP__BIND": "[::1]:0",
        },
    )
    rules = settings.rules("default")
    assert settings.mode is Mode.ENFORCE
    assert rules.policy.idle_after == 90
    assert rules.policy.use_free_grace is False
    assert rules.policy.protect_names == ("a", "b-*")
    assert rules.policy.auto_name == "[a-z]*"
    assert rules.rails.max_deletes_per_hour == 50
    assert rules.rails.max_deleted_share == 0.5
    assert rules.billing.usd_per_minute == {"1g": 0.5, "4g": 0.006, "16g": 0.024, "64g": 0.096}
    assert settings.http.address.host == "::1"


def test_lists_and_tables_may_be_json(load: Load) -> None:
    """A name with a comma, or a whole price list, can be said in one variable."""
    environ = {
        "OPENAI_API_KEY": "sk-a",
        "DEMURRAGE_POLICY__PROTECT_NAMES": '["a,b"]',
        "DEMURRAGE_BILLING__USD_PER_MINUTE": '{"128g": 1}',
    }
    rules = load(TARGET, environ).rules("default")
    assert rules.policy.protect_names == ("a,b",)
    assert rules.billing.usd_per_minute["128g"] == 1


def test_targets_own_table_overlays_the_common_one(load: Load) -> None:
    """Only the keys that a target sets differ for it; the other target is untouched."""
    settings = load("""
        [targets.a]
        base_url = "https://a.test/v1"
        [targets.b.evidence]
        coverage = "complete"
        proof = "deduced"
        [targets.b.billing]
        usd_per_minute = { "1g" = 9 }
        [evidence]
        clock_skew = "9s"
        [billing]
        usd_per_minute = { "4g" = 8 }
        """)
    a, b = settings.rules("a"), settings.rules("b")
    assert (a.evidence.coverage, b.evidence.coverage) == ("partial", "complete")
    assert (a.evidence.proof, b.evidence.proof) == ("strict", "deduced")
    assert a.evidence.clock_skew == b.evidence.clock_skew == 9
    assert (a.billing.usd_per_minute["1g"], a.billing.usd_per_minute["4g"]) == (0.0015, 8)
    assert (b.billing.usd_per_minute["1g"], b.billing.usd_per_minute["4g"]) == (9, 8)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [('"90s"', 90), ('"5m"', 300), ('"1h"', 3600), ('"2d"', 172800), ("45", 45), ('"0.5s"', 0.5)],
)
def test_durations(load: Load, text: str, seconds: float) -> None:
    """All the ways to write a duration."""
    assert load(f"{TARGET}[policy]\nidle_after = {text}\n").policy.idle_after == seconds


def test_enforce_with_partial_coverage_is_legal(load: Load) -> None:
    """It deletes nothing, which is for `check` to say, not for loading to refuse."""
    assert load(TARGET.join(['mode = "enforce"\n', ""])).mode is Mode.ENFORCE


def test_two_projects_of_one_provider_differ_by_their_keys(load: Load) -> None:
    """The base URL alone makes no two targets one."""
    settings = load(
        '[targets.a]\n[targets.b]\napi_key_env = "OTHER"\n',
        {"OPENAI_API_KEY": "sk-a", "OTHER": "sk-b"},
    )
    assert set(settings.targets) == {"a", "b"}


def test_groups_share_a_budget(load: Load) -> None:
    """A target has its own budget unless it names a group."""
    settings = load(
        '[targets.a]\nbase_url = "https://a.test/v1"\nbudget_group = "org"\n[targets.b]\n'
    )
    assert (settings.budget_group("a"), settings.budget_group("b")) == ("org", "b")


def test_store_is_in_the_state_directory(load: Load, tmp_path: Path) -> None:
    """The state directory of systemd holds the store, the first if the unit names several."""
    environ = {"OPENAI_API_KEY": "sk-a", "STATE_DIRECTORY": f"{tmp_path}:/elsewhere"}
    assert load(TARGET, environ).store_url == f"sqlite:///{tmp_path}/demurrage.db"


def test_store_is_else_in_the_users_state(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without systemd it is where the user's programs keep their state."""
    monkeypatch.setattr(module, "user_state_path", lambda *_, **__: tmp_path)
    assert load(TARGET).store_url == f"sqlite:///{tmp_path}/demurrage.db"


def test_named_store_goes_first(load: Load) -> None:
    """A `database_url` is used as it stands."""
    assert load('database_url = "sqlite:////x.db"\n' + TARGET).store_url == "sqlite:////x.db"


def test_file_is_found_in_its_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument goes before DEMURRAGE_CONFIG, which goes before the usual places."""
    files = {name: tmp_path / f"{name}.toml" for name in ("argument", "variable", "usual")}
    for name, file in files.items():
        file.write_text(f"[targets.{name}]\n")
    monkeypatch.setattr(module, "USUAL_PLACES", (tmp_path / "absent", files["usual"]))
    keyed = {"OPENAI_API_KEY": "sk-a"}
    named = keyed | {"DEMURRAGE_CONFIG": str(files["variable"])}
    assert list(load_settings(files["argument"], named).targets) == ["argument"]
    assert list(load_settings(None, named).targets) == ["variable"]
    assert list(load_settings(None, keyed).targets) == ["usual"]


def test_named_file_must_exist(tmp_path: Path) -> None:
    """A file that was asked for and is not there is no reason to run with other settings."""
    with pytest.raises(SettingsError, match=r"absent\.toml"):
        load_settings(tmp_path / "absent.toml", {"OPENAI_API_KEY": "sk-a"})


def test_settings_are_frozen(load: Load) -> None:
    """Nothing changes after start."""
    settings = load(TARGET)
    with pytest.raises(ValidationError):
        settings.policy.idle_after = 1.0


def test_commands_without_keys_can_load(load: Load) -> None:
    """What only reads the store runs where the keys are not."""
    assert load(TARGET, {}, secrets=False).secrets.api_keys == {}
