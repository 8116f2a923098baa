"""One frozen realisation of a point, to be looked at.

A defect is a point of the box with an axis, the direction along which S γ is largest in modulus:
d of the uniaxial γ = γ_0 d d, the axis that S chooses of a rotor.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glasspipe.errors import ConfigError
from glasspipe.stages.fields import FIELDS
from glasspipe.stages.freeze import FREEZE
from glasspipe.stages.sample import SAMPLE
from glasspipe.stages.study_files import PointFiles

Array = NDArray[np.float64]

_TIE = 1e-9
_FIELDS = {"B": FREEZE, "h": FREEZE, "b": FIELDS}


@dataclass(frozen=True)
class Frozen:
    """A frozen realisation.

    Parameters
    ----------
    about : dict of str to str
        Where it is from.
    box : array (3,)
        Edges of the periodic box, Å.
    position, axis : array (N, 3)
        Å, and unit vectors, of either sign.
    S : array (N,)
        ±1.
    fields : dict of str to array (N,)
        B and h on S and b on τ, eV.
    """

    about: dict[str, str]
    box: Array
    position: Array
    axis: Array
    S: NDArray[np.int8]
    fields: dict[str, Array]


def frozen(files: PointFiles, realisation: int) -> Frozen:
    """Read a realisation of a point.

    Raises
    ------
    ConfigError
        If the point has no such realisation.
    DataError
        If a file of the point cannot be used.
    """
    chunk = next((n for n, held in enumerate(files.chunks) if realisation in held), None)
    if chunk is None:
        last = files.chunks[-1].stop - 1
        raise ConfigError(f"realisation: found {realisation}; allowed: 0 to {last}")
    row = files.chunks[chunk].index(realisation)
    with files.opened(SAMPLE, files.files[SAMPLE.name][chunk]) as reader:
        position, gamma = reader.row(row, "position", "gamma")
        box = np.asarray(reader.whole("box"), dtype=float)
    fields = {}
    for name, stage in _FIELDS.items():
        with files.opened(stage, files.files[stage.name][chunk]) as reader:
            fields[name] = reader.row(row, name)[0]
    with files.opened(FREEZE, files.files[FREEZE.name][chunk]) as reader:
        (S,) = reader.row(row, "S")
    about = {"point": files.name, "point_hash": files.point.hash, "realisation": str(realisation)}
    return Frozen(about, box, position, principal_axis(S[:, None, None] * gamma), S, fields)


def principal_axis(tensors: Array) -> Array:
    """Return the direction (N, 3) along which each tensor (N, 3, 3) is largest in modulus.

    They are symmetric. Of ±w that is the direction of +w, as where a rotor is turned from one axis
    to the other.
    """
    values, vectors = np.linalg.eigh(tensors)
    largest = np.abs(values).max(axis=1, keepdims=True)
    among = np.where(np.abs(values) >= largest * (1 - _TIE), values, -np.inf)
    return np.take_along_axis(vectors, among.argmax(axis=1)[:, None, None], axis=2)[:, :, 0]


def mean_distance(position: Array, box: Array) -> float:
    """Return the mean distance (V/N)^(1/3) of defects (N, 3) that fill a part of a box (3,), Å."""
    edges = np.ptp(position, axis=0) if len(position) > 1 else box
    return float(np.cbrt(np.prod(edges) / len(position)))
