"""The settings of sinks: where addresses come from, and that they never show."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.app.conftest import KEYED

from demurrage.alerts.alertmanager import Alertmanager
from demurrage.alerts.sink import Unusable
from demurrage.app.assembly import redactor
from demurrage.app.settings import Settings
from demurrage.app.sinks import sink
from demurrage.model.condition import Severity
from demurrage.observe.redact import Redactor

Load = Callable[..., Settings]
Complain = Callable[..., list[str]]
TARGET = "[targets.default]\n"
SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"


def address(settings: Settings, name: str = "team") -> str:
    """A sink's address."""
    return settings.secrets.sink_urls[name].get_secret_value()


def test_the_address_comes_from_one_of_four_places(load: Load, tmp_path: Path) -> None:
    """The file of settings, a variable, a file, a credential."""
    head = TARGET + '[sinks.team]\ntype = "apprise"\n'
    file = tmp_path / "url"
    file.write_text(f"{SLACK}\n")
    (tmp_path / "team.url").write_text(SLACK)
    assert address(load(head + f'url = "{SLACK}"\n')) == SLACK
    assert address(load(head + 'url_env = "U"\n', {**KEYED, "U": SLACK})) == SLACK
    assert address(load(head + f'url_file = "{file}"\n')) == SLACK
    assert address(load(head, {**KEYED, "CREDENTIALS_DIRECTORY": str(tmp_path)})) == SLACK


def test_the_environment_can_set_up_a_sink(load: Load) -> None:
    """A name in the file is meant by the variable that folds alike."""
    settings = load(
        TARGET + '[sinks.on-call]\ntype = "alertmanager"\n',
        {
            **KEYED,
            "DEMURRAGE_SINKS__ON_CALL__URL": "http://am:9093",
            "DEMURRAGE_SINKS__ON_CALL__SEVERITIES": "page, notice",
            "DEMURRAGE_SINKS__CHAT__TYPE": "apprise",
            "DEMURRAGE_SINKS__CHAT__URL": SLACK,
        },
    )
    assert address(settings, "on-call") == "http://am:9093"
    assert settings.sinks["on-call"].severities == (Severity.PAGE, Severity.NOTICE)
    assert address(settings, "chat") == SLACK


def test_an_address_may_be_given_in_three_ways(complain: Complain) -> None:
    """Where there is none, all of them are named."""
    (line,) = complain(TARGET + '[sinks.team]\ntype = "alertmanager"\n')
    assert all(f" {each} " in line for each in ("url_env", "url_file", "url"))


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ('type = "apprise"', "sinks.team.url_env: no address is set; set url_env"),
        ('type = "apprise"\nurl_env = "NOT_SET"', "sinks.team.url_env: the environment variable"),
        ('url = "x"', "sinks.team.type: "),
        ('type = "pigeon"\nurl = "x"', 'sinks.team.type: must be "alertmanager"'),
        ('type = "alertmanager"\nurl = "am:9093"', "sinks.team: the address must be like http://"),
        ('type = "alertmanager"\nurl = "http://a"\nurl_env = "B"', "sinks.team: give one of url"),
        ('type = "apprise"\nurl = "x"\nseverities = []', "sinks.team.severities: "),
        ('type = "apprise"\nurl = "x"\nseverities = ["bad"]', "sinks.team.severities.0: must be"),
    ],
)
def test_what_is_wrong_is_named(complain: Complain, table: str, line: str) -> None:
    """The key and the fix, one line each."""
    lines = complain(TARGET + f"[sinks.team]\n{table}\n")
    assert any(each.startswith(line) for each in lines), lines


def test_names_that_the_environment_cannot_tell_apart(complain: Complain) -> None:
    """As with targets."""
    tables = "".join(
        f'[sinks.{name}]\ntype = "apprise"\nurl = "{SLACK}"\n' for name in ("a-b", "a_b")
    )
    assert "sinks.a_b: cannot be told from sinks.a-b" in complain(TARGET + tables)[0]


def test_an_address_never_shows(load: Load, complain: Complain) -> None:
    """Not in a repr, a dump or an error, and the redactor knows it and its parts."""
    settings = load(TARGET + f'[sinks.team]\ntype = "apprise"\nurl = "{SLACK}"\n')
    token = SLACK.rpartition("/")[2]
    shown = (
        repr(settings),
        repr(settings.secrets),
        json.dumps(settings.model_dump(mode="json")),
        redactor(settings).text(f"POST /services/T1JJ3T3L2/A1BRTD4JD/{token} failed, {SLACK}"),
        *complain(TARGET + f'[sinks.team]\ntype = "alertmanager"\nurl = "{SLACK}"\n'),
        *complain(TARGET + f'[sinks.team]\ntype = "apprise"\nurl_env = "{SLACK}"\n'),
    )
    for text in shown:
        assert token not in text
        assert "T1JJ3T3L2" not in text


def test_a_host_is_no_secret(load: Load) -> None:
    """Masking it everywhere would hide the log."""
    url = "http://ann:correct-horse@alertmanager-2.internal:9093/prefixed"
    settings = load(TARGET + f'[sinks.team]\ntype = "alertmanager"\nurl = "{url}"\n')
    text = redactor(settings).text("alertmanager-1 prefixed correct-horse 127.0.0.1")
    assert text == "alertmanager-1 prefixed [redacted] 127.0.0.1"


def test_a_sink_that_cannot_be_made_keeps_nobody_from_working(load: Load) -> None:
    """It fails for the reason, when it is told and before."""
    toml = TARGET + (
        '[sinks.bad]\ntype = "apprise"\nurl = "nosuchservice://TIiajkdnlazkcOXrIdevi7FQ"\n'
        '[sinks.good]\ntype = "alertmanager"\nurl = "http://am:9093"\n'
    )
    settings = load(toml)
    bad = sink(settings, "bad", Redactor())
    assert isinstance(bad, Unusable)
    assert "does not understand the address" in bad.fault
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in bad.fault
    assert isinstance(sink(settings, "good", Redactor()), Alertmanager)
