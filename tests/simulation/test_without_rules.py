import pytest
from tests.simulation.without_rules import REMOVALS, Removal, without


@pytest.mark.parametrize("removal", REMOVALS, ids=lambda removal: removal.rule)
def test_each_rule_that_can_be_taken_out_is_there(removal: Removal) -> None:
    """The worlds that then fail are for `make prove`; that the names are still right is not."""
    with without(removal):
        pass
