"""Elastic media and units."""

import pytest
from scipy import constants

from glasspipe.medium import PRESETS, Medium, medium_from
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


def test_negative_bulk_modulus_is_a_warning():
    assert "bulk modulus is negative" in (Medium(1.0, 1.0, 1.0).warning or "")
    assert Medium(1.0, 1.2, 1.0).warning is None
