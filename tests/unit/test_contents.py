"""A figure is made only where the study decides it, and the study knows before it runs."""

import pytest

from glasspipe.report.contents import FIGURES, figures_of, tables_of, undecided
from glasspipe.report.observables import OBSERVABLES
from glasspipe.settings.study import study_from

LOG = {"start": 100, "stop": 10000, "number": 3}
CONDITIONAL = {"energy_sweeps", "tau_ratios", "overlap_distribution"}


def names(pages):
    return {page.name for page in pages}


def config(sweep, **more):
    return study_from({"study": "s", **more, "sweep": sweep}).config


@pytest.mark.parametrize(
    ("sweep", "more", "made"),
    [
        ({"defects.concentration": {"values": [0.01, 0.1]}}, {}, set()),
        ({"freeze.sweeps": {"values": [100]}}, {}, set()),
        ({"freeze.sweeps": {"values": [100, 200]}}, {}, {"energy_sweeps"}),
        (
            {"freeze.sweeps": {"log": {"start": 100, "stop": 10000, "number": 3}}},
            {},
            {"energy_sweeps"},
        ),
        ({"defects.zeta": {"values": [0.1, 1.0]}}, {}, {"tau_ratios"}),
        ({"seed": {"values": [1]}}, {"freeze": {"replicas": 2}}, {"overlap_distribution"}),
        ({"freeze.replicas": {"values": [1, 2]}}, {}, {"overlap_distribution"}),
    ],
)
def test_figures_follow_from_the_study(sweep, more, made):
    found = config(sweep, **more)
    assert CONDITIONAL & names(figures_of(found)) == made
    assert set(undecided(found)) == CONDITIONAL - made
    assert len(figures_of(found)) == len(FIGURES) - len(CONDITIONAL - made)
    assert ("sweeps" in names(tables_of(found))) == ("energy_sweeps" in made)


def test_no_variable_is_named_like_a_dimension_that_is_not_its_own():
    """xarray would take it for the coordinate of that dimension, the same at all points."""
    declared = {name: about for one in OBSERVABLES for name, about in one.kept.items()}
    dimensions = {name for about in declared.values() for name in about.dimensions.split()}
    named = {name for name in dimensions & set(declared) if declared[name].dimensions != name}
    assert not named
    assert len(declared) == sum(len(one.kept) for one in OBSERVABLES)
