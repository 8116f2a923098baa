"""The variables of the stages' files: dimensions, units, meaning, equation."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Variable:
    """What a variable of a data file is.

    Parameters
    ----------
    dimensions : str
        Names, separated by blanks.
    units, long_name, reference : str
        Written as attributes; ``reference`` is an equation of the paper or a page of the manual.
    dtype : str
        How it is stored.
    """

    dimensions: str
    units: str
    long_name: str
    reference: str
    dtype: str = "f8"


_PER_DEFECT = "realisation defect"
_TRACE = "realisation replica step"
_STEP = "realisation step"
_TENSOR = f"{_PER_DEFECT} axis axis2"
_GRADIENT = f"{_TENSOR} axis3"

_REALISATION = Variable("realisation", "1", "realisation number", "model", "i8")
_POSITION = Variable(f"{_PER_DEFECT} axis", "angstrom", "position of the defect", "model")
_BOX = Variable("axis", "angstrom", "edges of the periodic box", "model")
_FIRST = Variable("pair", "1", "first defect of the pair", "model", "i4")
_SECOND = Variable("pair", "1", "second defect of the pair", "model", "i4")
_FROZEN = Variable(_PER_DEFECT, "1", "frozen S of the lowest-energy replica", "eq. (29)", "i1")
_GAMMA = Variable(_TENSOR, "eV", "strain coupling of S", "eq. (7)")
_D = Variable(_PER_DEFECT, "eV", "tunnelling amplitude of S", "eq. (2)")
_DELTA = Variable(_PER_DEFECT, "eV", "tunnelling amplitude of tau", "eq. (3)")
_B = Variable(_PER_DEFECT, "eV", "random field on S, stray field included", "eqs. (26), (29)")
_b = Variable(_PER_DEFECT, "eV", "random field on tau, stray field included", "eq. (71)")
_U = Variable("realisation pair", "eV", "Ising coupling of S, each pair once", "eq. (16)")
_J = Variable("realisation pair", "eV", "Ising coupling of tau, each pair once", "eq. (72)")


def _strong(letter: str, every: Variable) -> dict[str, Variable]:
    """The pairs whose coupling is strong, of all realisations one after the other."""
    dimension, reference = f"{letter}_pair", every.reference
    return {
        f"{letter}_strong": Variable(dimension, "eV", every.long_name, reference),
        f"{letter}_i": replace(_FIRST, dimensions=dimension),
        f"{letter}_j": replace(_SECOND, dimensions=dimension),
        f"{letter}_number": Variable("realisation", "1", "number of pairs", "model", "i8"),
        f"{letter}_threshold": Variable("realisation", "eV", "least modulus", reference),
        f"{letter}_dropped": Variable(
            "realisation", "eV", "sum of the moduli of the pairs left out", reference
        ),
    }


EXTRAS = ("zeta_minus", "static", "E", "epsilon")
"""Those of the sample file that are there only where some defects need them."""

VARIABLES: dict[str, dict[str, Variable]] = {
    "sample": {
        "realisation": _REALISATION,
        "position": _POSITION,
        "box": _BOX,
        "site": Variable(f"{_PER_DEFECT} axis", "1", "site on the lattice's mesh", "model", "i4"),
        "component": Variable(_PER_DEFECT, "1", "component of the mixture", "model", "i2"),
        "gamma": _GAMMA,
        "eta": Variable(_PER_DEFECT, "eV", "volume coupling", "eq. (7)"),
        "zeta": Variable(
            _GRADIENT,
            "eV angstrom",
            "strain-gradient coupling of tau (rotors: for S = +1)",
            "eq. (8)",
        ),
        "zeta_minus": Variable(
            _GRADIENT, "eV angstrom", "strain-gradient coupling of tau for S = -1", "eq. (8)"
        ),
        "static": Variable(
            _TENSOR, "eV", "force dipole that S does not change, beside eta", "eq. (7)"
        ),
        "D": _D,
        "Delta": _DELTA,
        "E": Variable(_PER_DEFECT, "eV", "stray field on S", "eq. (2)"),
        "epsilon": Variable(_PER_DEFECT, "eV", "stray field on tau", "eq. (3)"),
    },
    "couplings": {
        "realisation": _REALISATION,
        "B": _B,
        "i": _FIRST,
        "j": _SECOND,
        "U": _U,
        "position": _POSITION,
        "box": _BOX,
        "gamma": _GAMMA,
    },
    "freeze": {
        "realisation": _REALISATION,
        "S": _FROZEN,
        "h": Variable(_PER_DEFECT, "eV", "local field on S, random field included", "eq. (29)"),
        "B": _B,
        "energy": Variable("realisation", "eV", "energy of S", "eq. (29)"),
        "T": Variable(_STEP, "eV", "temperature k_B T", "model"),
        "trace_energy": Variable(_TRACE, "eV", "mean energy at the temperature", "eq. (29)"),
        "trace_energy_variance": Variable(
            _TRACE, "eV2", "variance of the energy at the temperature", "eq. (29)"
        ),
        "acceptance": Variable(_TRACE, "1", "accepted share of the attempted flips", "model"),
        "replica_S": Variable(
            "realisation replica defect", "1", "frozen S of each replica", "eq. (29)", "i1"
        ),
        "replica_energy": Variable("realisation replica", "eV", "energy of S", "eq. (29)"),
        "U_norm": Variable(_PER_DEFECT, "eV", "root of the sum over j of U_ij squared", "eq. (16)"),
        "unstable": Variable(
            "realisation", "1", "spins with S h > 0 in the frozen state, 0 of need", "model", "i4"
        ),
        "anneal_error": Variable(
            "realisation",
            "1",
            "rms error of the fields that annealed random S, over their rms",
            "model",
        ),
        "field_error": Variable(
            "realisation", "1", "largest error of h, of some defects, over the rms of h", "model"
        ),
        "staleness": Variable(
            "realisation", "1", "rms change of far fields between refreshes, over T", "model"
        ),
        "near_neighbours": Variable("realisation", "1", "mean number of near neighbours", "model"),
        "anneal_mesh": Variable(
            "realisation axis", "1", "points of the mesh of the far fields", "model", "i4"
        ),
        "specific_heat": Variable(
            _STEP, "1", "fluctuation of the energy per spin, over T squared", "model"
        ),
        "overlap": Variable(_STEP, "1", "mean overlap q of two replicas", "model"),
        "overlap_abs": Variable(_STEP, "1", "mean |q|", "model"),
        "overlap_squared": Variable(_STEP, "1", "mean of q squared", "model"),
        "overlap_count": Variable(
            f"{_STEP} overlap_bin",
            "1",
            "pairs with q in each of equal bins from -1 to 1",
            "model",
            "i8",
        ),
        "swap_rate": Variable(
            "realisation replica gap", "1", "accepted exchanges with the next temperature", "model"
        ),
        "round_trips": Variable(
            "realisation replica",
            "1",
            "ways of a state through all temperatures and back",
            "model",
            "i8",
        ),
        "round_trip_time": Variable("realisation replica", "1", "sweeps of a round trip", "model"),
        "log_energy": Variable(
            "realisation replica log_bin step",
            "eV",
            "mean energy of the last half of the sweeps, of the quarter before it, and so on",
            "eq. (29)",
        ),
    },
    "fields": {
        "realisation": _REALISATION,
        "b_gamma": Variable(_PER_DEFECT, "eV", "random field on tau of the frozen S", "eq. (60)"),
        "b_eta": Variable(_PER_DEFECT, "eV", "random field on tau of the volumes", "eq. (68)"),
        "b": _b,
        "zeta": Variable(
            _GRADIENT, "eV angstrom", "strain-gradient coupling of tau that was used", "eq. (8)"
        ),
        "J_abs": Variable(_PER_DEFECT, "eV", "sum over j of |J_ij|", "eq. (72)"),
        "J_max": Variable(_PER_DEFECT, "eV", "largest |J_ij|", "eq. (72)"),
        "J_tau": Variable(_PER_DEFECT, "eV", "sum over j of J_ij tau_j, random tau", "eq. (72)"),
    },
    "hamiltonian": {
        "realisation": _REALISATION,
        "position": _POSITION,
        "box": _BOX,
        "D": _D,
        "Delta": _DELTA,
        "S": _FROZEN,
        "B": _B,
        "b": _b,
        "i": _FIRST,
        "j": _SECOND,
        "U": _U,
        "J": _J,
        **_strong("U", _U),
        **_strong("J", _J),
    },
}
"""The variables of each stage's file."""

ALL_PAIRS = ("i", "j", "U", "J")
STRONG_PAIRS = (*_strong("U", _U), *_strong("J", _J))
"""Those of the Hamiltonian that are there with all pairs, and with the strong ones."""
