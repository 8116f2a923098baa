"""Points of a study side by side, whatever the lengths of their arrays.

Points may differ in the number of temperatures or replicas, and lack what others have. What a point
does not have is NaN where numbers are real, 0 where they are counts, and never anything else.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

_FILL: dict[str, Any] = {"f": np.nan, "i": 0, "u": 0, "b": False}
"""What stands where a point has nothing, by the kind of its numbers."""


def side_by_side(points: Sequence[xr.Dataset]) -> xr.Dataset:
    """Return the data of all points along a new first dimension ``point``.

    Parameters
    ----------
    points : sequence of Dataset
        Each variable has the same dimensions in all that have it, of any sizes; coordinates are
        those of the point with most of them.
    """
    sizes: dict[Any, int] = {}
    for data in points:
        sizes |= {name: max(size, sizes.get(name, 0)) for name, size in data.sizes.items()}
    coordinates = {
        name: max((data.coords[name] for data in points if name in data.coords), key=len)
        for name in dict.fromkeys(name for data in points for name in data.coords)
    }
    names = dict.fromkeys(name for data in points for name in data.data_vars)
    return xr.Dataset({name: _stacked(name, points, sizes) for name in names}, coordinates)


def _stacked(name: Any, points: Sequence[xr.Dataset], sizes: dict[Any, int]) -> xr.Variable:
    found = [data[name].variable if name in data else None for data in points]
    example = next(variable for variable in found if variable is not None)
    dtype = np.result_type(*(variable.dtype for variable in found if variable is not None))
    shape = tuple(sizes[dimension] for dimension in example.dims)
    stacked: NDArray[Any] = np.full((len(points), *shape), _FILL.get(dtype.kind, ""), dtype)
    for number, variable in enumerate(found):
        if variable is not None:
            there: tuple[Any, ...] = (number, *(slice(size) for size in variable.shape))
            stacked[there] = variable.values
    return xr.Variable(("point", *example.dims), stacked, example.attrs)
