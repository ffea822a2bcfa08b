"""Tells a Demurrage daemon what an application does with the Responses API.

Only ids and times are written down, never prompts or outputs.
"""

from demurrage_recorder.writer import Writer, writer_for

__all__ = ["Writer", "writer_for"]
