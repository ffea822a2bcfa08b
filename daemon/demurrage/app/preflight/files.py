"""Files beside the store: where applications leave events, and where secrets lie."""

import stat
from pathlib import Path

from demurrage.app.preflight.check import Check, Grade
from demurrage.app.settings import Settings
from demurrage.eventlog.files.folder import look, opened
from demurrage.eventlog.files.locks import lock_fault
from demurrage.model.error import DemurrageError


def event_files(settings: Settings) -> list[Check]:
    """Whether the folder of event files can be read, and deaths proven by its locks."""
    if not settings.events.folder:
        return []
    folder = Path(settings.events.folder)
    try:
        with opened(folder) as descriptor:
            files = len(look(folder, descriptor).files)
            fault = lock_fault(descriptor)
    except DemurrageError as error:
        advice = "make the folder, and let the daemon's user list it and read its files"
        return [Check("event files", Grade.FAIL, str(error), advice)]
    found = f"{folder} is read; it holds {files} event file{'' if files == 1 else 's'}"
    if fault is not None:
        advice = "demurrage writers retire, for each writer that is killed"
        return [Check("event files", Grade.WARN, f"{found}; no death is proven: {fault}", advice)]
    return [Check("event files", Grade.PASS, found)]


def secret_files(settings: Settings) -> list[Check]:
    """Key files that anybody on the machine can read; that they can be read, the settings see."""
    files = {name: each.api_key_file for name, each in settings.targets.items()}
    return [
        Check(
            f"{name}: key file",
            Grade.WARN,
            f"api_key_file: anyone on this machine can read {file}",
            "chmod o-rwx it",
        )
        for name, file in files.items()
        if file and _open_to_all(Path(file))
    ]


def _open_to_all(file: Path) -> bool:
    try:
        return bool(file.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False
