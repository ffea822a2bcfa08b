"""To be imported before processes are split off: what a first world has to prepare is then there.

Modules that are imported late, schemas of events and compiled statements would else be made anew
in each of them.
"""

import gc

from tests.simulation.shape import draw
from tests.simulation.world import run

run(draw(1, containers=30))
# Counted by no collection any more, so that memory stays shared with what is split off.
gc.collect()
gc.freeze()
