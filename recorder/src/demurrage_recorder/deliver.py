"""`demurrage-recorder deliver`: delivers what dead processes left behind."""

import argparse
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from demurrage_recorder.carrier import (
    DEFAULT_URL,
    TOKEN_VARIABLE,
    URL_VARIABLE,
    Carrier,
    NotNowError,
    carrier_for,
    label_of,
)
from demurrage_recorder.delivery import hand_over
from demurrage_recorder.estate import Estate, dead_locks
from demurrage_recorder.folder import private_folder

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - no public name

DONE = 0
LEFT = 1
WRONG = 2


@dataclass
class Delivered:
    """What came of it.

    `elsewhere`: journals that were meant for other daemons. `troubles` says of each other
    journal that stays why it does.
    """

    sources: int = 0
    events: int = 0
    refused: int = 0
    elsewhere: int = 0
    troubles: list[str] = field(default_factory=list)


def add_command(commands: "Subparsers") -> None:
    """Add `deliver` to the command's parser."""
    parser = commands.add_parser(
        "deliver",
        help="deliver what dead processes left",
        description="Delivers what dead processes left in the folder, with a goodbye in the name "
        "of each. Those that live deliver for themselves. Exit codes: 0 nothing is left, 1 "
        "something had to stay, 2 an argument is wrong.",
    )
    parser.add_argument(
        "--dir",
        metavar="DIR",
        help="the folder (default: DEMURRAGE_RECORDER_DIR, else one of the user's)",
    )
    parser.add_argument(
        "--url",
        metavar="URL",
        help="deliver all there, whatever daemon it was meant for, to this one (default: only "
        f"what was meant for {URL_VARIABLE}, else for {DEFAULT_URL})",
    )
    parser.set_defaults(command=_run)


def deliver(folder: Path, label: str | None, carrier: Carrier) -> Delivered:
    """Deliver the journals of all dead sources in a folder.

    Args:
        folder: where they lie.
        label: only those meant for this address; None means all.
        carrier: the way to the log.
    """
    done = Delivered()
    for path in dead_locks(folder):
        estate = Estate.claim(path)
        if estate is None:
            continue
        try:
            if label is not None and estate.meant_for != label:
                done.elsewhere += 1
                continue
            doubt = estate.doubt
            if doubt is not None:
                done.troubles.append(f"{path.name}: not taken over: {doubt}")
                continue
            while estate.settle_some(carrier, hand_over):
                pass
        except NotNowError as error:
            done.troubles.append(f"{path.name}: not delivered now: {error}")
            break
        except OSError as error:
            done.troubles.append(f"{path.name}: {error.strerror or error}")
        else:
            done.sources += 1
        finally:
            done.events += estate.delivered
            done.refused += estate.refused
            estate.let_go()
    return done


def _run(chosen: argparse.Namespace) -> int:
    url = chosen.url or os.environ.get(URL_VARIABLE) or DEFAULT_URL
    try:
        carrier = carrier_for(url, os.environ.get(TOKEN_VARIABLE) or None)
    except (ValueError, ImportError) as error:
        return _wrong(f"{'--url' if chosen.url else URL_VARIABLE}: {error}")
    folder = private_folder(chosen.dir) if chosen.dir is None else Path(chosen.dir)
    if not folder.is_dir():
        return _wrong(f"--dir: {folder} is no folder")
    done = deliver(folder, None if chosen.url else label_of(url), carrier)
    carrier.close()
    print(
        f"delivered {_count(done.events, 'event')} of {_count(done.sources, 'dead source')} "
        f"to {label_of(url)}"
    )
    if done.refused:
        print(f"refused for good: {_count(done.refused, 'event')}", file=sys.stderr)
    if done.elsewhere:
        print(
            f"{_count(done.elsewhere, 'dead source')} told another daemon: --url delivers them too",
            file=sys.stderr,
        )
    for trouble in done.troubles:
        print(trouble, file=sys.stderr)
    return LEFT if done.troubles else DONE


def _wrong(message: str) -> int:
    print(f"demurrage-recorder deliver: {message}", file=sys.stderr)
    return WRONG


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
