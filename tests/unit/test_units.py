"""Units against scipy's table of constants, which the package does not import."""

import pytest
from scipy import constants

from glasspipe import units
from glasspipe.files import foreign


def test_constants_of_the_si():
    assert constants.electron_volt == units.ELECTRON_VOLT
    assert constants.Boltzmann == units.BOLTZMANN
    assert constants.h == units.PLANCK
    assert constants.physical_constants["Boltzmann constant in eV/K"][0] == units.KELVIN
    assert pytest.approx(4.135667e-6, rel=1e-6) == units.GIGAHERTZ


def test_atomic_units_of_users_files():
    known = {name: value for name, (value, *_) in constants.physical_constants.items()}
    assert known["Hartree energy in eV"] == pytest.approx(foreign.ENERGIES["hartree"], rel=1e-11)
    assert known["Bohr radius"] == pytest.approx(1e-10 * foreign.LENGTHS["bohr"], rel=1e-8)
