"""How a study is printed: the width of a journal's page, the size of text, the unit of energies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glasspipe.settings.schema import complete, find, schema
from glasspipe.units import GIGAHERTZ, KELVIN

_MILLIMETRE = 1 / 25.4


@dataclass(frozen=True)
class Journal:
    """A journal's page, inches.

    Parameters
    ----------
    column, page : float
        Widths of one column and of the text of a page.
    tallest : float
        Height that leaves room for a caption.
    serif : bool
        Whether its figures are lettered as its text is.
    """

    column: float
    page: float
    tallest: float
    serif: bool


JOURNALS = {
    "prb": Journal(3.375, 7.0, 8.6, serif=True),
    "nature": Journal(89 * _MILLIMETRE, 183 * _MILLIMETRE, 8.6, serif=False),
    "elsevier": Journal(90 * _MILLIMETRE, 190 * _MILLIMETRE, 8.6, serif=False),
}

ENERGIES = {
    "eV": (1.0, "eV"),
    "meV": (1e-3, "meV"),
    "ueV": (1e-6, "µeV"),
    "K": (KELVIN, "K"),
    "GHz": (GIGAHERTZ, "GHz"),
}
"""Units of energies: in eV, and as they are written."""

VECTORS = {"pdf": ("pdf",), "svg": ("svg",), "both": ("pdf", "svg")}
"""Formats of figures besides PNG."""

_SERIF = {"font.family": "STIXGeneral", "mathtext.fontset": "stix"}
_SANS = {"font.family": "DejaVu Sans", "mathtext.fontset": "dejavusans"}
_SIZES = (
    *("font.size", "axes.labelsize", "axes.titlesize", "xtick.labelsize", "ytick.labelsize"),
    *("legend.fontsize", "legend.title_fontsize"),
)
_MATPLOTLIB: dict[str, Any] = {
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "axes.linewidth": 0.6,
    "axes.titlepad": 3.0,
    "axes.formatter.limits": (-2, 4),
    "axes.formatter.use_mathtext": True,
    "lines.linewidth": 1.0,
    "lines.markersize": 4,
    "errorbar.capsize": 1.5,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "pdf.fonttype": 42,
    "svg.hashsalt": "glasspipe",
    "figure.dpi": 72,
    "savefig.dpi": 72,
}


@dataclass(frozen=True)
class Style:
    """What is chosen in the section ``report`` of a config.

    Parameters
    ----------
    journal : Journal
        Whose page figures fit.
    font_size : float
        Of all text in figures, points.
    energy : tuple of float and str
        The unit of all energies: in eV, and its name.
    formats : tuple of str
        Of the files of a figure.
    """

    journal: Journal = JOURNALS["prb"]
    font_size: float = 8.0
    energy: tuple[float, str] = ENERGIES["eV"]
    formats: tuple[str, ...] = ("pdf", "png")

    @property
    def matplotlib(self) -> dict[str, Any]:
        """Matplotlib's settings for figures that are printed at their own size."""
        font = _SERIF if self.journal.serif else _SANS
        return {**_MATPLOTLIB, **font, **dict.fromkeys(_SIZES, self.font_size)}


def style_of(config: Mapping[str, Any]) -> Style:
    """Return the style of a study, given its config; that of a study that says none."""
    node = find(schema(), "report")
    chosen = complete(node or {}, config.get("report", {}))
    formats = (*VECTORS[chosen["vector"]], "png")
    journal, energy = JOURNALS[chosen["journal"]], ENERGIES[chosen["energy"]]
    return Style(journal, chosen["font_size"], energy, formats)
