"""Do the intervals hold the true values: of the pipeline's own fields, not of a law's numbers."""

import numpy as np
import pytest
from workbench import part, stages

from glasspipe.files import dataset
from glasspipe.settings.point import point_from
from glasspipe.statistics import describe

QUANTILES = ("median_abs", "quartile_half_width", "q05", "q95")
REALISATIONS, GROUP = 480, 12
CONFIG = {
    "study": "coverage",
    "realisations": REALISATIONS,
    "realisations_per_job": REALISATIONS,
    "defects": {"number": 8, "concentration": 0.01},
    "freeze": {"sweeps": 10, "steps": 10},
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Fields in small boxes, of frozen S where they depend on S."""
    point, folder = point_from(CONFIG), tmp_path_factory.mktemp("drawn")
    names = ("sample", "couplings", "freeze", "fields")
    sample, couplings, freeze, fields = (folder / f"{name}.nc" for name in names)
    stages.sample(point, sample)
    stages.couplings(point, sample, couplings)
    stages.freeze(point, couplings, freeze)
    stages.fields(point, sample, freeze, fields)
    with dataset.stage_file(freeze, part(point, "freeze")) as frozen:
        found = {name: frozen.whole(name) for name in ("B", "h")}
    with dataset.stage_file(fields, part(point, "fields")) as made:
        return found | {name: made.whole(name) for name in ("b", "J_tau")}


def test_two_errors_cover_the_quantiles_of_the_fields(drawn):
    """As often as Student's t of 11 degrees, 0.93; the truth is that of all realisations."""
    hits, rng = [], np.random.default_rng(1)
    for values in drawn.values():
        truth = describe(values, rng, resamples=2)
        for group in values.reshape(-1, GROUP, values.shape[1]):
            found = describe(group, rng, resamples=100)
            hits += [abs(found[q].value - truth[q].value) < 2 * found[q].stderr for q in QUANTILES]
    assert np.mean(hits) == pytest.approx(0.93, abs=0.04)
