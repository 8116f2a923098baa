"""Figures for papers, drawn from the aggregate files alone.

The bytes of a figure depend on its data only: the user's own matplotlib settings and the date are
left out.
"""

import sys
from collections.abc import Sequence
from inspect import cleandoc
from pathlib import Path

import matplotlib.style
from matplotlib.figure import Figure as Drawing

from glasspipe.errors import DataError
from glasspipe.files.dataset import replacing
from glasspipe.report import drawing
from glasspipe.report.observable import Figure, Results
from glasspipe.report.presentation import literal

_METADATA: dict[str, dict[str, str | None]] = {
    "pdf": {"CreationDate": None},
    "png": {"Software": None},
}


def write(found: Results, figures: Sequence[Figure]) -> None:
    """Draw figures of a study into ``figures/``, as PDF and PNG, and write their captions.

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
    with matplotlib.style.context(drawing.STYLE, after_reset=True):
        for figure in figures:
            _write_one(figure, found)
            with replacing(found.folder / "figures" / f"{figure.name}.rst") as temporary:
                temporary.write_text(f"{cleandoc(figure.caption)}\n", encoding="utf-8")


def _write_one(figure: Figure, found: Results) -> None:
    """Draw and write a figure; where that fails, one that says so, for the others to be made."""
    stem = found.folder / "figures" / figure.name
    try:
        save(figure.draw(found), stem)
    except DataError:
        raise
    except Exception as error:
        why = f"the figure {figure.name} could not be drawn: {type(error).__name__}: {error}"
        print(f"glasspipe report: {' '.join(why.split())}", file=sys.stderr)
        save(drawing.notice(literal(why)), stem)


def save(figure: Drawing, stem: Path) -> None:
    """Write a figure as PDF and as PNG, ``stem`` being the path without the suffix."""
    drawing.straighten(figure)
    drawing.thin_labels(figure)
    for kind, metadata in _METADATA.items():
        with replacing(stem.with_name(f"{stem.name}.{kind}")) as temporary:
            figure.savefig(temporary, format=kind, metadata=metadata)
