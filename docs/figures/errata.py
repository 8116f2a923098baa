"""What the errata change in KBr: the table of docs/errata.md, and its figure errata.png.

python docs/figures/errata.py
"""

from pathlib import Path

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glasspipe.defects.component import Component
from glasspipe.defects.lattice import Lattice
from glasspipe.defects.species import unit_kinds
from glasspipe.elastic.medium import PRESETS
from glasspipe.elastic.printed import Interaction, Printed
from glasspipe.report import drawing
from glasspipe.report.style import Style
from glasspipe.theory.field_law import FieldLaw, Setting
from glasspipe.theory.pair_fields import pair_coupling
from glasspipe.theory.population import Population

KBR = PRESETS["KBr"].medium
FORMULAS: dict[str, Interaction] = {"derived": KBR, "as printed": Printed(KBR)}
SPECIES = {
    name: Population((Component(name, "111", gamma=1.0, eta=1.0, zeta=1.0),))
    for name in ("uniaxial", "aligned")
}
LABELS = {"uniaxial": "uniaxial ⟨111⟩", "aligned": "aligned"}
FIELDS = {"U_S": ("U", r"$\sum_j U_{ij} S_j$"), "b_gamma": ("U_S_tau", r"$b^\gamma$")}
LATTICE = Lattice("fcc", 6.585, 40)
CONCENTRATION = 0.01


def law(field: str, species: str, formula: str) -> FieldLaw:
    """Law of a field on the anion sites of KBr, S = ±1 at random."""
    setting = Setting(field, SPECIES[species], FORMULAS[formula])
    return FieldLaw(setting, LATTICE, round(CONCENTRATION * LATTICE.sites))


def angular(coupling: str, formula: str, angle: np.ndarray) -> np.ndarray:
    """R^p times the coupling of two aligned defects against the angle to their axis, eV Å^p."""
    defect = unit_kinds("aligned", "111")
    R = np.stack([np.sin(angle), 0 * angle, np.cos(angle)], axis=1)
    return pair_coupling(coupling, defect, defect, R, FORMULAS[formula])[0, 0]


def print_table() -> None:
    """Print width, typical value and extreme couplings of both formulas."""
    for field, species in ((f, s) for f in FIELDS for s in SPECIES):
        row = [field, species]
        for name in ("std", "median_abs", "q95"):
            one, two = (law(field, species, formula).statistic(name) for formula in FORMULAS)
            row.append(f"{name} {one:.4g} {two:.4g} eV, ratio {two / one:.3f}")
        print("; ".join(row))
    angle = np.radians([0.0, 90.0])
    for coupling, _ in FIELDS.values():
        for formula in FORMULAS:
            print(coupling, formula, "at 0° and 90°, eV Å^p:", angular(coupling, formula, angle))
    dyads = np.radians(np.linspace(0, 180, 2001))
    for coupling, _ in FIELDS.values():
        one, two = (angular(coupling, formula, dyads) for formula in FORMULAS)
        print(coupling, "correlation over directions:", np.corrcoef(one, two)[0, 1])


def draw_angular(axes: Axes, field: str) -> None:
    """Draw the couplings of aligned defects, each in units of its largest value."""
    coupling, symbol = FIELDS[field]
    angle = np.linspace(0, np.pi, 361)
    for formula, colour in zip(FORMULAS, drawing.COLOURS, strict=False):
        g = angular(coupling, formula, angle)
        largest = np.abs(g).max()
        label = f"{formula}, 1 is {largest:.3g} eV Å$^{3 if field == 'U_S' else 4}$"
        axes.plot(np.degrees(angle), g / largest, color=colour, label=label)
    axes.axhline(0, color="0.7", linewidth=0.6, zorder=0)
    axes.set(xlabel="angle to the axis (degrees)", xticks=[0, 45, 90, 135, 180], ylim=(-1.1, 1.65))
    axes.set_title("$U_{ij}$, aligned" if field == "U_S" else rf"{symbol} of one source, aligned")
    axes.legend(loc="upper center")


def draw_law(axes: Axes, field: str) -> None:
    """Draw P(|X| > value) of the field in a sample."""
    for species, line in zip(SPECIES, ("-", "--"), strict=True):
        for formula, colour in zip(FORMULAS, drawing.COLOURS, strict=False):
            known = law(field, species, formula)
            X = np.geomspace(0.02 * known.statistic("median_abs"), 1.9 * known.statistic("q95"), 80)
            beyond = 1 - known.cdf(X) + known.cdf(-X)
            label = f"{formula}, {LABELS[species]}"
            axes.loglog(X, beyond, line, color=colour, label=label)
    symbol = FIELDS[field][1]
    axes.set(xlabel=f"|{symbol}| (eV)", ylabel="probability to exceed it", ylim=(0.03, 1.2))
    axes.legend(loc="lower left")


def main() -> None:
    """Print the table and write the figure beside this file."""
    print_table()
    with matplotlib.style.context(Style().matplotlib, after_reset=True):
        figure = Figure(figsize=(7.0, 5.4), layout="constrained")
        panels = figure.subplots(2, 2)
        for column, field in enumerate(FIELDS):
            draw_angular(panels[0, column], field)
            draw_law(panels[1, column], field)
        panels[0, 0].set_ylabel("coupling over its largest value")
        figure.savefig(Path(__file__).with_suffix(".png"), metadata={"Software": None})


if __name__ == "__main__":
    main()
