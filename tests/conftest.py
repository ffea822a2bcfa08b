"""What every test stands on."""

import asyncio
import os

from hypothesis import settings

# The virtual-time plugin asks for the current event loop before every test, and on Python 3.11
# the first such question makes one that nobody closes: a warning, hence an error. Saying that
# there is none keeps it from being made.
asyncio.set_event_loop(None)

# A build that fails should fail again: CI draws the same examples each time; elsewhere every run
# looks at new ones.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
