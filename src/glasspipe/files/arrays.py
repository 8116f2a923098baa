"""All that a file of our own holds, as fast as HDF5 gives it.

A study has thousands of merged points with some sixty small variables each: a library that tells of
every one takes ten times as long as reading it.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasspipe.errors import DataError
from glasspipe.files.links import DAMAGED
from glasspipe.files.seal import check_seal

_TYPE = "dtype"
"""Attribute by which xarray says that numbers of one byte are truth values."""


def read_arrays(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the variables of a file that glasspipe wrote by xarray, and the file's attributes.

    Raises
    ------
    DataError
        If it has changed since, or cannot be read.
    """
    import h5py

    check_seal(path, needed=True)
    try:
        with h5py.File(path, "r") as file:
            return {name: _read(file[name]) for name in file}, dict(file.attrs)
    except DAMAGED:
        raise DataError(f"{path}: cannot be read; the file is damaged") from None


def _read(variable: Any) -> NDArray[Any]:
    if variable.dtype.kind == "O":
        return np.asarray(variable.asstr()[()], dtype=object)
    values = np.asarray(variable[()])
    truth = values.dtype == np.int8 and variable.attrs.get(_TYPE) == "bool"
    return values.astype(bool) if truth else values
