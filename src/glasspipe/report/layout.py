"""Where panels and legends of a figure stand on a printed page.

A series has a column of panels. Columns that do not fit side by side stand below one another, for
a page is as wide and as high as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from glasspipe.report.style import Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import StepPatch

MOST_SERIES = 12
"""Series that have panels of their own; the figure says if there are more."""

MOST_LABELS = 12
"""Entries of a legend; it says if there are more."""

_SIDE_BY_SIDE = {1: 4, 2: 4}
_MOST_SIDE_BY_SIDE = 6
"""Columns of panels, more where each has three rows or more."""
_MOST_COLUMNS = 6
"""Entries of a legend side by side."""

_ANY_COLOUR = ("black", "grey")


def figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches, which finds room for what is drawn by itself."""
    from matplotlib.figure import Figure

    from glasspipe.report.canvas import Canvas

    made = Figure(figsize=(width, height), layout="constrained")
    Canvas(made)
    return made


def grid(
    style: Style,
    rows: int,
    wanted: int,
    *,
    height: float,
    ratios: Sequence[float] | None = None,
    sharex: bool = False,
    sharey: bool = True,
) -> tuple[Figure, Any]:
    """Return a figure and its panels (rows, series), at most :data:`MOST_SERIES` of ``wanted``.

    Parameters
    ----------
    style : Style
        How the study is printed.
    rows, wanted : int
        Panels of a series, and series.
    height : float
        Of one line of series, inches; less where several lines must fit a page.
    ratios : sequence of float, optional
        Heights of the rows.
    sharex, sharey : bool
        Whether the rows of a series share their x, and the series their y.
    """
    shown = min(wanted, MOST_SERIES)
    lines = ceil(shown / _SIDE_BY_SIDE.get(rows, _MOST_SIDE_BY_SIDE))
    columns = ceil(shown / lines)
    page = style.journal
    width = page.column if columns == 1 else page.page
    made = figure(width, min(height * lines, page.tallest))
    spec = made.add_gridspec(
        lines * rows, columns, height_ratios=[*(ratios or [1.0] * rows)] * lines
    )
    panels = np.empty((rows, shown), dtype=object)
    for (row, series), _ in np.ndenumerate(panels):
        line, column = divmod(series, columns)
        panels[row, series] = axes = made.add_subplot(
            spec[line * rows + row, column],
            sharex=panels[0, series] if sharex and row else None,
            sharey=panels[row, 0] if sharey and series else None,
        )
        below, left = not sharex or row == rows - 1, not sharey or column == 0
        axes.tick_params(which="both", labelbottom=below, labelleft=left)
    if shown < wanted:
        made.supxlabel(f"the first {shown} of {wanted} series", fontsize=style.font_size)
    return made, panels


def label_rows(panels: Any, *labels: str) -> None:
    """Label each row of panels (rows, series) at the left of the page."""
    for row, label in zip(panels, labels, strict=True):
        for axes in row:
            if axes.get_subplotspec().is_first_col():
                axes.set_ylabel(label, multialignment="center")


def note_if_empty(axes: Axes, note: str) -> None:
    """Write a note where nothing could be drawn."""
    stairs = any(np.isfinite(one.get_data()[0]).any() for one in steps(axes))
    if not stairs and not any(_shows(axes, line) for line in axes.lines):
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
        axes.text(0.5, 0.5, note, transform=axes.transAxes, ha="center", va="center", bbox=box)


def steps(axes: Axes) -> list[StepPatch]:
    """Return the histograms in a panel."""
    from matplotlib.patches import StepPatch

    return [patch for patch in axes.patches if isinstance(patch, StepPatch)]


def _shows(axes: Axes, line: Line2D) -> bool:
    """Whether a line is seen: of several points or marks, on a logarithmic axis positive ones."""
    least = 0.0 if axes.get_yscale() == "log" else -np.inf
    xy = np.asarray(line.get_xydata(), dtype=float)
    seen = np.isfinite(xy).all(axis=1) & (xy[:, 1] > least)
    return int(seen.sum()) >= (2 if line.get_marker() == "None" else 1)


def drawn(figure: Figure, entries: Sequence[Line2D]) -> list[Line2D]:
    """Return the entries of a legend of which there is something in the panels."""
    there = [line for axes in figure.axes for line in axes.lines if _shows(axes, line)]
    return [entry for entry in entries if any(_alike(entry, line) for line in there)]


def _alike(entry: Line2D, line: Line2D) -> bool:
    """Whether a line has the style and the colour of an entry, black and grey being any colour."""
    from matplotlib.colors import same_color

    styles = {(one.get_linestyle(), one.get_marker()) for one in (entry, line)}
    colour = entry.get_color()
    return len(styles) == 1 and (colour in _ANY_COLOUR or same_color(colour, line.get_color()))


def key(label: str, **style: Any) -> Line2D:
    """Return an entry of a legend."""
    from matplotlib.lines import Line2D

    return Line2D([], [], label=label, **style)


def legend(owner: Axes | Figure, entries: Sequence[Line2D], **options: Any) -> None:
    """Make a legend: that of a panel within it, that of a figure above it, which grows by it.

    Without entries there is none.
    """
    if not entries:
        return
    from matplotlib.axes import Axes

    shown = list(entries[:MOST_LABELS])
    if len(entries) > len(shown):
        shown.append(key(f"and {len(entries) - len(shown)} more", linestyle="none"))
    if isinstance(owner, Axes):
        owner.legend(handles=shown, **options)
        return
    renderer = owner.canvas.get_renderer()  # type: ignore[attr-defined]
    for columns in range(min(_MOST_COLUMNS, len(shown)), 0, -1):
        made = owner.legend(handles=shown, loc="outside upper center", ncols=columns, **options)
        box = made.get_window_extent(renderer)
        if box.width <= owner.bbox.width or columns == 1:
            break
        made.remove()
    if box.width > owner.bbox.width:
        for text in (*made.get_texts(), made.get_title()):
            text.set_fontsize(float(text.get_fontsize()) * owner.bbox.width / box.width)
        box = made.get_window_extent(renderer)
    owner.set_figheight(owner.get_figheight() + box.height / owner.dpi)
