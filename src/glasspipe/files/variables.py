"""What a variable of a data file is, and the variables that several stages write."""

from collections.abc import Mapping
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
    compressed : bool
        Whether compression is worth its time.
    where : str
        Under which settings it is there, empty if always; for the documentation.
    """

    dimensions: str
    units: str
    long_name: str
    reference: str
    dtype: str = "f8"
    compressed: bool = True
    where: str = ""

    def along(self, dimensions: str) -> "Variable":
        """Return the same along other dimensions."""
        return replace(self, dimensions=dimensions)

    def but(self, more: str) -> "Variable":
        """Return the same with more said of what it is."""
        return replace(self, long_name=f"{self.long_name} {more}")


DEFECT = "realisation defect"
AXES = {"axis": 3, "axis2": 3, "axis3": 3}
"""Sizes of the dimensions of tensors."""
"""The dimensions of what each defect has."""

REALISATION = Variable("realisation", "1", "realisation number", "model", "i8")
POSITION = Variable(f"{DEFECT} axis", "angstrom", "position of the defect", "model")
BOX = Variable("axis", "angstrom", "edges of the periodic box", "model")
FIRST = Variable("pair", "1", "first defect of the pair", "model", "i4", compressed=False)
SECOND = Variable("pair", "1", "second defect of the pair", "model", "i4", compressed=False)
FROZEN = Variable(DEFECT, "1", "frozen S of the lowest-energy replica", "eq. (29)", "i1")
D = Variable(DEFECT, "eV", "tunnelling amplitude of S", "eq. (2)")
DELTA = Variable(DEFECT, "eV", "tunnelling amplitude of tau", "eq. (3)")
B = Variable(DEFECT, "eV", "random field on S, stray field included", "eqs. (26), (29)")
b = Variable(DEFECT, "eV", "random field on tau, stray field included", "eq. (71)")
U = Variable(
    "realisation pair", "eV", "Ising coupling of S, each pair once", "eq. (16)", compressed=False
)
U_S_tau = Variable(
    f"{DEFECT} defect2",
    "eV",
    "coupling of S (defect) and tau (defect2), 0 where they are one defect's",
    "eq. (36)",
    compressed=False,
)
b_eta = Variable(
    DEFECT, "eV", "random field on tau of the volumes, stray field included", "eq. (68)"
)
J = Variable(
    "realisation pair", "eV", "Ising coupling of tau, each pair once", "eq. (72)", compressed=False
)
GAMMA = Variable(f"{DEFECT} axis axis2", "eV", "strain coupling of S", "eq. (7)")
ETA = Variable(DEFECT, "eV", "volume coupling", "eq. (7)")
STATIC = replace(GAMMA, long_name="force dipole that S does not change, beside eta")
ZETA = Variable(
    f"{DEFECT} axis axis2 axis3", "eV angstrom", "strain-gradient coupling of tau", "eq. (8)"
)
ZETA_MINUS = ZETA.but("for S = -1")
E = Variable(DEFECT, "eV", "stray field on S", "eq. (2)")
EPSILON = Variable(DEFECT, "eV", "stray field on tau", "eq. (3)")


def error_of(symbol: str) -> Variable:
    """Return the variable of the error of a field that is summed without a stored U."""
    about = f"rms error of {symbol} of some defects against direct sums, over its rms"
    return Variable("realisation", "1", about, "model")


def only(where: str, group: Mapping[str, Variable]) -> dict[str, Variable]:
    """Return variables that are there under some settings only."""
    return {name: replace(about, where=where) for name, about in group.items()}
