"""A frozen realisation as files for programs that show atoms and fields."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from glasspipe.files.dataset import replacing
from glasspipe.report.realisation import Frozen, frozen
from glasspipe.stages.study_files import load


def _extxyz(found: Frozen) -> Iterator[str]:
    lattice = " ".join(f"{edge!r}" for edge in np.diag(found.box).ravel().tolist())
    columns = ["species:S:1", "pos:R:3", "axis:R:3", "S:I:1"]
    columns += [f"{name}:R:1" for name in found.fields]
    about = " ".join(f'{key}="{value}"' for key, value in found.about.items())
    yield str(len(found.S))
    yield f'Lattice="{lattice}" Properties={":".join(columns)} pbc="T T T" energies=eV {about}'
    numbers = np.column_stack([found.position, found.axis]).tolist()
    fields = np.column_stack(list(found.fields.values())).tolist()
    for vector, S, field in zip(numbers, found.S.tolist(), fields, strict=True):
        yield " ".join(["X", *map(repr, vector), str(S), *map(repr, field)])


def _vtk(found: Frozen) -> Iterator[str]:
    number = len(found.S)
    yield "# vtk DataFile Version 3.0"
    yield ", ".join(f"{key} {value}" for key, value in found.about.items())[:255]
    yield from ("ASCII", "DATASET POLYDATA", f"POINTS {number} double")
    yield from (" ".join(map(repr, one)) for one in found.position.tolist())
    yield f"VERTICES {number} {2 * number}"
    yield from (f"1 {defect}" for defect in range(number))
    yield f"POINT_DATA {number}"
    yield from ("SCALARS S int 1", "LOOKUP_TABLE default", *map(str, found.S.tolist()))
    for name, values in found.fields.items():
        yield from (f"SCALARS {name} double 1", "LOOKUP_TABLE default")
        yield from map(repr, values.tolist())
    yield "VECTORS axis double"
    yield from (" ".join(map(repr, one)) for one in found.axis.tolist())


FORMATS = {"extxyz": _extxyz, "vtk": _vtk}


def export(folder: Path, output: Path, *, point: str | None, form: str, realisation: int) -> None:
    """Write a frozen realisation of a study, for OVITO (extxyz) or ParaView (vtk).

    Parameters
    ----------
    folder : Path
        The study's folder.
    output : Path
        The file to write.
    point : str, optional
        Name of the point; by default the study's first.
    form : {"extxyz", "vtk"}
        Text of either kind; every number to the last bit.
    realisation : int
        Its number.

    Raises
    ------
    ConfigError, DataError
        As :func:`glasspipe.report.realisation.frozen`, and if the folder is not a study's or has
        no such point.
    """
    study = load(folder)
    files = study.points[0] if point is None else study.point(point)
    found = frozen(files, realisation)
    with replacing(output) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in FORMATS[form](found)), "utf-8")
