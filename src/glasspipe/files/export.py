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
from glasspipe.system.hamiltonian import Ising

if TYPE_CHECKING:
    import dimod

_LETTERS = {"S": ("U", "B"), "tau": ("J", "b")}
"""Coupling and field of each kind of spin."""


@dataclass(frozen=True)
class Exported:
    """The Hamiltonian of one realisation, and where it is from.

    Parameters
    ----------
    ising : Ising
        Its fields and couplings, eV.
    about : dict
        What a reader should know: the kind of spin, the realisation, the point's hash and, where
        pairs were left out, the threshold and the sum of what was dropped (eV).
    """

    ising: Ising
    about: dict[str, Any]


def load(path: str | Path, *, spins: str = "tau", realisation: int = 0) -> Exported:
    """Read one Hamiltonian from a file of the stage ``hamiltonian``.

    Parameters
    ----------
    path : path
        The file.
    spins : {"S", "tau"}
        H_S with U and B, or H_τ with J and b, eqs. (29) and (76).
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
        letter, field = _LETTERS[spins]
        about = {
            "spins": spins,
            "realisation": realisation,
            "point_hash": reader.attributes["point_hash"],
        }
        (fields,) = reader.row(row, field)
        if letter in reader:
            pairs = reader.whole("i"), reader.whole("j"), *reader.row(row, letter)
        else:
            pairs = _strong(reader, row, letter)
            for name in ("threshold", "dropped"):
                about[name] = float(reader.row(row, f"{letter}_{name}")[0])
    return Exported(Ising(fields, *pairs), about)


def _strong(reader: Reader, row: int, letter: str) -> tuple[Any, ...]:
    end = np.cumsum(reader.whole(f"{letter}_number"))[: row + 1]
    mine = slice(int(end[-2]) if row else 0, int(end[-1]))
    return tuple(reader.part(f"{letter}_{name}", mine) for name in ("i", "j", "strong"))


def bqm(ising: Ising) -> "dimod.BinaryQuadraticModel":
    """Return a binary quadratic model of spins ±1, labelled by defect, biases in eV.

    Raises
    ------
    DataError
        If the package dimod is not installed.
    """
    try:
        import dimod
    except ImportError:
        raise DataError(
            "the format bqm needs the package dimod; `pip install 'glasspipe[bqm]'` installs it"
        ) from None
    model = dimod.BinaryQuadraticModel(vartype="SPIN")
    model.add_linear_from_array(ising.field.tolist())
    model.add_quadratic_from(
        zip(ising.i.tolist(), ising.j.tolist(), ising.coupling.tolist(), strict=True)
    )
    return model


def _bqm_bytes(exported: Exported) -> bytes:
    with bqm(exported.ising).to_file() as file:
        return file.read()


def _edge_bytes(exported: Exported) -> bytes:
    return "".join(f"{line}\n" for line in _edge_lines(exported)).encode()


def _edge_lines(exported: Exported) -> Iterator[str]:
    ising, (coupling, field) = exported.ising, _LETTERS[exported.about["spins"]]
    yield "# H = sum over lines of value * s_i * s_j, or value * s_i where i = j; s = +1 or -1"
    yield f"# value: {field}_i where i = j, {coupling}_ij where i < j; eV"
    for name, value in exported.about.items():
        yield f"# {name}: {value}"
    yield "# i j value"
    for i, value in enumerate(ising.field.tolist()):
        yield f"{i} {i} {value!r}"
    for row in zip(ising.i.tolist(), ising.j.tolist(), ising.coupling.tolist(), strict=True):
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
