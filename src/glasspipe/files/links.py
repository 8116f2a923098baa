"""A file of anybody's is read only if it is whole and holds its numbers itself.

HDF5 may take them from any other file on the machine, in three ways: a link, a virtual dataset, raw
storage outside. A file that came by mail should not read what its sender cannot.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from glasspipe.errors import DataError

if TYPE_CHECKING:
    import h5py

DAMAGED = (OSError, RuntimeError, KeyError, ValueError)
"""What the libraries raise of a damaged file."""


def check_links(path: Path) -> None:
    """Refuse what is not HDF5, or is damaged, or lies elsewhere.

    Raises
    ------
    DataError
        If it does.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            elsewhere = [name for name in file if _lies_elsewhere(file, name)]
    except DAMAGED as error:
        found = "truncated" if "truncated" in str(error) else "damaged or not a NetCDF4 file"
        raise DataError(f"{path}: {found}; a NetCDF4 (HDF5) file is needed") from None
    if elsewhere:
        raise DataError(f"{path}: {elsewhere[0]!r} is a link; allowed: numbers in the file itself")


def _lies_elsewhere(file: "h5py.File", name: str) -> bool:
    import h5py

    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        return True
    found = file[name]
    return isinstance(found, h5py.Dataset) and bool(found.is_virtual or found.external)
