"""Tells a Demurrage daemon what an application does with the Responses API.

Only ids and times are written down, never prompts or outputs.
"""

from demurrage_recorder.clients import instrument
from demurrage_recorder.words import created, ended, pin, release
from demurrage_recorder.writer import Writer
from demurrage_recorder.writers import writer_for

__all__ = ["Writer", "created", "ended", "instrument", "pin", "release", "writer_for"]
