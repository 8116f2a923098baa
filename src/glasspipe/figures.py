"""Figures for papers, drawn from the aggregate files alone.

Fields span many decades, and part of them may vanish: a logarithmic axis shows what is positive,
and a panel in which nothing can be drawn says so. The bytes of a figure depend on its data only, so
the user's own matplotlib settings, and the date, are left out.
"""

from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from numpy.typing import NDArray

from glasspipe import results
from glasspipe.dataset import replacing
from glasspipe.presentation import (
    SYMBOLS,
    TYPICAL,
    WIDTH,
    Arrangement,
    Axis,
    Series,
    arrange,
    compact,
    find_fit,
    pick,
)

FORMATS = ("pdf", "png")
_METADATA = {"pdf": {"CreationDate": None, "Producer": None, "Creator": None}, "png": {"Software": None}}

_COLUMN, _PAGE = 3.4, 7.0
"""Widths of one and of two columns of a journal, inches."""

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's colours, which the colour-blind can tell apart."""
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_SEQUENTIAL = LinearSegmentedColormap.from_list(
    "sequential", mpl.colormaps["viridis"](np.linspace(0.0, 0.88, 64))
)
_MOST_COLUMNS = 6
_MOST_LABELS = 8
_CORE = 5.0

_STYLE: dict[str, Any] = {
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.0,
    "lines.markersize": 3.5,
    "errorbar.capsize": 1.5,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "pdf.fonttype": 42,
    "savefig.dpi": 300,
}


def write(folder: Path) -> None:
    """Draw all figures of a study into ``figures/``, as PDF and PNG.

    Parameters
    ----------
    folder : Path
        The study's folder, with the files of the aggregate stage.

    Raises
    ------
    DataError
        If one of those files is missing or cannot be used.
    """
    summary, fits = results.read_summary(folder), results.read_fits(folder)
    distributions, traces = results.read_distributions(folder), results.read_traces(folder)
    figures: dict[str, Callable[[], Figure]] = {
        "typical_and_width": lambda: typical_and_width(summary, fits),
        "distribution_B": lambda: distribution(summary, distributions, ["B"]),
        "distribution_b": lambda: distribution(summary, distributions, ["b_gamma", "b_eta", "b"]),
        "energy_temperature": lambda: energy_temperature(summary, distributions, traces),
        "fields_against_x": lambda: fields_against_x(summary, fits),
    }
    with mpl.style.context(_STYLE, after_reset=True):
        for name, draw in figures.items():
            figure = draw()
            for kind in FORMATS:
                with replacing(folder / "figures" / f"{name}.{kind}") as temporary:
                    figure.savefig(temporary, format=kind, metadata=_METADATA[kind])
