"""Points stand side by side, whatever their lengths, and what is missing is never garbage."""

import numpy as np

from glasspipe.report.merging import longest, side_by_side


def test_what_a_point_does_not_have_is_nan_or_no_count():
    short = {"T": np.array([1.0, 2.0]), "x": np.array(0.1), "name": np.array(["a"], object)}
    long = {
        "T": np.array([3.0, 4.0, 5.0]),
        "count": np.ones((3, 2), np.int64),
        "fitted": np.array([True, True]),
        "name": np.array(["b", "cc"], object),
        "x": np.array(0.2),
        "edge": np.array([0.0, 1.0]),
    }
    dimensions = {
        "T": ("step",),
        "count": ("step", "bin"),
        "fitted": ("row",),
        "name": ("row",),
        "x": (),
        "nowhere": ("row",),
    }
    found = side_by_side([short, long], dimensions)
    assert list(found) == ["T", "count", "fitted", "name", "x"]
    np.testing.assert_array_equal(found["T"], [[1, 2, np.nan], [3, 4, 5]])
    assert found["count"].dtype == np.int64
    np.testing.assert_array_equal(found["count"], [np.zeros((3, 2)), np.ones((3, 2))])
    np.testing.assert_array_equal(found["fitted"], [[False, False], [True, True]])
    assert found["name"].tolist() == [["a", ""], ["b", "cc"]]
    np.testing.assert_array_equal(found["x"], [0.1, 0.2])
    assert longest([short, long], "edge").tolist() == [0.0, 1.0]
    assert longest([short, long], "T").tolist() == [3.0, 4.0, 5.0]
    assert longest([short, long], "nowhere") is None
