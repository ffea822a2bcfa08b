"""One run of the canary at one target."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from demurrage.app.canary.bench import Bench
from demurrage.app.canary.catalogue import Experiment
from demurrage.app.canary.diary import Appender, Diary
from demurrage.app.canary.lookout import UnclearError
from demurrage.app.canary.pace import Pace
from demurrage.model.error import LogUnreadableError
from demurrage.model.finding import Answer, Finding
from demurrage.provider.experiments import Experimenter

_SHORTLY = 60.0


@dataclass(frozen=True, slots=True)
class Canary:
    """What a run needs.

    Attributes:
        target: its name.
        api: the target; the caller closes it.
        log: the event log that the daemon reads.
        model: who answers.
        beta: the `OpenAI-Beta` value with which the daemon deletes.
        pace: how patient the experiments are.
    """

    target: str
    api: Experimenter
    log: Appender
    model: str
    beta: str = ""
    pace: Pace = Pace()  # noqa: RUF009 - a frozen value

    async def run(
        self, experiments: Sequence[Experiment], tell: Callable[[Finding], None]
    ) -> list[Finding]:
        """Answer the questions, one experiment after the other.

        Nothing is begun before a listing has told the provider's time, for without it the log's
        readers could not place what is written there.

        Args:
            experiments: which.
            tell: told of each answer as it comes.

        Raises:
            LogUnreadableError: the log took no more; what was begun is in it, and no request
                left that is not.
        """
        found: list[Finding] = []

        def note(findings: Sequence[Finding]) -> None:
            for each in findings:
                dated = replace(each, at=self.api.clock.now())
                found.append(dated)
                tell(dated)

        trouble = await self._reach()
        if trouble is not None:
            for each in experiments:
                note(_unclear(each, trouble))
            return found
        async with Diary(self.log, self.target, self.api.clock, self.pace.beat) as diary:
            bench = Bench(self.api, diary, self.model, self.pace, self.beta)
            try:
                for each in experiments:
                    note(await _answers(each, bench))
            finally:
                # Whatever ends a run, what it made by name goes; but not for ever.
                with suppress(TimeoutError, LogUnreadableError):
                    async with asyncio.timeout(_SHORTLY):
                        await bench.clear_away()
        return found

    async def _reach(self) -> str | None:
        """Why no experiment can be made, None when all is well."""
        listing = await self.api.read(self.api.clock.now() - _SHORTLY)
        if listing.failure is not None:
            return f"the listing failed: {listing.failure.detail}"
        if self.api.clock.offset is None:
            return "no answer tells the provider's time in a Date header"
        return None


async def _answers(experiment: Experiment, bench: Bench) -> list[Finding]:
    try:
        return await experiment.run(bench)
    except UnclearError as unclear:
        return _unclear(experiment, str(unclear))


def _unclear(experiment: Experiment, why: str) -> list[Finding]:
    return [Finding(question, Answer.UNCLEAR, why) for question in experiment.answers]
