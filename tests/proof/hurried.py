"""The daemon with the long spans that no setting bounds as short as a soak's settings are.

A soak lives through a day in half an hour. What the daemon keeps for a day, for an hour, or up to
a number that it reaches in a day, whatever its settings say, would grow for all of it, and show
nothing.
"""

from demurrage.app import service
from demurrage.cli import main
from demurrage.decide import deduction, ledger
from demurrage.store import retention

# In seconds; as shipped a day, an hour, an hour and five minutes.
_NEIGHBOURHOOD = 60.0
_HORIZON = 60.0
_HOUSEKEEPING = 10.0
# Ids whose content is remembered, as shipped 200,000: those of some minutes.
_REMEMBERED = 5_000

if __name__ == "__main__":
    retention.NEIGHBOURHOOD = _NEIGHBOURHOOD
    deduction.HORIZON = _HORIZON
    ledger.REMEMBERED = _REMEMBERED
    service.HOUSEKEEPING = service.FIRST_HOUSEKEEPING = _HOUSEKEEPING
    main()
