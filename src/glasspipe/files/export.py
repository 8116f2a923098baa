"""Hamiltonians of a study in the forms that other programs read.

A file of the stage ``hamiltonian`` holds all realisations; a solver wants one. So one realisation
is taken out, as a binary quadratic model (the package dimod) or as a list of edges in plain text.
Both hold every number to the last bit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glasspipe.errors import DataError
from glasspipe.files import dataset
from glasspipe.files.dataset import Reader
from glasspipe.system.hamiltonian import Hamiltonian, Ising, Pairs

if TYPE_CHECKING:
    import dimod

_KINDS = {"S": ("S",), "tau": ("tau",), "both": ("S", "tau")}
"""Kinds of spin in each Hamiltonian that is taken out, in the order in which they are numbered."""


@dataclass(frozen=True)
class Exported:
    """The Hamiltonian of one realisation, and where it is from.

    Parameters
    ----------
    ising : Ising
        Its fields, couplings and tunnelling amplitudes, eV.
    about : dict
        What a reader should know: the kind of spin, the realisation, the point's hash and, where
        pairs were left out, the threshold and the sum of what was dropped (eV) of each term.
    """

    ising: Ising
    about: dict[str, Any]

    @property
    def labels(self) -> list[Any]:
        """Labels of the spins: numbers of defects, or (kind, number) where there are two kinds."""
        kinds = _KINDS[self.about["spins"]]
        defects = range(len(self.ising.field) // len(kinds))
        if len(kinds) == 1:
            return list(defects)
        return [(kind, defect) for kind in kinds for defect in defects]


def load(path: str | Path, *, spins: str = "tau", realisation: int = 0) -> Exported:
    """Read one Hamiltonian from a file of the stage ``hamiltonian``.

    Parameters
    ----------
    path : path
        The file.
    spins : {"S", "tau", "both"}
        H_S with U and B, H_τ with J and b of frozen S, or both with U^Sτ and b^η instead of b:
        eqs. (29), (76), (74).
    realisation : int
        Number of the realisation.

    Raises
    ------
    DataError
        If the file cannot be used or holds no such realisation.
    """
    with dataset.file_of(Path(path), "hamiltonian") as reader:
        numbers = reader.realisations
        if realisation not in numbers:
            raise DataError(
                f"{path}: holds the realisations {numbers[0]} to {numbers[-1]};"
                f" number {realisation} is wanted"
            )
        row = numbers.index(realisation)
        about = {
            "spins": spins,
            "realisation": realisation,
            "point_hash": reader.attributes["point_hash"],
        }
        terms = {"S": ("U",), "tau": ("J",), "both": ("U", "U_S_tau", "J")}[spins]
        if "U" not in reader:
            for name in terms:
                for what in ("threshold", "dropped"):
                    key = f"{name}_{what}"
                    about[key] = float(reader.row(row, key)[0])
        return Exported(_ising(reader, row, spins), about)


def _ising(reader: Reader, row: int, spins: str) -> Ising:
    if spins == "tau":
        b, Delta = reader.row(row, "b", "Delta")
        return Ising(b, _pairs(reader, row, "J"), Delta)
    B, b_eta, D, Delta = reader.row(row, "B", "b_eta", "D", "Delta")
    if spins == "S":
        return Ising(B, _pairs(reader, row, "U"), D)
    U, U_S_tau, J = (_pairs(reader, row, name) for name in ("U", "U_S_tau", "J"))
    return Hamiltonian(B, b_eta, U, U_S_tau, J, D, Delta).whole


def _pairs(reader: Reader, row: int, name: str) -> Pairs:
    if name not in reader:
        end = np.cumsum(reader.whole(f"{name}_number"))[: row + 1]
        mine = slice(int(end[-2]) if row else 0, int(end[-1]))
        i, j, coupling = (reader.part(f"{name}_{key}", mine) for key in ("i", "j", "strong"))
        return Pairs(i, j, coupling)
    (values,) = reader.row(row, name)
    if values.ndim == 2:
        return Pairs.beside(values)
    return Pairs(reader.whole("i"), reader.whole("j"), values)


def bqm(exported: Exported) -> "dimod.BinaryQuadraticModel":
    """Return a binary quadratic model of spins ±1, biases in eV, without tunnelling.

    Spins are labelled by defect, or by (kind, defect) where there are two kinds. The model has no
    place for transverse fields: they are in ``exported.ising.transverse``.

    Raises
    ------
    DataError
        If the package dimod is not installed.
    """
    try:
        import dimod
    except ImportError:
        raise DataError(
            "the format bqm needs the package dimod; `pip install dimod` installs it"
        ) from None
    ising, label = exported.ising, exported.labels
    model = dimod.BinaryQuadraticModel(vartype="SPIN")
    model.add_linear_from(zip(label, ising.field.tolist(), strict=True))
    i, j = ([label[spin] for spin in side.tolist()] for side in (ising.pairs.i, ising.pairs.j))
    model.add_quadratic_from(zip(i, j, ising.pairs.coupling.tolist(), strict=True))
    return model


def _bqm_bytes(exported: Exported) -> bytes:
    with bqm(exported).to_file() as file:
        return file.read()


def _edge_bytes(exported: Exported) -> bytes:
    return "".join(f"{line}\n" for line in _edge_lines(exported)).encode()


def _edge_lines(exported: Exported) -> Iterator[str]:
    ising, pairs = exported.ising, exported.ising.pairs
    kinds = _KINDS[exported.about["spins"]]
    number = len(ising.field) // len(kinds)
    yield "# H = sum over lines of value * s_i * s_j, or value * s_i where i = j; s = +1 or -1"
    for count, kind in enumerate(kinds):
        yield f"# spins {count * number} to {(count + 1) * number - 1}: {kind} of defects 0, 1, ..."
    for name, value in exported.about.items():
        yield f"# {name}: {value}"
    yield "# and less value * s_i^x of these lines, in eV, where spins tunnel:"
    for i, value in enumerate(ising.transverse.tolist()):
        yield f"# transverse {i} {value!r}"
    yield "# i j value, in eV"
    for i, value in enumerate(ising.field.tolist()):
        yield f"{i} {i} {value!r}"
    for row in zip(pairs.i.tolist(), pairs.j.tolist(), pairs.coupling.tolist(), strict=True):
        yield "{} {} {!r}".format(*row)


_FORMATS = {"bqm": _bqm_bytes, "edges": _edge_bytes}


def export(path: Path, output: Path, *, spins: str, form: str, realisation: int) -> None:
    """Write one Hamiltonian of a file as ``output``.

    Parameters
    ----------
    path, spins, realisation
        As in :func:`load`.
    output : Path
        The file to write.
    form : {"bqm", "edges"}
        dimod's own binary form, or text with a header and the columns i, j, value.

    Raises
    ------
    DataError
        As :func:`load` and :func:`bqm`.
    """
    exported = load(path, spins=spins, realisation=realisation)
    content = _FORMATS[form](exported)
    with dataset.replacing(output) as temporary:
        temporary.write_bytes(content)
