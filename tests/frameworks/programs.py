"""Programs under a framework: run against a harbour, with the recorder or without."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings

SETTINGS = HarbourSettings(scale=300, visibility_lag=(0, 0), delete_lag=(0, 0))
CONTAINER = re.compile(r"cntr_\w+")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program has done.

    Attributes:
        printed, complaints: its standard output and error.
        counts: its requests, by method and path.
        responses: the responses that it made as the API tells them, without times and with
            every container called the same.
        containers: the truth about the containers.
        lines: the events that it logged.
    """

    printed: str
    complaints: str
    counts: dict[str, int]
    responses: list[str]
    containers: list[dict[str, Any]]
    lines: list[bytes]

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events, read."""
        return [json.loads(line) for line in self.lines]


def run(program: str, folder: Path, before: Sequence[str] = ()) -> Ran:
    """Run a Python program to its end.

    Args:
        program: its text.
        folder: where the recorder is to write.
        before: a command that is given the interpreter and the program to run.
    """
    folder.mkdir()
    file = folder / "program.py"
    file.write_text(program)
    with HarbourServer(Harbour(SETTINGS, seed=3)) as harbour:
        ran = subprocess.run(
            [*before, sys.executable, str(file)],
            env={
                **os.environ,
                "OPENAI_API_KEY": "sk-secret",
                "OPENAI_BASE_URL": harbour.base_url,
                "DEMURRAGE_RECORDER_URL": f"file://{folder}",
                "DEMURRAGE_RECORDER_TARGET": "default",
                "OPENAI_AGENTS_DISABLE_TRACING": "1",  # traces go to a host of OpenAI's own
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # or it downloads one
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        counts = harbour.admin.calls()["counts"]
        containers = harbour.admin.truth()["containers"]
    # The server has ended, so its state may be looked at from here.
    voyages = harbour.harbour.port._voyages.values()
    return Ran(
        printed=ran.stdout,
        complaints=ran.stderr,
        counts=counts,
        responses=[_timeless(voyage.body()) for voyage in voyages],
        containers=containers,
        lines=[
            line
            for journal in sorted(folder.glob("*.jsonl"))
            for line in journal.read_bytes().splitlines()
        ],
    )


def _timeless(response: dict[str, Any]) -> str:
    bare = {name: value for name, value in response.items() if not name.endswith("_at")}
    return CONTAINER.sub("cntr_", json.dumps(bare, sort_keys=True))
