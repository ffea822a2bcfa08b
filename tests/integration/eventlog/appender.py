"""A program that logs to a shared folder: `python appender.py FOLDER NAME FILE COUNT HOW`.

HOW is `hold`: keep the file open and look now and then whether it was renamed, as loggers do;
or `guard`: write under a lock that whoever cuts the file off takes, too.
"""

import fcntl
import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

_LOOKS_EVERY = 20
_HUGE = 1_200_000


def main(folder: Path, name: str, file: str, count: int, how: str) -> None:
    """Append so many events, and some lines that are none to a file of its own."""
    bad = folder / f"bad-{name}.jsonl"
    own = name.encode()
    lines = [own, b"\x00\xff\xfe" + own, b"", own + b"x" * _HUGE, b'{"id": "%b"}' % own]
    bad.write_bytes(b"\n".join(lines) + b'\n{"torn": "' + own)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    target = os.open(folder / file, flags)
    guard = os.open(folder / "guard", os.O_RDWR | os.O_CREAT)
    for sequence in range(1, count + 1):
        if how == "hold" and sequence % _LOOKS_EVERY == 0:
            os.close(target)
            target = os.open(folder / file, flags)
        event = {
            "specversion": "1.0",
            "id": f"{name}-{sequence}",
            "source": name,
            "sequence": sequence,
            "type": "demurrage.container.referenced",
            "time": datetime.now(UTC).isoformat(),
            "data": {"target": "default", "container_id": f"cntr_{sequence}"},
        }
        line = json.dumps(event).encode() + b"\n"
        if how == "guard":
            fcntl.flock(guard, fcntl.LOCK_EX)
        os.write(target, line)
        if how == "guard":
            fcntl.flock(guard, fcntl.LOCK_UN)
        time.sleep(0.001)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
