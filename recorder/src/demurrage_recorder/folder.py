"""Where a process writes its journal."""

import os
import stat
import tempfile
from pathlib import Path

DIRECTORY_VARIABLE = "DEMURRAGE_RECORDER_DIR"

_NAME = "demurrage-recorder"


def private_folder(given: str | None = None) -> Path:
    """The folder for journals that this process delivers itself, made if need be.

    The given one, else that of `DEMURRAGE_RECORDER_DIR`, else one in the user's state folder,
    else one of the user's in the folder for temporary files. It may turn out not to be writable:
    the journal copes.
    """
    chosen = given or os.environ.get(DIRECTORY_VARIABLE)
    if chosen:
        folder = Path(chosen).expanduser().absolute()
        _make(folder)
        return folder
    state = _state_folder()
    if state is not None and _make(state / _NAME):
        return state / _NAME
    folder = Path(tempfile.gettempdir()) / f"{_NAME}-{os.getuid()}"
    _make(folder)
    if not _own(folder):
        # Somebody else laid it there: nothing of ours is to be read or replaced by them.
        return Path(tempfile.mkdtemp(prefix=f"{_NAME}-"))
    return folder


def _state_folder() -> Path | None:
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    if state.is_absolute():
        return state
    try:
        return Path.home() / ".local" / "state"
    except RuntimeError:  # a user without a home
        return None


def _make(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _own(folder: Path) -> bool:
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
