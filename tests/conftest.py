"""What every test stands on."""

import asyncio

from hypothesis import settings

# The virtual-time plugin asks for the current event loop before every test, and on Python 3.11
# the first such question makes one that nobody closes: a warning, hence an error. Saying that
# there is none keeps it from being made.
asyncio.set_event_loop(None)

# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile("demurrage", deadline=None)
settings.load_profile("demurrage")
