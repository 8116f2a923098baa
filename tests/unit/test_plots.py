"""Results on axes of one's own."""

import numpy as np
import pytest
import synthetic
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import glasspipe as gp
from glasspipe.errors import DataError
from glasspipe.report.presentation import pick


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plots") / "study"
    synthetic.write(folder, {synthetic.X: [1e-3, 1e-2], "defects.gamma": [1.0, 2.0]}, samples=500)
    return gp.open_study(folder)


@pytest.fixture
def ax():
    return Figure().subplots()


def test_estimates_and_theory_in_a_style_of_ones_own(study, ax):
    gp.plot_statistic(study, "B", "std", ax=ax, unit=1e-3, marker="*", color="#123456")
    assert len(ax.containers) == 2
    names = [["p0", "p2"], ["p1", "p3"]]
    for container, points in zip(ax.containers, names, strict=True):
        line, _, [bars] = container.lines
        picked = pick(study.summary, "B", "std", points) / 1e-3
        np.testing.assert_allclose(np.asarray(line.get_ydata(), float), picked["estimate"])
        ends = np.array([segment[:, 1] for segment in bars.get_segments()])
        np.testing.assert_allclose(np.diff(ends)[:, 0] / 2, picked["stderr"])
        assert (line.get_marker(), to_hex(line.get_color())) == ("*", "#123456")
    theory = [line for line in ax.lines if line.get_marker() == "_"]
    np.testing.assert_allclose(
        np.array([line.get_ydata() for line in theory], dtype=float),
        [pick(study.summary, "B", "std", points)["theory"].to_numpy() / 1e-3 for points in names],
    )
    assert ax.get_xlabel() == "concentration $x$"
    assert ax.get_xscale() == "log"


def test_labels_and_axes_that_are_set_stay(study, ax):
    ax.set_xlabel("mine")
    gp.plot_statistic(study, "b", "median_abs", ax=ax, theory=False, label="here")
    gp.plot_distribution(study, "B", ["p3"], ax=ax, label="there", limit=False)
    assert ax.get_xlabel() == "mine"
    assert ax.get_legend_handles_labels()[1].count("there") == 1
    assert ax.get_legend_handles_labels()[1].count("here") == 2


def test_a_distribution_has_area_one_and_its_limit(study, ax):
    gp.plot_distribution(study, "B", ax=ax)
    solid = [line for line in ax.lines if line.get_linestyle() == "-"]
    dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert solid[0].get_label() == "x = 0.001, $\\gamma_0$ = 1 eV"
    assert len({line.get_label() for line in solid}) == 4
    assert len(dashed) == 4
    x, y = dashed[0].get_data()
    inner = np.abs(x) < 1
    np.testing.assert_allclose(y[inner], 1 / (np.pi * (1 + x[inner] ** 2)), rtol=0.02)


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda s, ax: gp.plot_statistic(s, "C", "std", ax=ax), "quantity: found 'C'; allowed: B"),
        (lambda s, ax: gp.plot_statistic(s, "B", "mode", ax=ax), "statistic: found 'mode'; allow"),
        (lambda s, ax: gp.plot_distribution(s, "C", ax=ax), "quantity: found 'C'; allowed: B, h"),
        (lambda s, ax: gp.plot_distribution(s, "B", ["q"], ax=ax), "point: found 'q'; allowed: p0"),
    ],
)
def test_what_is_not_there_is_said(study, ax, call, line):
    with pytest.raises(DataError, match=line):
        call(study, ax)
