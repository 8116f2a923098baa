"""What is mended once all of a figure is drawn: scales, labels, letters, room for legends.

What a logarithmic axis cannot show and which labels would run into one another is known then alone.
"""

import re
from collections.abc import Iterator
from math import ceil, floor, log10
from string import ascii_lowercase

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.ticker import Formatter, FuncFormatter, Locator, LogFormatter, NullLocator
from numpy.typing import NDArray

from glasspipe.report.layout import steps

Array = NDArray[np.float64]

_NEAR = 1e-6
_SHORT = 4.0
"""Ratio of the ends of an axis up to which all its ticks are labelled."""
_MOST_PLAIN = 2
_PLAIN = (1e-3, 2e4)
"""Where so few powers of ten, or none, are written out."""
_TIMES = r"\times"
_ROOM, _TRIES = 0.1, 15
"""Of its height, by which a panel grows until its legend is clear of data, at most so often."""
_LETTER_WIDTH, _POINTS = 0.5, 72.0
"""Of the mean letter, in units of the font size; those of an inch."""
_SHARE = 0.85
"""Of the width of a column of panels that is not its ticks' labels."""
_TURNED = 30.0
"""Degrees by which names are turned that would run into one another."""


def finish(figure: Figure, *, tallest: float) -> None:
    """Mend scales and labels, letter the panels, clear their legends, and fix where all stands."""
    figure.set_figheight(min(figure.get_figheight(), tallest))
    _straighten(figure)
    thin_labels(figure)
    unlabelled = _take_minor_ticks(figure)
    _letter(figure)
    for axes in figure.axes:
        _turn_names(figure, axes)
    if engine := figure.get_layout_engine():
        engine.execute(figure)
    for axes in figure.axes:
        _make_room(axes)
    figure.set_layout_engine("none")
    _mark_minor_ticks(figure, unlabelled)


def _panels(figure: Figure) -> list[Axes]:
    """The panels in the order in which they are read; colour bars are none."""
    there = [(axes.get_subplotspec(), axes) for axes in figure.axes]
    placed = [(s.rowspan.start, s.colspan.start, n) for n, (s, _) in enumerate(there) if s]
    return [there[n][1] for *_, n in sorted(placed)]


def _letter(figure: Figure) -> None:
    """Write letter and title above each of several panels, in lines that are not too long."""
    panels = _panels(figure)
    for number, axes in enumerate(panels):
        again, letter = divmod(number, len(ascii_lowercase))
        name = f"({ascii_lowercase[letter] * (again + 1)})" if len(panels) > 1 else ""
        title = f"{name} {axes.get_title('left') or axes.get_title()}".strip()
        axes.set_title("")
        axes.set_title(_wrapped(title, _room(figure, axes)), loc="left")


def _wrapped(title: str, most: float) -> str:
    """Break a title behind commas, so that its lines have at most so many letters if they can."""
    lines = [""]
    for part in re.findall(r"[^,]+,? ?", title):
        if lines[-1] and _letters(lines[-1] + part) > most:
            lines.append("")
        lines[-1] += part
    return "\n".join(map(str.strip, lines))


def _letters(text: str) -> int:
    """Return about how many letters a text in TeX's math mode has in print."""
    return len(re.sub(r"[${}^_]", "", re.sub(r"\\[A-Za-z]+", "x", text)))


def _room(figure: Figure, axes: Axes) -> float:
    """Return about how many letters a line above or below a panel may have."""
    place = axes.get_subplotspec()
    width = _SHARE * figure.get_figwidth() / (place.get_gridspec().ncols if place else 1)
    size = FontProperties(size=rcParams["axes.titlesize"]).get_size_in_points()
    return width * _POINTS / (_LETTER_WIDTH * size)


def _turn_names(figure: Figure, axes: Axes) -> None:
    """Turn the names below a panel that would run into one another."""
    if not isinstance(axes.xaxis.get_major_formatter(), FuncFormatter):
        return
    labels = axes.get_xticklabels()
    if sum(_letters(label.get_text()) + 2 for label in labels) > _room(figure, axes):
        for label in labels:
            label.set(rotation=_TURNED, ha="right", rotation_mode="anchor")


def _make_room(axes: Axes) -> None:
    """Extend a panel until nothing that is drawn lies behind its legend."""
    made = axes.get_legend()
    if made is None:
        return
    for _ in range(_TRIES):
        box = made.get_window_extent()
        if not any(path.intersects_bbox(box, filled=False) for path in _drawn(axes)):
            return
        upper = box.y0 + box.y1 > sum(axes.get_window_extent().intervaly)
        scale = axes.yaxis.get_transform()
        bottom, top = scale.transform(axes.get_ylim())
        step = _ROOM * (top - bottom)
        limits = (bottom, top + step) if upper else (bottom - step, top)
        axes.set_ylim(*scale.inverted().transform(limits))


def _drawn(axes: Axes) -> Iterator[Path]:
    """What is drawn in a panel at its data, in pixels."""
    for line in axes.lines:
        if line.get_transform() == axes.transData:
            yield line.get_path().transformed(axes.transData).cleaned(remove_nans=True)
    for collection in axes.collections:
        for path in collection.get_paths():
            yield path.transformed(collection.get_transform()).cleaned(remove_nans=True)


def _straighten(figure: Figure) -> None:
    """Make logarithmic axes linear where no panel that shares them shows anything positive."""
    for panel in figure.axes:
        for name, shared in (("x", panel.get_shared_x_axes()), ("y", panel.get_shared_y_axes())):
            drawn = [
                values for other in shared.get_siblings(panel) for values in _data(other, name)
            ]
            if drawn and not any((values[np.isfinite(values)] > 0).any() for values in drawn):
                panel.set(**{f"{name}scale": "linear"})


def _data(axes: Axes, name: str) -> Iterator[Array]:
    """What the lines and histograms of a panel have along one axis."""
    for line in axes.lines:
        yield np.asarray(line.get_data()["xy".index(name)], dtype=float)
    for histogram in steps(axes):
        heights, edges, _ = histogram.get_data()
        yield np.asarray(edges if name == "x" else heights, dtype=float)


def thin_labels(figure: Figure) -> None:
    """Label logarithmic axes as sparsely as they can be read, where their labels are not set."""
    for axis in _logarithmic(figure):
        for ticks in (axis.major, axis.minor):
            if isinstance(ticks.formatter, LogFormatter):
                ticks.formatter = _FewLabels()
                ticks.formatter.set_axis(axis)


def _logarithmic(figure: Figure) -> list[Axis]:
    """Logarithmic axes, those of insets too."""
    panels = [axes for own in figure.axes for axes in (own, *own.child_axes)]
    both = [axis for panel in panels for axis in (panel.xaxis, panel.yaxis)]
    return [axis for axis in both if axis.get_scale() == "log"]


def _take_minor_ticks(figure: Figure) -> list[tuple[Axis, Locator]]:
    """Take away minor ticks without labels; return the axes that had them, and where they were.

    Each a thing of its own that is placed and drawn, they take a quarter of the time of a report.
    """
    taken = []
    for axis in _logarithmic(figure):
        if not any(map(axis.get_minor_formatter(), axis.get_minorticklocs())):
            taken.append((axis, axis.get_minor_locator()))
    for axis, _ in taken:
        axis.set_minor_locator(NullLocator())
    return taken


def _mark_minor_ticks(figure: Figure, taken: list[tuple[Axis, Locator]]) -> None:
    """Draw those of a side as one line of marks."""
    for axis, locator in taken:
        axis.set_minor_locator(locator)
    places = [axis.get_minorticklocs() for axis, _ in taken]
    for axis, _ in taken:
        axis.set_minor_locator(NullLocator())
    for (axis, _), every in zip(taken, places, strict=True):
        low, high = sorted(axis.get_view_interval())
        there = every[(every >= low * (1 - _NEAR)) & (every <= high * (1 + _NEAR))]
        tick = axis.get_minor_ticks(1)[0]
        for side, line in enumerate((tick.tick1line, tick.tick2line)):
            marks, ends = Line2D([], []), np.full(len(there), float(side))
            marks.update_from(line)
            marks.set(transform=line.get_transform(), visible=line.get_visible())
            marks.set_data(*((there, ends) if axis is axis.axes.xaxis else (ends, there)))
            figure.add_artist(marks)


class _FewLabels(Formatter):
    """Powers of ten alone where there are two or more; else 2 and 5 too, on a short axis all."""

    def __call__(self, x: float, pos: int | None = None) -> str:  # noqa: ARG002
        if self.axis is None or not x > 0:
            return ""
        low, high = sorted(self.axis.get_view_interval())
        powers = floor(log10(high * (1 + _NEAR))) - ceil(log10(low * (1 - _NEAR))) + 1
        power = floor(log10(x * (1 + _NEAR)))
        digits = f"{x / 10.0**power:.6g}"
        if high > _SHORT * low and digits not in (("1",) if powers > 1 else ("1", "2", "5")):
            return ""
        if powers <= _MOST_PLAIN and _PLAIN[0] <= low and high <= _PLAIN[1]:
            return f"{x:.6g}"
        return rf"${'' if digits == '1' else digits + _TIMES}10^{{{power}}}$"
