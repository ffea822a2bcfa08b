"""Telling a person of trouble once, without ever disturbing the application."""

import logging
import warnings

_told: set[str] = set()


def warn_once(key: str, message: str) -> None:
    """Warn with a RuntimeWarning, the first time that `key` is given in this process.

    Where warnings are turned into errors it is logged instead, as `demurrage_recorder`.
    """
    if key in _told:
        return
    _told.add(key)
    try:
        warnings.warn(f"demurrage-recorder: {message}", RuntimeWarning, stacklevel=3)
    except Warning:
        logging.getLogger("demurrage_recorder").warning("%s", message)
