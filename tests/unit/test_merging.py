"""Points stand side by side, whatever their lengths, and what is missing is never garbage."""

import numpy as np
import xarray as xr

from glasspipe.report.merging import side_by_side


def test_what_a_point_does_not_have_is_nan_or_no_count():
    short = xr.Dataset({"T": ("step", [1.0, 2.0]), "x": 0.1, "name": ("row", ["a"])})
    long = xr.Dataset(
        {
            "T": ("step", [3.0, 4.0, 5.0]),
            "count": (("step", "bin"), np.ones((3, 2), np.int64)),
            "fitted": ("row", [True, True]),
            "name": ("row", ["b", "cc"]),
            "x": 0.2,
        },
        {"edge": ("e", [0.0, 1.0])},
    )
    found = side_by_side([short, long])
    assert found["T"].dims == ("point", "step")
    np.testing.assert_array_equal(found["T"], [[1, 2, np.nan], [3, 4, 5]])
    assert found["count"].dtype == np.int64
    np.testing.assert_array_equal(found["count"], [np.zeros((3, 2)), np.ones((3, 2))])
    np.testing.assert_array_equal(found["fitted"], [[False, False], [True, True]])
    assert found["name"].values.tolist() == [["a", ""], ["b", "cc"]]
    np.testing.assert_array_equal(found["x"], [0.1, 0.2])
    np.testing.assert_array_equal(found["edge"], [0.0, 1.0])
