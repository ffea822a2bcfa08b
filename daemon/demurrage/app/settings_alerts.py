"""The table that says when people are told."""

from typing import Annotated

from pydantic import Field

from demurrage.app.settings_types import Duration, OptionalUrl, PositiveDuration, Section
from demurrage.model.rules import IncidentRules, SpikeRules

Rise = Annotated[float, Field(gt=0.0, lt=1.0)]
Factor = Annotated[float, Field(gt=1.0)]
Usd = Annotated[float, Field(ge=0.0)]


class AlertSettings(Section):
    """When people are told; and when orphans are more, or dearer, than usual."""

    patience: Duration = 180.0
    """Three minutes: an API that limits, fails or is out of reach for less is no news, for the
    daemon keeps everything meanwhile. Well below the five minutes after which orphans cost more."""
    quiet: Duration = 300.0
    """Five minutes: an incident ends once its condition was not seen for so long. One that comes
    and goes more often stays open, and nobody is told twice."""
    runbooks_url: OptionalUrl = ""
    """Empty: the pages are named by their place in the project. Only whoever runs the daemon knows
    where its people read them."""
    fast_window: PositiveDuration = 900.0
    """A quarter of an hour: at a hundred containers an hour it holds twenty-five, enough to tell
    a leak from a run of bad luck."""
    fast_confirm: PositiveDuration = 300.0
    """Five minutes: what has stopped by itself by then wakes nobody."""
    fast_rise: Rise = 0.2
    """A fifth of all containers: a smaller rise need not be known within minutes."""
    slow_window: PositiveDuration = 21_600.0
    """Six hours: time enough to find a rise of a few percent among a hundred an hour."""
    slow_confirm: PositiveDuration = 3600.0
    """An hour: the rise must still be there."""
    slow_rise: Rise = 0.05
    """A twentieth: less is found by nobody within hours, nor worth it."""
    rise_factor: Factor = 1.5
    """Half as many again: a target that leaks nine of ten cannot leak much more, and pages nobody
    when it leaks ten."""
    min_containers: Annotated[int, Field(ge=1)] = 10
    """Ten in the window: one of one is no spike, and fewer cost next to nothing."""
    false_alarm_every: Annotated[float, Field(ge=1000.0)] = 10_000_000.0
    """Ten million containers between two false alarms, on average and at the least: at a hundred
    an hour more than eleven years, for a delay of some thirteen containers. Ten times fewer would
    find a leak two containers sooner."""
    confidence: Annotated[float, Field(ge=1.0, le=6.0)] = 3.0
    """Three standard errors: so surely must the long window lie above the usual."""
    baseline: PositiveDuration = 28 * 86_400.0
    """Four weeks: each hour of the week is seen four times, and a habit of last season is
    forgotten."""
    baseline_lag: PositiveDuration = 21_600.0
    """Six hours: what is younger is not learned yet, so that a slow leak is found first."""
    baseline_minimum: PositiveDuration = 86_400.0
    """A day: whoever has seen no night does not know what is usual. Until then, and the lag,
    nothing is compared, so a cold start pages nobody."""
    baseline_containers: Annotated[int, Field(ge=1)] = 200
    """Two hundred: fewer make no habit."""
    standing_share: Rise = 0.15
    """Three in twenty: tools that are hardly ever used leave more orphans than that, and it is
    worth a notice what they cost."""
    cost_factor: Factor = 3.0
    """Three times the usual dollars: a busy day doubles them."""
    cost_warning_usd_per_hour: Usd = 1.0
    """A dollar an hour: some seven hundred a month; what is below that is not worth a look."""
    cost_page_usd_per_hour: Usd = 5.0
    """Five dollars an hour: raise it to what you get up for."""
    settle_within: PositiveDuration = 600.0
    """Ten minutes: verdicts are settled within two, but for long responses; one that never comes
    must not keep the others from being counted."""
    max_labels: Annotated[int, Field(ge=0)] = 50
    """Fifty labels are watched each on its own: enough for applications and teams, while a
    request id for a label fills nothing."""

    def incidents(self) -> IncidentRules:
        """When conditions become incidents, as plain values."""
        return IncidentRules(patience=self.patience, quiet=self.quiet)

    def spikes(self) -> SpikeRules:
        """What counts as a spike, as plain values."""
        return SpikeRules(**self.model_dump(exclude={"patience", "runbooks_url"}))
