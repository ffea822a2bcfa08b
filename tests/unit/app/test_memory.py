"""Memory that the C library keeps to itself goes back to the system."""

import platform
import subprocess
import sys

import pytest

# Pieces that the C library gets from its heap, not from the system one by one. What is held in
# between keeps the heap from shrinking by itself.
_PROGRAM = """
from pathlib import Path
from demurrage.app.memory import give_back

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

pieces = [bytearray(50_000) for _ in range(2_000)]
del pieces[::2], pieces[::2]
before = resident()
give_back()
print(before - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries keep no such heap")
def test_what_was_freed_between_what_is_held_is_given_back() -> None:
    """Most of 75 MB."""
    said = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(said.stdout) > 40_000_000
