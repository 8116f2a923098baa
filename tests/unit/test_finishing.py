"""What is mended once all of a figure is drawn."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from glasspipe.report import finishing, layout
from glasspipe.report.style import Style


@pytest.mark.parametrize(
    ("limits", "shown"),
    [
        ((0.0019, 0.048), ["0.002", "0.005", "0.01", "0.02"]),
        ((0.003, 0.05), ["0.005", "0.01", "0.02", "0.05"]),
        ((4.2, 130), ["10", "100"]),
        ((1.1, 3.9), ["2", "3"]),
        ((2e-5, 9e-5), [r"$2\times10^{-5}$", r"$5\times10^{-5}$"]),
        ((0.5e-6, 2), [f"$10^{{{n}}}$" for n in range(-6, 1, 2)]),
    ],
)
def test_labels_of_a_logarithmic_axis_are_few(limits, shown):
    figure = Figure(figsize=(2.4, 2.4))
    axes = figure.subplots()
    axes.set(xscale="log", xlim=limits)
    axes.tick_params(which="both", labelsize=8)
    finishing.thin_labels(figure)
    figure.draw_without_rendering()
    ticks = axes.xaxis
    both = [
        *zip(ticks.get_majorticklocs(), ticks.get_majorticklabels(), strict=True),
        *zip(ticks.get_minorticklocs(), ticks.get_minorticklabels(), strict=True),
    ]
    found = {value: label.get_text() for value, label in both if label.get_text()}
    inside = [found[v] for v in sorted(found) if limits[0] <= v <= limits[1]]
    assert len(inside) <= 7
    assert set(shown) <= set(inside)
    drawn = [label.get_window_extent() for value, label in both if limits[0] <= value <= limits[1]]
    boxes = sorted((box.x0, box.x1) for box in drawn if box.width)
    assert all(one[1] < two[0] for one, two in pairwise(boxes))


def test_finished_figures_have_few_labels_and_set_ones_stay():
    figure = Figure(figsize=(2.4, 2.4))
    axes = figure.subplots()
    axes.set(xscale="log", xlim=(3, 40), yscale="log")
    axes.set_yticks([1, 7], ["one", "seven"])
    finishing.finish(figure, tallest=9.0)
    shown = [label.get_text() for label in axes.get_xticklabels(which="both")]
    assert (
        {"5", "10", "20"}
        < set(shown)
        <= {"", *(str(d * 10**n) for d in (1, 2, 5) for n in range(4))}
    )
    assert [label.get_text() for label in axes.get_yticklabels()] == ["one", "seven"]


@pytest.mark.parametrize("log", [False, True])
def test_no_curve_lies_behind_the_legend_of_its_panel(log):
    figure, [[axes]] = layout.grid(Style(), 1, 1, height=2.0)
    x = np.linspace(1, 10, 50)
    axes.plot(x, x**2)
    axes.set_yscale("log" if log else "linear")
    layout.legend(axes, [layout.key("a curve", color="black")] * 3, loc="upper right")
    before = axes.get_ylim()[1]
    finishing.finish(figure, tallest=8.6)
    assert axes.get_ylim()[1] > before
    box = axes.get_legend().get_window_extent()
    drawn = axes.transData.transform(np.column_stack([x, x**2]))
    assert not any(box.contains(*point) for point in drawn)


def test_titles_are_broken_and_names_turned_where_they_do_not_fit():
    figure, [panels] = layout.grid(Style(), 1, 4, height=2.0)
    panels[0].set_title(r"$\gamma_0$ = 0.136 eV, axes = isotropic, sweeps = 1000")
    panels[1].set_title(r"$\gamma_0$ = 0.136 eV")
    panels[0].set_xticks([0, 1, 2], ["aligned", "plaquette", "uniaxial"])
    panels[1].set_xticks([0, 1], ["a", "b"])
    finishing.finish(figure, tallest=8.6)
    assert panels[0].get_title("left").count("\n") == 2
    assert panels[1].get_title("left") == r"(b) $\gamma_0$ = 0.136 eV"
    assert panels[0].get_xticklabels()[0].get_rotation() == 30
    assert panels[1].get_xticklabels()[0].get_rotation() == 0


def test_joined_minor_ticks_look_as_each_by_itself(monkeypatch):
    """On axes of many decades, of few, shared ones and an inset, none beyond the ends."""

    def picture():
        figure = Figure(figsize=(4, 3), layout="constrained")
        for axes in figure.subplots(2, 2, sharex=True).flat:
            axes.set(xscale="log", yscale="log", xlim=(3e-4, 0.7), ylim=(2.0, 11.0))
        figure.axes[0].set_ylim(1e-7, 3e3)
        figure.axes[1].set_yscale("linear")
        inset = figure.axes[3].inset_axes([0.3, 0.3, 0.6, 0.6])
        inset.set(xscale="log", yscale="log", xlim=(1e-2, 2e2), ylim=(1.0, 9.0))
        for axes in (*figure.axes, inset):  # the frame is drawn over ticks, or under the marks
            axes.spines[:].set_visible(False)
        finishing.finish(figure, tallest=9.0)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.array(canvas.buffer_rgba(), dtype=int), sum(
            len(axis.get_minorticklocs())
            for axes in figure.axes
            for axis in (axes.xaxis, axes.yaxis)
        )

    joined, fewer = picture()
    monkeypatch.setattr(finishing, "_take_minor_ticks", lambda _: [])
    alone, number = picture()
    assert np.abs(joined - alone).max() <= 1  # of 255
    assert fewer < number / 2


def test_a_histogram_alone_is_something():
    figure = Figure(layout="constrained")
    axes = figure.subplots()
    axes.set(xscale="log", yscale="log")
    axes.stairs([1e-3, np.nan, 1e2], [1.0, 10.0, 100.0, 1000.0], baseline=None)
    axes.plot([1.0, 10.0], [np.nan, np.nan])
    layout.note_if_empty(axes, "nothing")
    finishing.finish(figure, tallest=9.0)
    assert not axes.texts
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
