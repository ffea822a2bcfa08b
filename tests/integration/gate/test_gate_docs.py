"""What the page on the gate shows is run as it is written there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from demurrage.simulator.serve import HarbourServer

from .conftest import made, posts

PAGE = Path(__file__).parents[3] / "docs" / "gate.md"


@pytest.mark.process
def test_the_snippet_runs(server: HarbourServer) -> None:
    """It answers, and makes no container."""
    (snippet,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    shown = subprocess.run(
        [sys.executable, "-c", snippet],
        env={**os.environ, "OPENAI_API_KEY": "key", "OPENAI_BASE_URL": server.base_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (shown.stdout, shown.stderr) == ("The answer is 42.\n", "")
    assert posts(server) == 1
    assert made(server) == []
