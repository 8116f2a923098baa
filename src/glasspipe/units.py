"""Units: energies in eV, lengths in Å, densities in g/cm³, velocities in km/s, k_B T in eV.

The only conversion that the model needs is that of an elastic modulus ρc² into an energy density;
everything else is already in eV and Å.
"""

from math import log

ELECTRON_VOLT = 1.602176634e-19
"""1 eV in J, exact since 2019, as are the two that follow."""
BOLTZMANN = 1.380649e-23
"""k_B, J/K."""
PLANCK = 6.62607015e-34
"""h, J s."""

EV_PER_CUBIC_ANGSTROM = ELECTRON_VOLT / 1e-10**3
"""1 eV/Å³ in Pa."""

MODULUS = 1.0e3 * 1.0e6 / EV_PER_CUBIC_ANGSTROM
"""1 g/cm³ (km/s)² in eV/Å³: 6.241509e-3."""

GPA = 1e9 / EV_PER_CUBIC_ANGSTROM
"""1 GPa in eV/Å³: 6.241509e-3."""

KELVIN = BOLTZMANN / ELECTRON_VOLT
"""1 K as k_B T in eV."""

GIGAHERTZ = 1e9 * PLANCK / ELECTRON_VOLT
"""1 GHz as hν in eV."""

_HELD = (1e-15, 1e15)
"""eV; between these float32 holds the largest energy with all that matters beside it."""


def unit_of(largest: float) -> float:
    """Return what energies are to be counted in, eV, for float32 to hold them: a power of four.

    1 eV, unless the largest of them is very small or large. A power of two changes no digit of any
    of them, so that a Hamiltonian freezes as its multiple does.
    """
    low, high = _HELD
    return 1.0 if largest == 0 or low <= largest <= high else 4.0 ** round(log(largest, 4))
