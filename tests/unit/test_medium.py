"""Elastic media and units."""

import re
from math import sqrt

import numpy as np
import pytest
from arrays import couplings
from scipy import constants

from glasspipe.elastic.greens import zero_mode
from glasspipe.elastic.medium import PRESETS, CubicMedium, Medium, medium_from
from glasspipe.units import KELVIN, MODULUS


def test_units():
    assert pytest.approx(6.241509e-3, rel=1e-7) == MODULUS
    assert pytest.approx(constants.k / constants.e, rel=1e-12) == KELVIN


@pytest.mark.parametrize(
    ("name", "c11", "c12", "c44"), [("KBr", 34.7, 5.8, 5.07), ("KCl", 40.7, 7.1, 6.3)]
)
def test_presets_are_the_hill_averages_of_their_crystals(name, c11, c12, c44):
    medium = PRESETS[name].medium
    voigt = (c11 - c12 + 3 * c44) / 5
    reuss = 5 * (c11 - c12) * c44 / (4 * c44 + 3 * (c11 - c12))
    shear, bulk = (voigt + reuss) / 2, (c11 + 2 * c12) / 3
    assert medium.density * medium.c_t**2 == pytest.approx(shear, rel=0.005)
    assert medium.density * medium.c_l**2 == pytest.approx(bulk + 4 / 3 * shear, rel=0.005)
    assert "check before publishing" in PRESETS[name].source


def test_moduli():
    medium = Medium(2.0, 3.0, 1.5)
    assert medium.longitudinal_modulus == pytest.approx(18 * MODULUS)
    assert medium.transverse_modulus == pytest.approx(4.5 * MODULUS)
    assert medium.bulk_modulus == pytest.approx(12 * MODULUS)


def test_medium_from_config():
    assert medium_from("KBr") is PRESETS["KBr"].medium
    assert medium_from({"density": 1.0, "c_l": 2.0, "c_t": 1.0}) == Medium(1.0, 2.0, 1.0)
    with pytest.raises(
        ValueError, match="medium is 'KBrr'; the presets are KBr, KCl, silica, KBr_cubic, KCl_cubic"
    ):
        medium_from("KBrr")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((-1.0, 2.0, 1.0), "medium.density is -1.0; it must be positive"),
        ((1.0, float("nan"), 1.0), "medium.c_l is nan"),
        ((1.0, 1.0, 2.0), "c_l may not be below c_t"),
    ],
)
def test_impossible_media(values, message):
    with pytest.raises(ValueError, match=message):
        Medium(*values)


def test_a_study_may_have_the_papers_limit_of_equal_velocities():
    assert medium_from({"density": 1.0, "c_l": 1.0, "c_t": 1.0}) == Medium(1.0, 1.0, 1.0)
    assert Medium(1.0, 1.0, 1.0).bulk_modulus < 0
    assert medium_from({"density": 1.0, "c_l": 1.155, "c_t": 1.0}).bulk_modulus > 0
    with pytest.raises(ValueError, match="c_l may not be below c_t"):
        medium_from({"density": 1.0, "c_l": 0.5, "c_t": 1.0})


@pytest.mark.parametrize(
    "medium",
    [
        Medium(1.0, 1.0, 1.0),
        Medium(1.0, sqrt(4 / 3), 1.0),
        Medium(1.0, sqrt(4 / 3) * (1 + 1e-7), 1.0),
        CubicMedium(1.0, 2.0, -1.0 + 1e-9, 1.0),
    ],
    ids=str,
)
def test_a_free_surface_needs_a_volume_that_resists(medium):
    rule = r"^boundary: found stress_free with a bulk modulus K of .* GPa; allowed: K > .* of C11"
    with pytest.raises(ValueError, match=rule):
        zero_mode(medium, 1.0, "stress_free")
    one = {"box": np.full(3, 9.0), "medium": medium}
    defects = np.array([[0.0, 0.0, 0.0], [3.0, 4.0, 1.0]]), np.stack([np.eye(3)] * 2), np.ones(2)
    with pytest.raises(ValueError, match=rule):
        couplings(*defects, boundary="stress_free", **one)


def test_a_soft_volume_strains_as_it_should():
    """−η tr γ/(3KV), K 2e-5 of C11: the margin takes nothing from those above it."""
    medium = Medium(1.0, sqrt(4 / 3) * (1 + 1e-5), 1.0)
    K_0 = zero_mode(medium, 7.0, "stress_free")
    assert K_0.trace().trace() == pytest.approx(-1 / (7 * medium.bulk_modulus), rel=1e-9)


@pytest.mark.parametrize(("name", "zener"), [("KBr", 0.351), ("KCl", 0.375)])
def test_the_presets_are_the_averages_of_the_crystals(name, zener):
    crystal, average = PRESETS[f"{name}_cubic"].medium, PRESETS[name].medium
    assert crystal.zener_ratio == pytest.approx(zener, abs=5e-4)
    assert crystal.hill_average.c_l == pytest.approx(average.c_l, abs=0.005)
    assert crystal.hill_average.c_t == pytest.approx(average.c_t, abs=0.005)
    assert crystal.hill_average.bulk_modulus == pytest.approx(crystal.bulk_modulus)


def test_an_isotropic_crystal_is_its_own_average():
    crystal = CubicMedium(2.0, 5.0, 2.0, 1.5)
    assert crystal.zener_ratio == 1
    assert crystal.hill_average.stiffness == pytest.approx(crystal.stiffness)
    moduli = {"density": 2.0, "c11": 5.0, "c12": 2.0, "c44": 1.5}
    assert medium_from(moduli) == crystal


@pytest.mark.parametrize(
    ("moduli", "rule"),
    [
        ((1.0, 2.0, 1.0), "Born stability needs c11 > |c12|"),
        ((1.0, -0.6, 1.0), "Born stability needs c11 + 2 c12 > 0"),
        ((1.0, float("nan"), 1.0), "Born stability needs c11 > |c12|"),
        ((2.0, 1.0, 0.0), "medium.c44 is 0.0; it must be positive"),
    ],
)
def test_crystals_that_are_not_stable(moduli, rule):
    with pytest.raises(ValueError, match=re.escape(rule)):
        CubicMedium(1.0, *moduli)
