"""The annotated file that ships with the package."""

import re
import tomllib
from dataclasses import asdict
from importlib.resources import files
from itertools import pairwise
from typing import Any

from demurrage.app.settings import Settings
from demurrage.app.settings_problems import dotted, known_paths
from demurrage.app.settings_sinks import SinkSettings
from demurrage.app.settings_target import TargetSettings
from demurrage.model.rules import IncidentRules, RetentionRules, Rules, SpikeRules

SHIPPED = files("demurrage") / "shipped" / "demurrage.toml"


def shipped() -> dict[str, Any]:
    """The shipped file, parsed."""
    return tomllib.loads(SHIPPED.read_text(encoding="utf-8"))


def test_shipped_file_says_the_defaults() -> None:
    """The file is the built-in defaults written down, with one default target."""
    assert Settings(**shipped()) == Settings(targets={"default": TargetSettings()})


def test_shipped_file_has_every_key_and_no_other() -> None:
    """Each key that is accepted stands in the file; a target's own tables are described."""
    text = SHIPPED.read_text(encoding="utf-8")
    overlays = {*Rules.__dataclass_fields__, "canary"}
    for path in known_paths(Settings):
        table: Any = shipped()
        if path[:2] == ("targets", "*") and path[2:3] and path[2] in overlays:
            assert f"[{path[2]}]" in text
            continue
        if path[:2] == ("sinks", "*") or path == ("sinks",):
            continue
        for key in path:
            name = "default" if key == "*" else key
            assert name in table, dotted(path)
            table = table[name]


def test_the_sink_that_is_shown_is_one() -> None:
    """What stands in comments is a sink, with every key and the defaults where there are some."""
    text = SHIPPED.read_text(encoding="utf-8")
    _, _, shown = text.partition("# [sinks.team]\n")
    table = tomllib.loads(re.sub("(?m)^# ?", "", shown))
    assert set(table) == set(SinkSettings.model_fields)
    sink = SinkSettings(**table)
    assert sink == SinkSettings(type="apprise", url_env="TEAM_SINK_URL")


def test_every_key_is_explained() -> None:
    """A comment stands above each key of the file."""
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    for above, line in pairwise(lines):
        if re.match(r"[a-z_]+ = ", line):
            assert above.startswith("#"), line


def test_every_setting_has_a_docstring() -> None:
    """Each field of each table says why its default is what it is."""
    models: list[Any] = [Settings, TargetSettings, SinkSettings]
    while models:
        model = models.pop()
        for name, info in model.model_fields.items():
            assert info.description, f"{model.__name__}.{name}"
            if hasattr(info.annotation, "model_fields"):
                models.append(info.annotation)


def test_defaults_are_those_of_the_rules() -> None:
    """The settings' defaults and the core's are one and the same."""
    settings = Settings(targets={"default": TargetSettings()})
    assert asdict(settings.rules("default")) == asdict(Rules())
    assert settings.retention.rules() == RetentionRules()
    assert settings.alerts.incidents() == IncidentRules()
    assert settings.alerts.spikes() == SpikeRules()
