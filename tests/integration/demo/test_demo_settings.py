from pathlib import Path

import pytest

from demurrage.app.settings import load_settings
from demurrage.model.plan import Mode
from demurrage.model.rules import Rules
from demurrage.simulator.demo_times import KEY_VARIABLE, TOKEN_VARIABLE, Place, rules, settings_text


@pytest.mark.parametrize("speed", [1.0, 12.0, 20.0])
def test_the_daemon_reads_what_the_demo_writes(tmp_path: Path, speed: float) -> None:
    """The settings file is valid, enforces, and gives one target the operator's word."""
    harbours = {"default": "http://127.0.0.1:1/v1", "legacy": "http://127.0.0.1:2/v1"}
    place = Place(tmp_path, harbours, 3)
    place.config.write_text(settings_text(place, speed))
    settings = load_settings(place.config, {KEY_VARIABLE: "sk-demo", TOKEN_VARIABLE: place.token})
    assert settings.mode is Mode.ENFORCE
    assert settings.rules("default").billing == rules(speed).billing
    assert settings.rules("default").policy == rules(speed).policy
    assert settings.rules("default").evidence.coverage == "complete"
    assert settings.rules("legacy").evidence.coverage == "partial"
    assert settings.rules("legacy").rails == Rules().rails


def test_at_the_speed_of_life_times_and_prices_are_those_that_ship() -> None:
    """What the demo scales is the shipped defaults and nothing else."""
    assert rules(1.0) == Rules()


def test_dollars_stay_those_of_life() -> None:
    """A paid minimum costs the same however fast it passes."""
    life, fast = rules(1.0).billing, rules(12.0).billing
    for tier, usd in life.usd_per_minute.items():
        assert fast.usd_per_minute[tier] * fast.minimum == pytest.approx(usd * life.minimum)
