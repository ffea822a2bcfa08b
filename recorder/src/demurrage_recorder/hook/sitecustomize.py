"""Found first by any Python that a command under `demurrage-recorder run` starts.

Instruments the HTTP clients of the application, then lets its own `sitecustomize` have its turn.
"""

import importlib
import importlib.util
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def _instrument_everything() -> None:
    """Have the recorder do it, also where the application's Python has not got it installed."""
    name, home = "demurrage_recorder", _HERE.parent
    if importlib.util.find_spec(name) is None:
        found = importlib.util.spec_from_file_location(
            name, home / "__init__.py", submodule_search_locations=[str(home)]
        )
        if found is None or found.loader is None:
            raise ImportError(f"no {name} in {home}")
        module = importlib.util.module_from_spec(found)
        sys.modules[name] = module
        found.loader.exec_module(module)
    importlib.import_module(f"{name}.everywhere").instrument_everything()


def _hand_on() -> None:
    """Import the `sitecustomize` that this one stands before, if there is any."""
    mine = sys.modules.pop(__name__)
    kept = list(sys.path)
    sys.path[:] = [each for each in kept if Path(each or ".").resolve() != _HERE]
    try:
        if importlib.util.find_spec(__name__) is not None:
            importlib.import_module(__name__)
    finally:
        sys.path[:] = [*sys.path, *(each for each in kept if each not in sys.path)]
        # Whoever imports this one expects to find a module under the name.
        sys.modules.setdefault(__name__, mine)


try:
    _instrument_everything()
except Exception as error:  # noqa: BLE001 - the application runs on, unwatched, and it is said
    print(f"demurrage-recorder: {type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
_hand_on()
