"""What is refused, and that each refusal names its key."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from demurrage.app.settings import Settings

Complain = Callable[..., list[str]]
TARGET = "[targets.default]\n"
ELSEWHERE = 'base_url = "https://a.test/v1"\n'
KEY = {"OPENAI_API_KEY": "sk-test-0123456789abcdefghij"}


@pytest.mark.parametrize(
    ("toml", "key"),
    [
        ('mode = "delete"\n' + TARGET, "mode"),
        ('database_url = "mysql://x"\n' + TARGET, "database_url"),
        (TARGET + 'provider = "other"', "targets.default.provider"),
        (TARGET + 'base_url = "api.openai.com"', "targets.default.base_url"),
        (TARGET + 'base_url = "https://u:p@api.test"', "targets.default.base_url"),
        (TARGET + 'base_url = "https://api.test:port"', "targets.default.base_url"),
        (TARGET + "requests_per_minute = 0", "targets.default.requests_per_minute"),
        (TARGET + 'timeout = "0s"', "targets.default.timeout"),
        (TARGET + 'ca_file = "/nowhere/ca.pem"', "targets.default.ca_file"),
        (TARGET + 'auth = "entra"', "targets.default.auth"),
        (TARGET + 'beta_header = "a\\nb"', "targets.default.beta_header"),
        (TARGET + 'provider = "azure"\nauth = "entra"', "targets.default.base_url"),
        (
            TARGET + 'provider = "azure"\nauth = "entra"\nbase_url = "https://r.openai.azure.com/"',
            "targets.default.base_url",
        ),
        ("targets = 3", "targets"),
        ("[targets]\ndefault = 3", "targets.default"),
        (TARGET + '[policy]\nidle_after = "5 parsecs"', "policy.idle_after"),
        (TARGET + "[policy]\nidle_after = -1", "policy.idle_after"),
        (TARGET + "[policy]\nidle_after = true", "policy.idle_after"),
        (TARGET + "[policy]\nidle_after = inf", "policy.idle_after"),
        (TARGET + '[policy]\nidle_after = "999999999d"', "policy.idle_after"),
        (TARGET + '[policy]\nuse_free_grace = "perhaps"', "policy.use_free_grace"),
        (TARGET + '[policy]\nsweep_lead = "5m"', "policy.sweep_lead"),
        (TARGET + '[evidence]\nproof = "likely"', "evidence.proof"),
        (TARGET + "[policy]\nprotect_names = 3", "policy.protect_names"),
        (TARGET + '[watch]\ninterval = "0s"', "watch.interval"),
        (TARGET + '[watch]\ninterval = "3m"', "watch.overlap"),
        (TARGET + '[rails]\nmax_deletes_per_hour = "many"', "rails.max_deletes_per_hour"),
        (TARGET + "[rails]\nmax_deletes_per_cycle = 0", "rails.max_deletes_per_cycle"),
        (TARGET + "[rails]\nmax_deleted_share = 1.5", "rails.max_deleted_share"),
        (TARGET + '[rails]\nmax_deleted_share = "half"', "rails.max_deleted_share"),
        (TARGET + "[rails]\nhourly_floor = 30000", "rails.hourly_floor"),
        (TARGET + '[billing]\nusd_per_minute = { "1 GB" = 1 }', 'billing.usd_per_minute."1 GB"'),
        (TARGET + '[billing]\nusd_per_minute = { "1g" = -1 }', "billing.usd_per_minute.1g"),
        (TARGET + '[http]\nbind = "9470"', "http.bind"),
        (TARGET + '[http]\nbind = "::1:9470"', "http.bind"),
        (TARGET + '[http]\nops_bind = "host:99999"', "http.ops_bind"),
        (TARGET + '[log]\nlevel = "loud"', "log.level"),
        (TARGET + '[retention]\ndeletions = "1d"', "retention.deletions"),
        (TARGET + '[alerts]\nfast_confirm = "1h"', "alerts.fast_confirm"),
        (TARGET + '[alerts]\nfast_window = "7h"\nslow_window = "8h"', "alerts.fast_window"),
        (TARGET + "[alerts]\ncost_warning_usd_per_hour = 6", "alerts.cost_warning_usd_per_hour"),
        (TARGET + '[alerts]\nrunbooks_url = "wiki"', "alerts.runbooks_url"),
        (TARGET + "[alerts]\ncost_factor = 1", "alerts.cost_factor"),
        (TARGET + "[alerts]\nslow_rise = 0", "alerts.slow_rise"),
        (TARGET + "[alerts]\nfalse_alarm_every = 3", "alerts.false_alarm_every"),
        (TARGET + '[evidence]\ncoverage = "most"', "evidence.coverage"),
        (TARGET + '[sinks.slack]\ntype = "apprise"', "sinks.slack.url_env"),
    ],
)
def test_bad_value_is_one_line_that_names_its_key(complain: Complain, toml: str, key: str) -> None:
    """Every wrong value gives exactly one line, which opens with the key as TOML writes it."""
    (line,) = complain(toml)
    assert line.startswith(f"{key}: ")


def test_a_bad_address_of_the_sdk_s_own_variable_names_that(complain: Complain) -> None:
    """Without a file there is no key to look for."""
    (line,) = complain(None, KEY | {"OPENAI_BASE_URL": "proxy.test"})
    assert line.startswith("targets.default.base_url: ")
    assert line.endswith("(set by OPENAI_BASE_URL)")


def test_all_problems_are_said_at_once(complain: Complain) -> None:
    """Nobody has to start the daemon once for each mistake."""
    lines = complain(
        'mode = "x"\n' + TARGET + '[policy]\nidle_after = "x"\n', KEY | {"DEMURRAGE_MOOD": "x"}
    )
    assert [line.split(":")[0] for line in lines] == ["DEMURRAGE_MOOD", "mode", "policy.idle_after"]


@pytest.mark.parametrize(
    ("toml", "key", "meant"),
    [
        (TARGET + "[policy]\nidle_aftr = 1", "policy.idle_aftr", "policy.idle_after"),
        (TARGET + "bse_url = 1", "targets.default.bse_url", "targets.default.base_url"),
        ("idle_after = 1\n" + TARGET, "idle_after", "policy.idle_after"),
        ("[polcy]\n" + TARGET, "polcy", "policy"),
        ('MODE = "enforce"\n' + TARGET, "MODE", "mode"),
    ],
)
def test_unknown_key_in_the_file(complain: Complain, toml: str, key: str, meant: str) -> None:
    """A mistyped or misplaced key is refused, and the line says which was meant."""
    (line,) = complain(toml)
    assert line.startswith(f"{key}: ")
    assert f" {meant}?" in line


def test_the_table_of_an_unknown_key_is_not_proposed_for_it(complain: Complain) -> None:
    """It is there already, and to rename the key to it would mend nothing."""
    (line,) = complain(TARGET + "[alerts]\nfoo = 1\n")
    assert line.startswith("alerts.foo: ")
    assert "alerts?" not in line


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DEMURRAGE_POLICY__IDLE_AFTR", "DEMURRAGE_POLICY__IDLE_AFTER"),
        ("DEMURRAGE_HTTP_BIND", "DEMURRAGE_HTTP__BIND"),
        ("DEMURRAGE_TARGETS__DEFAULT__BASEURL", "DEMURRAGE_TARGETS__DEFAULT__BASE_URL"),
        ("DEMURRAGE_DATABASEURL", "DEMURRAGE_DATABASE_URL"),
        ("DEMURRAGE_POLICY__IDLE_AFTER__X", "DEMURRAGE_POLICY__IDLE_AFTER"),
    ],
)
def test_unknown_name_in_the_environment(complain: Complain, name: str, meant: str) -> None:
    """A mistyped variable is refused, and the line says which was meant."""
    (line,) = complain(TARGET, KEY | {name: "1"})
    assert line.startswith(f"{name}: ")
    assert f" {meant}?" in line


@pytest.mark.parametrize("name", ["DEMURRAGE_POLICY", "DEMURRAGE_TARGETS", "DEMURRAGE_PORT"])
def test_names_that_set_nothing(complain: Complain, name: str) -> None:
    """A whole table is not set by one variable; a port that no orchestrator wrote is a typo."""
    (line,) = complain(TARGET, KEY | {name: "9470"})
    assert line.startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEMURRAGE_SERVICE_HOST", "10.0.0.7"),
        ("DEMURRAGE_SERVICE_PORT", "9470"),
        ("DEMURRAGE_SERVICE_PORT_HTTP", "9470"),
        ("DEMURRAGE_PORT", "tcp://10.0.0.7:9470"),
        ("DEMURRAGE_PORT_9470_TCP", "tcp://10.0.0.7:9470"),
        ("DEMURRAGE_PORT_9470_TCP_ADDR", "10.0.0.7"),
        ("DEMURRAGE_WEB_SERVICE_HOST", "10.0.0.7"),
        ("DEMURRAGE_WEB_SERVICE_PORT_OPS", "9471"),
        ("DEMURRAGE_WEB_PORT", "tcp://10.0.0.7:9470"),
        ("DEMURRAGE_WEB_PORT_9470_TCP_PROTO", "tcp"),
        ("DEMURRAGE_NAME", "/app/demurrage"),
        ("DEMURRAGE_ENV_PATH", "/bin"),
        ("DEMURRAGE_RECORDER_URL", "http://localhost:9470"),
    ],
)
def test_what_orchestrators_inject_is_no_mistake(
    load: Callable[..., Settings], name: str, value: str
) -> None:
    """Names that others put there, and the recorder's, are left alone."""
    assert load(TARGET, KEY | {name: value}).targets


def test_line_says_where_to_look(complain: Complain) -> None:
    """A value from a variable is traced to it, not to the file."""
    (line,) = complain(TARGET, KEY | {"DEMURRAGE_POLICY__IDLE_AFTER": "x"})
    assert "DEMURRAGE_POLICY__IDLE_AFTER" in line


def test_broken_json_in_a_variable(complain: Complain) -> None:
    """A list that opens like JSON must be JSON."""
    (line,) = complain(TARGET, KEY | {"DEMURRAGE_POLICY__PROTECT_NAMES": '["a'})
    assert line.startswith("DEMURRAGE_POLICY__PROTECT_NAMES: ")


@pytest.mark.parametrize("toml", ["mode = ", "[targets.a]\n[targets.a]\n", "a = 'é'\x00"])
def test_broken_toml_is_one_line(complain: Complain, toml: str) -> None:
    """A file that does not parse is one line that names the file."""
    (line,) = complain(toml)
    assert "demurrage.toml: " in line


def test_targets_that_variables_cannot_tell_apart(complain: Complain) -> None:
    """Two names that fold alike would make an override ambiguous."""
    (line,) = complain(f"[targets.a-b]\n{ELSEWHERE}[targets.a_b]\n")
    assert line.startswith("targets.a_b: ")


def test_one_project_is_one_target(complain: Complain) -> None:
    """Two targets on it would each miss what is logged under the other's name."""
    same = 'base_url = "https://api.openai.com/v1/"\n'
    (line,) = complain(f"[targets.a]\n[targets.b]\n{same}")
    assert line.startswith("targets.b: ")
    resource = 'provider = "azure"\nbase_url = "https://r.openai.azure.com/openai/v1"\n'
    keys = {"AZURE_OPENAI_API_KEY": "azure-0123456789", "OTHER": "other-0123456789"}
    (line,) = complain(
        f'[targets.a]\n{resource}[targets.b]\n{resource}api_key_env = "OTHER"\n', keys
    )
    assert line.startswith("targets.b: ")


def test_one_budget_has_one_limit(complain: Complain) -> None:
    """Targets that share a group agree on its calls a minute."""
    group = 'budget_group = "org"\n'
    (line,) = complain(
        f"[targets.a]\n{ELSEWHERE}{group}[targets.b]\n{group}requests_per_minute = 5\n"
    )
    assert line.startswith("targets.b.requests_per_minute: ")


def test_misfit_of_one_target_is_laid_at_its_door(complain: Complain) -> None:
    """A contradiction that a target's own table makes is named under the target."""
    (line,) = complain(f'[targets.a]\n{ELSEWHERE}[targets.b.policy]\nsweep_lead = "1h"\n')
    assert line.startswith("targets.b.policy.sweep_lead: ")


def test_no_target_at_all(complain: Complain) -> None:
    """Neither file nor key: one line says what to do."""
    (line,) = complain(None, {})
    assert line.startswith("targets: ")


@pytest.mark.parametrize(
    ("folder", "fix"), [("relative", "absolute path"), ("/no/such/folder", "make it")]
)
def test_the_folder_of_event_files_must_be_there(complain: Complain, folder: str, fix: str) -> None:
    """A daemon that read nothing there would take its log for complete."""
    (line,) = complain(f'[events]\nfolder = "{folder}"\n[targets.default]\n')
    assert line.startswith("events.folder: ")
    assert fix in line


def test_a_file_is_no_folder_of_event_files(complain: Complain, tmp_path: Path) -> None:
    """Nor is anything else."""
    (tmp_path / "file").touch()
    (line,) = complain(f'[events]\nfolder = "{tmp_path}/file"\n[targets.default]\n')
    assert line.startswith("events.folder: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_the_folder_of_event_files_must_be_readable(complain: Complain, tmp_path: Path) -> None:
    """By the user who runs the daemon."""
    (tmp_path / "shut").mkdir(mode=0o300)
    (line,) = complain(f'[events]\nfolder = "{tmp_path}/shut"\n[targets.default]\n')
    assert line.startswith("events.folder: cannot be read")
