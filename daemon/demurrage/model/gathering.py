"""What came of looking for events where they wait to be taken into the log."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gathered:
    """One look. `whole`: all that lay there when it began is in the log now.

    `left`: bytes that are not, roughly. `dead`: sources whose process is proven dead and whose
    every line that was ever written there was looked at; what they are worth the log tells.
    """

    whole: bool
    left: int = 0
    dead: frozenset[str] = frozenset()
