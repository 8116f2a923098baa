"""A name never says something else than what it is."""

import pytest

from glasspipe.settings.names import hash_of, name_of

HASH = hash_of({"a": 1})


@pytest.mark.parametrize(
    ("swept", "name"),
    [
        ({}, "point"),
        ({"defects.concentration": 0.01}, "concentration-0.01"),
        ({"defects.eta": 0.1 + 0.2}, "eta-0.30000000000000004"),
        ({"medium": "KCl_cubic"}, "medium-KCl_cubic"),
        ({"sample.source": {"file": "/a/b/run.1.nc"}}, "source-run.1.nc"),
        ({"medium": {"density": 2.0, "c_l": 3.0}}, "medium-2-3"),
        ({"defects.species": "a" * 70}, "etc"),
        (
            {"boundary": "spherical", "defects.gamma": 1.0, "defects.mixture": "b" * 50},
            "boundary-spherical-gamma-1-etc",
        ),
        (
            {"a": "x" * 40, "medium": "KBr", "defects.axes": "KCl_cubic"},
            f"a-{'x' * 40}-medium-KBr-etc",
        ),
    ],
)
def test_values_stand_in_it_whole_or_not_at_all(swept, name):
    assert name_of(swept, HASH) == f"{name}-{HASH[:10]}"
