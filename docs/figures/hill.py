"""The width of B in a cubic crystal over that of its Hill average: hill.png of docs/media.md.

python docs/figures/hill.py

From the isotropic medium, Zener's ratio A = 1, to the crystal C44 goes to its value, with C11 and
C12 those of the crystal; every medium is compared with its own average.
"""

from math import sqrt
from pathlib import Path

import matplotlib.style
import numpy as np
from matplotlib.figure import Figure

from glasspipe.defects.component import Component
from glasspipe.defects.lattice import Lattice
from glasspipe.elastic.medium import PRESETS, AnyMedium, CubicMedium
from glasspipe.report import drawing
from glasspipe.report.style import Style
from glasspipe.theory.field_law import FieldLaw, Setting
from glasspipe.theory.population import Population

CRYSTALS = {name: PRESETS[f"{name}_cubic"].medium for name in ("KBr", "KCl")}
SPECIES = {
    "uniaxial ⟨100⟩, aligned": ("uniaxial", "100"),
    "uniaxial ⟨110⟩": ("uniaxial", "110"),
    "uniaxial ⟨111⟩": ("uniaxial", "111"),
    "rotor ⟨111⟩": ("rotor", "111"),
}
LATTICE = Lattice("fcc", sqrt(2), 60)
POINTS = 17


def width(species: tuple[str, str], medium: AnyMedium) -> float:
    """Exact std(B) at x = 1 % on fcc, nearest neighbours 1 Å apart."""
    population = Population((Component(*species, gamma=1.0, eta=1.0, zeta=1.0),))
    setting = Setting("B", population, medium)
    return FieldLaw(setting, LATTICE, round(0.01 * LATTICE.sites)).std


def softened(crystal: CubicMedium, zener: float) -> CubicMedium:
    """The crystal with another C44, so that it has this Zener ratio."""
    c44 = zener * (crystal.c11 - crystal.c12) / 2
    return CubicMedium(crystal.density, crystal.c11, crystal.c12, c44)


def main() -> None:
    """Print the ratios of the crystals and write the figure beside this file."""
    with matplotlib.style.context(Style().matplotlib, after_reset=True):
        figure = Figure(figsize=(5.2, 3.6), layout="constrained")
        axes = figure.subplots()
        for (label, species), colour in zip(SPECIES.items(), drawing.COLOURS, strict=False):
            for (name, crystal), line in zip(CRYSTALS.items(), ("-", "--"), strict=True):
                zener = np.linspace(1, crystal.zener_ratio, POINTS)
                media = [softened(crystal, A) for A in zener]
                ratio = [width(species, m) / width(species, m.hill_average) for m in media]
                print(f"{name} {label}: A = {zener[-1]:.4f}, crystal/Hill = {ratio[-1]:.4f}")
                shown = {"color": colour, "linestyle": line, "label": label}
                axes.plot(zener, ratio, **shown if name == "KBr" else shown | {"label": None})
                axes.plot(zener[-1], ratio[-1], "o" if name == "KBr" else "s", color=colour)
        for name, crystal in CRYSTALS.items():
            A = crystal.zener_ratio
            axes.axvline(A, color="0.85", linewidth=0.8, zorder=0)
            above = axes.get_xaxis_transform()
            side = "right" if name == "KBr" else "left"
            axes.text(A, 1.01, f"{name} {A:.3f}", transform=above, ha=side, va="bottom")
        axes.axhline(1, color="0.7", linewidth=0.6, zorder=0)
        axes.set(xlabel="Zener's ratio A", ylabel="std(B), crystal over Hill average")
        axes.legend(title="KBr solid, KCl dashed")
        figure.savefig(Path(__file__).with_suffix(".png"), metadata={"Software": None})


if __name__ == "__main__":
    main()
