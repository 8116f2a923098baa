"""A Hamiltonian freezes as its multiple does, however small or large the energies."""

import numpy as np
import pytest
from workbench import part, stages

from glasspipe.files import dataset
from glasspipe.settings.point import point_from
from glasspipe.spins.annealing import freeze
from glasspipe.spins.tempering import temper

ABOUT = {"sweeps": 200, "steps": 10, "schedule": "geometric", "t_start": 10.0, "t_end": 0.05}


def hamiltonian(size=40):
    rng = np.random.default_rng(2)
    U = np.triu(rng.normal(size=(size, size)), 1)
    return U + U.T, rng.normal(size=size)


@pytest.mark.parametrize("power", [-500, -130, -70, -60, 60, 130])
@pytest.mark.parametrize("method", [freeze, lambda *a, **k: temper(*a, **k).frozen])
def test_a_multiple_freezes_alike(method, power):
    U, B = hamiltonian()
    unit = 2.0**power
    one = method(U, B, key=7, replicas=2, **ABOUT)
    other = method(U * unit, B * unit, key=7, replicas=2, **ABOUT)
    np.testing.assert_array_equal(other.replica_S, one.replica_S)
    for name in ("h", "energy", "T", "trace_energy", "replica_energy"):
        np.testing.assert_array_equal(getattr(other, name), getattr(one, name) * unit)
    np.testing.assert_array_equal(other.acceptance, one.acceptance)
    assert np.all(other.S * other.h < 0)


@pytest.mark.parametrize("store", ["float64", "implicit"])
@pytest.mark.parametrize("strength", [1e-30, 2.0**-70, 1e6])
def test_a_study_of_any_strength_freezes(tmp_path, store, strength):
    """Couplings go as γ², fields as γη: with both strengths alike all energies scale alike."""
    found = {}
    for scale in (1.0, strength):
        point = point_from(
            {
                "defects": {"number": 200, "gamma": scale, "eta": scale},
                "realisations": 1,
                "freeze": {"sweeps": 200, "steps": 10},
                "couplings": {"store": store},
            }
        )
        r, h, f = (tmp_path / f"{scale}{name}.nc" for name in "rhf")
        stages.sample(point, r)
        stages.couplings(point, r, h)
        stages.freeze(point, h, f)
        with dataset.stage_file(f, part(point, "freeze")) as reader:
            found[scale] = {name: reader.whole(name)[0] for name in ("S", "energy", "acceptance")}
    energy = found[strength]["energy"] / strength**2
    assert energy == pytest.approx(found[1.0]["energy"], rel=0.02)
    assert np.abs(found[strength]["acceptance"] - found[1.0]["acceptance"]).max() < 0.1
    if strength == 2.0**-70:
        np.testing.assert_array_equal(found[strength]["S"], found[1.0]["S"])
