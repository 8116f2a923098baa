"""Points of a study side by side, whatever the lengths of their arrays.

Points may differ in the number of temperatures or replicas, and lack what others have. What a point
does not have is NaN where numbers are real, 0 where they are counts, and never anything else.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FILL: dict[str, Any] = {"f": np.nan, "i": 0, "u": 0, "b": False}
"""What stands where a point has nothing, by the kind of its numbers."""

Dimensions = Mapping[str, tuple[str, ...]]


def side_by_side(
    points: Sequence[Mapping[str, NDArray[Any]]], dimensions: Dimensions
) -> dict[str, NDArray[Any]]:
    """Return the variables of all points along a new first dimension.

    Parameters
    ----------
    points : sequence of mapping
        What each point has; a variable has the same dimensions in all that have it, of any sizes.
    dimensions : mapping
        Those of each variable that is wanted; one that no point has is left out.
    """
    sizes: dict[str, int] = {}
    for data in points:
        for name, own in dimensions.items():
            if name in data:
                for dimension, size in zip(own, data[name].shape, strict=True):
                    sizes[dimension] = max(size, sizes.get(dimension, 0))
    return {
        name: _stacked([data.get(name) for data in points], [sizes[each] for each in own])
        for name, own in dimensions.items()
        if any(name in data for data in points)
    }


def longest(points: Sequence[Mapping[str, NDArray[Any]]], name: str) -> NDArray[Any] | None:
    """Return a coordinate, that of the point with most of it; None if no point has it."""
    return max((data[name] for data in points if name in data), key=len, default=None)


def _stacked(found: Sequence[NDArray[Any] | None], shape: Sequence[int]) -> NDArray[Any]:
    dtype = np.result_type(*(values.dtype for values in found if values is not None))
    stacked: NDArray[Any] = np.full((len(found), *shape), _FILL.get(dtype.kind, ""), dtype)
    for number, values in enumerate(found):
        if values is not None:
            there: tuple[Any, ...] = (number, *(slice(size) for size in values.shape))
            stacked[there] = values
    return stacked
