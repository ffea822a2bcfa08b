"""A reader of a shared folder that goes on until it is killed: `python follower.py FOLDER URL`."""

import sys
import time
from pathlib import Path

from demurrage.eventlog.files.feed import FolderFeed
from demurrage.eventlog.log import EventLog


def main(folder: Path, url: str) -> None:
    """Look again and again."""
    log = EventLog.open(url, clock=time.time)
    feed = FolderFeed(folder, log, targets=("default",), clock=time.time)
    while True:
        feed.gather()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
