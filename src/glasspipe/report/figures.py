"""Figures for papers, drawn from the aggregate files alone.

The bytes of a figure depend on its data only: the user's own matplotlib settings and the date are
left out.
"""

import sys
from collections.abc import Sequence
from inspect import cleandoc
from pathlib import Path
from textwrap import wrap

import matplotlib.style
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Drawing

from glasspipe import __version__
from glasspipe.errors import DataError
from glasspipe.files.dataset import replacing
from glasspipe.report import finishing, layout
from glasspipe.report.canvas import Canvas
from glasspipe.report.observable import Figure, Results
from glasspipe.report.presentation import literal
from glasspipe.report.style import Style

_PIXELS = 300
"""Per inch."""
_CANVASES = {"pdf": FigureCanvasPdf, "svg": FigureCanvasSVG, "png": Canvas}


def write(found: Results, figures: Sequence[Figure]) -> None:
    """Draw figures of a study into ``figures/``, in the formats wanted, and write their captions.

    Parameters
    ----------
    found : Results
        The study's aggregate files.
    figures : sequence of Figure
        Those wanted, see :mod:`glasspipe.report.contents`.

    Raises
    ------
    DataError
        If one of those files is missing or cannot be used.
    """
    with matplotlib.style.context(found.style.matplotlib, after_reset=True):
        for figure in figures:
            _write_one(figure, found)
            with replacing(found.folder / "figures" / f"{figure.name}.rst") as temporary:
                temporary.write_text(f"{cleandoc(figure.caption)}\n", encoding="utf-8")


def _write_one(figure: Figure, found: Results) -> None:
    """Draw and write a figure; where that fails, one that says so, for the others to be made."""
    stem = found.folder / "figures" / figure.name
    try:
        save(figure.draw(found), stem, found)
    except (DataError, OSError):  # of a full disk above all
        raise
    except Exception as error:
        why = f"the figure {figure.name} could not be drawn: {type(error).__name__}: {error}"
        print(f"glasspipe report: {' '.join(why.split())}", file=sys.stderr)
        save(_notice(literal(why), found.style), stem, found)


def save(figure: Drawing, stem: Path, found: Results) -> None:
    """Write a figure in the formats of the study, ``stem`` being the path without the suffix.

    The canvases do it, since ``Figure.savefig`` draws all twice, to lay out what stands already.
    """
    finishing.finish(figure, tallest=found.style.journal.tallest)
    about = found.study.about["config_hash"]
    dpi = figure.dpi
    metadata = _metadata(stem.name, f"study {found.study.name}, config {about}")
    for kind in found.style.formats:
        figure.set_dpi(_PIXELS if kind == "png" else dpi)
        printed = getattr(_CANVASES[kind](figure), f"print_{kind}")
        with replacing(stem.with_name(f"{stem.name}.{kind}")) as temporary:
            printed(temporary, metadata=metadata[kind])


def _metadata(title: str, about: str) -> dict[str, dict[str, str | None]]:
    """Return what a figure says of itself, format by format, the time left out."""
    made = f"glasspipe {__version__}"
    return {
        "pdf": {"Title": title, "Subject": about, "Creator": made, "CreationDate": None},
        "svg": {"Title": title, "Description": about, "Creator": made, "Date": None},
        "png": {"Title": title, "Description": about, "Software": made},
    }


def _notice(text: str, style: Style) -> Drawing:
    """Return a figure that shows a text alone."""
    figure = layout.figure(style.journal.column, 1.5)
    figure.set_layout_engine("none")  # which asks for panels
    figure.text(0.5, 0.5, "\n".join(wrap(text, 55)), ha="center", va="center")
    return figure
