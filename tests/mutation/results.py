"""What became of each mutant, and which survivors somebody has argued for."""

import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

# A literal with a space in it is a sentence for people; a lone word may be a key.
_SENTENCE = re.compile(r'"[^"{}]* [^"{}]*"')
_CAUGHT = ("killed", "timeout", "segfault")


@dataclass(frozen=True)
class Argument:
    """Why a mutant may survive: the function, the lines that it takes out and puts in, a reason."""

    function: str
    before: str
    after: str
    why: str


@dataclass(frozen=True)
class Outcome:
    """One mutant of a module of the core, its fate, and, if no test caught it, its diff.

    `wording`: all that it changes is words within a sentence, which no test asserts.
    """

    name: str
    fate: str
    diff: str = ""
    argument: Argument | None = None
    wording: bool = False

    @property
    def module(self) -> str:
        """The module's name within `demurrage.decide`."""
        return self.name.split(".")[2]

    @property
    def function(self) -> str:
        """`module.function`, or `module.Class.method`."""
        mangled = self.name.split(".")[3].partition("__mutmut_")[0]
        plain = mangled.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
        return f"{self.module}.{plain}"

    @property
    def caught(self) -> bool:
        """Whether a test failed, never ended, or brought the interpreter down."""
        return self.fate in _CAUGHT


def argued(path: Path) -> list[Argument]:
    """The arguments on file."""
    return [Argument(**each) for each in tomllib.loads(path.read_text()).get("mutant", ())]


def outcomes(
    folder: Path, mutmut: Path, arguments: Iterable[Argument], modules: Collection[str]
) -> list[Outcome]:
    """What mutmut has found in the scratch folder, of some modules or, if none is given, of all."""
    listed = _said(folder, [str(mutmut), "results", "--all", "true"])
    fates = [line.strip().rpartition(": ")[::2] for line in listed.splitlines() if ": " in line]
    if modules:
        fates = [each for each in fates if Outcome(*each).module in modules]
    known = {(each.function, each.before, each.after): each for each in arguments}

    def outcome(name: str, fate: str) -> Outcome:
        if fate in _CAUGHT:
            return Outcome(name, fate)
        diff = _said(folder, [str(mutmut), "show", name])
        before, after = _lines(diff, "-"), _lines(diff, "+")
        key = (Outcome(name, fate).function, before, after)
        wording = _SENTENCE.sub("", before) == _SENTENCE.sub("", after)
        return Outcome(name, fate, diff, known.get(key), wording)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda each: outcome(*each), fates))


def _said(folder: Path, command: list[str]) -> str:
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def _lines(diff: str, sign: str) -> str:
    """The changed lines of one side of a diff, without what lines them up."""
    body = diff.splitlines()
    start = next((at for at, line in enumerate(body) if line.startswith("@@")), len(body))
    return "\n".join(line[1:].strip() for line in body[start:] if line.startswith(sign))


def report(
    results: Sequence[Outcome], arguments: Iterable[Argument], *, whole: bool
) -> tuple[float, list[Argument]]:
    """Print the scores and survivors; returns the score and the arguments without a survivor.

    The score is the share of caught mutants among those that nobody has argued for and that
    change more than wording.
    """
    for each in sorted(results, key=lambda each: each.name):
        if not each.caught and each.argument is None and not each.wording:
            print(f"\n{each.name}: {each.fate}")
            lines = each.diff.splitlines()
            print("\n".join(line for line in lines if not line.startswith(("#", "---", "+++"))))
    used = {each.argument for each in results}
    stale = [each for each in arguments if whole and each not in used]
    for left in stale:
        print(f"\nNo mutant survives that is argued for here: {left.function}: {left.after}")
    titles = ("mutants", "caught", "timeout", "wording", "argued", "alive", "score")
    print(f"\n{'module':14}" + "".join(f"{each:>8}" for each in titles))
    for module in sorted({each.module for each in results}):
        _row(module, [each for each in results if each.module == module])
    return _row("all", results), stale


def _row(title: str, results: Sequence[Outcome]) -> float:
    caught = sum(each.caught for each in results)
    wording = sum(each.wording for each in results)
    spared = sum(each.argument is not None and not each.wording for each in results)
    open_to_judge = len(results) - wording - spared
    score = caught / open_to_judge if open_to_judge else 1.0
    fates = Counter(each.fate for each in results)
    alive = open_to_judge - caught
    counts = f"{len(results):8}{caught:8}{fates['timeout']:8}{wording:8}{spared:8}{alive:8}"
    print(f"{title:14}{counts}{score:8.1%}")
    return score
