"""Whole small studies, to their figures and tables: whatever a user may write is really run.

The covering design has every pair of settings that a point may have in some point. What the checks
refuse is left out by asking them.
"""

import itertools
import random

import numpy as np
import pytest

from glasspipe.errors import ConfigError
from glasspipe.files import results
from glasspipe.settings.point import point_from, point_schema
from glasspipe.settings.schema import leaves
from glasspipe.settings.study import study_from

SMALL = {
    "realisations": 2,
    "freeze": {"sweeps": 20, "steps": 10},
    "aggregate": {"bootstrap": 5, "pairs": 3},
}


def test_more_realisations_than_any_default(whole, tmp_path):
    many = {"realisations": 101, "realisations_per_job": 25, "defects": {"number": 3}}
    whole({**SMALL, "study": "many", **many})
    assert len(list(tmp_path.glob("data/fields/*/*.nc"))) == 5


ALIKE = {"density": 2.0, "c_l": 2.0, "c_t": 2.0}
DESIGN = {
    "defects.species": ["aligned", "uniaxial", "rotor"],
    "defects.axes": ["100", "111"],
    "defects.static_dipole": ["none", "mean"],
    "defects.E": [0.0, 0.01],
    "defects.D": [1e-4, {"distribution": "uniform", "parameters": {"scale": 1e-3}}],
    "medium": ["KBr", "KBr_cubic", ALIKE],
    "boundary": ["clamped", "spherical", "stress_free", "minimum_image"],
    "formula": ["derived", "as_printed"],
    "couplings.store": ["float64", "float32", "implicit"],
    "freeze.method": ["annealing", "tempering"],
    "freeze.replicas": [1, 2],
    "lattice.type": ["simple_cubic", "fcc"],
}
BASE = {**SMALL, "defects": {"concentration": 0.05, "number": 20}, "freeze": {"sweeps": 200}}


def refusal(row):
    """Why the checks refuse a row of settings, or nothing."""
    sections = {name: dict(BASE.get(name, {})) for name in ("defects", "freeze")}
    for key, value in row.items():
        section, _, leaf = key.partition(".")
        if leaf:
            sections.setdefault(section, {})[leaf] = value
        else:
            sections[section] = value
    try:
        point_from({**sections, "realisations": 2})
    except ConfigError as error:
        return str(error)
    return ""


def pairs_of(row):
    return set(itertools.combinations([(key, str(value)) for key, value in row.items()], 2))


def covering_design():
    """Rows of settings in which every allowed pair is, each the best of some random ones."""
    rng, rows, covered, misses = random.Random(1), [], set(), 0
    while misses < 8:
        tried = [{key: rng.choice(values) for key, values in DESIGN.items()} for _ in range(60)]
        refusals = [refusal(row) for row in tried]
        assert all("\n" not in line and (not line or "allowed" in line) for line in refusals)
        allowed = [row for row, line in zip(tried, refusals, strict=True) if not line]
        best = max(allowed, key=lambda row: len(pairs_of(row) - covered), default=None)
        if best is None or not pairs_of(best) - covered:
            misses += 1
            continue
        rows.append(best)
        covered |= pairs_of(best)
    return rows, covered


def test_every_pair_of_settings(whole):
    rows, covered = covering_design()
    every = set()
    for one, other in itertools.combinations(DESIGN, 2):
        every |= {
            ((one, str(a)), (other, str(b)))
            for a, b in itertools.product(DESIGN[one], DESIGN[other])
        }
    assert len(covered) > 0.93 * len(every)
    sweep = {key: {"values": [row[key] for row in rows]} for key in DESIGN}
    found = whole({**BASE, "study": "pairs", "sweep": sweep, "sweep_mode": "zip"})
    assert found["point"].nunique() == len(rows)


SWEPT = {
    "seed": [1, 2],
    "medium": ["KBr", "KCl"],
    "lattice.type": ["fcc", "bcc"],
    "lattice.size": [6, 7],
    "defects.species": ["uniaxial", "rotor"],
    "defects.axes": ["111", "110"],
    "defects.sublattice": ["anion", "cation"],
    "defects.static_dipole": ["none", "mean"],
    "defects.stoichiometry": ["random", "exact"],
    "defects.mixture": ["none", {"a": {"share": 0.5}, "b": {"share": 0.5, "gamma": 2.0}}],
    "defects.concentration": [0.01, 0.05],
    "defects.number": [20, 30],
    "boundary": ["clamped", "spherical"],
    "formula": ["derived", "as_printed"],
    "couplings.store": ["float32", "float64"],
    "couplings.accuracy": [1e-6, 1e-5],
    "freeze.method": ["annealing", "tempering"],
    "freeze.sweeps": [200, 400],
    "freeze.steps": [10, 20],
    "freeze.schedule": ["geometric", "linear"],
    "freeze.replicas": [1, 2],
    "freeze.swap_rate": [0.2, 0.4],
    "medium.c11": [34.0, 36.0],
    "medium.c12": [5.0, 6.0],
    "medium.c44": [5.0, 6.0],
}
"""Two values of each key that is not a plain number."""
BESIDE = {
    "defects.sublattice": {"lattice": {"type": "rock_salt"}},
    "defects.static_dipole": {"defects": {"species": "rotor", "number": 20}},
    "defects.stoichiometry": {"defects": {"mixture": {"a": {"share": 0.5}, "b": {"share": 0.5}}}},
    "freeze.swap_rate": {"freeze": {"method": "tempering", "sweeps": 200, "steps": 5}},
    "couplings.accuracy": {"couplings": {"store": "implicit"}},
    "medium.": {"medium": {"density": 2.0, "c_l": 3.0, "c_t": 1.5}},
    "medium.c11": {"medium": "KBr_cubic"},
    "medium.c12": {"medium": "KBr_cubic"},
    "medium.c44": {"medium": "KBr_cubic"},
}
"""What a sweep of a key needs beside it."""
SKIPPED = ("medium.preset", "sample.source", ".distribution", ".parameters", "parameters.")


def sweepable():
    keys = [key for key, _ in leaves(point_schema())]
    return [key for key in keys if not any(part in key for part in SKIPPED)]


def test_every_key_can_be_swept():
    """Each alone, up to the points that it makes; those of different kinds are run below."""
    for key in sweepable():
        values = SWEPT.get(key)
        if values is None:
            start = 0.01 if key.partition(".")[0] == "defects" else 5.0
            start = {"freeze.t_end": 0.04, "medium.c_t": 1.4}.get(key, start)
            values = [start, start * 1.25]
        beside = BESIDE.get(key, BESIDE["medium."] if key.startswith("medium.") else {})
        config = {**BASE, **beside, "study": "swept", "sweep": {key: {"values": values}}}
        assert len(study_from(config).points) == 2, key


IN_STEP = {
    "seed": [1, 2],
    "medium.c_l": [3.0, 3.5],
    "lattice.constant": [6.0, 6.5],
    "freeze.steps": [10, 20],
    "freeze.replicas": [1, 2],
    "freeze.method": ["annealing", "tempering"],
}
NOTHING_COUPLES = {
    "defects.concentration": [0.01, 0.05],
    "defects.gamma": [0.0, 1.0],
}
TEXTS = {"defects.mixture": SWEPT["defects.mixture"]}


@pytest.mark.parametrize(
    ("values", "mode"),
    [(IN_STEP, "zip"), (NOTHING_COUPLES, "product"), (TEXTS, "product")],
    ids=["numbers and names", "nothing couples", "mixtures"],
)
def test_sweeps_of_every_kind_of_key(whole, values, mode):
    sweep = {key: {"values": each} for key, each in values.items()}
    whole({**BASE, "study": "kinds", "medium": "KBr", "sweep": sweep, "sweep_mode": mode})


def test_overlaps_of_points_that_have_none_are_unknown(whole, tmp_path):
    whole({**BASE, "study": "counts", "sweep": {"freeze.replicas": {"values": [1, 2]}}})
    counts = results.read_merged(tmp_path, results.FREEZING)["overlap_count"].to_numpy()
    assert np.isnan(counts[0]).all()
    assert counts[1].min() >= 0 < counts[1].sum()


TWO_SUBLATTICES = {
    "lattice": {"type": "rock_salt"},
    "defects": {
        "number": 24,
        "concentration": 0.05,
        "mixture": {
            "a": {"share": 0.5, "frame_spread": 20.0},
            "b": {"share": 0.5, "sublattice": "cation"},
        },
    },
}
GAUSSIAN = {"material": "silica", "defects": {"number": 20, "concentration": 0.05}}
EVERY_SITE = {
    "lattice": {"type": "rock_salt"},
    "defects": {
        "number": 20,
        "concentration": 1.0,
        "stoichiometry": "exact",
        "mixture": {"a": {"share": 0.5}, "b": {"share": 0.5, "sublattice": "cation", "gamma": 2}},
    },
}
EXACT = {
    "medium": "KBr_cubic",
    "boundary": "stress_free",
    "defects": {
        "number": 20,
        "species": "aligned",
        "mixture": {"a": {"share": 0.3}, "b": {"share": 0.7, "gamma": -2.0, "eta": 0.3}},
    },
    "sweep": {
        "defects.concentration": {"values": [0.3, 1.0]},
        "defects.stoichiometry": {"values": ["random", "exact"]},
    },
}
PLAQUETTES = {
    "medium": "KBr_cubic",
    "defects": {
        "species": "plaquette",
        "static_dipole": "mean",
        "number": 20,
        "E": 0.01,
        "frame_spread": 15.0,
    },
}


@pytest.mark.parametrize(
    "config",
    [TWO_SUBLATTICES, GAUSSIAN, PLAQUETTES, EVERY_SITE, EXACT],
    ids=["rock salt", "silica", "plaquettes", "every site", "exact numbers"],
)
def test_other_defects(whole, config):
    whole({**SMALL, "study": "other", **config, "hamiltonian": {"store": "pairs"}})
