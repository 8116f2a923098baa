"""From a microscopic defect model of a quantum glass to distributions of its couplings and fields.

The model is that of M. Schechter and P. C. E. Stamp, J. Phys.: Condens. Matter 20, 244136 (2008);
equation numbers in this package are that paper's. From a config to the fields on τ:

    import numpy as np
    import glasspipe as gp

    model = gp.point_from({"defects": {"concentration": 0.01, "number": 300}}).model
    made = gp.realise(np.random.default_rng(1), model.lattice, model.defects, model.components)
    box = [model.lattice.edge] * 3
    system = gp.System(made.position, made.defects.tensors, box, model.interaction, model.boundary)

    found = gp.couplings(system)                       # U_ij of every pair and B_i, eV
    U = np.zeros((len(system), len(system)))
    U[np.triu_indices(len(system), 1)] = found.U
    about = {"schedule": "geometric", "t_start": 10.0, "t_end": 0.05}
    frozen = gp.freeze(U + U.T, found.B, key=1, sweeps=1000, steps=100, replicas=1, **about)

    tau = np.random.default_rng(2).choice((-1, 1), size=len(system))
    fields = gp.fields(system.frozen(frozen.S), frozen.S, tau)
    print(np.median(np.abs(found.B)), np.median(np.abs(fields.b)))
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "load_study": "settings.study",
    "point_from": "settings.point",
    "realise": "defects.realisation",
    "Lattice": "defects.lattice",
    "Medium": "elastic.medium",
    "CubicMedium": "elastic.medium",
    "green_derivatives": "elastic.greens",
    "periodic_green_derivatives": "elastic.greens",
    "System": "system.system",
    "couplings": "system.couplings",
    "fields": "system.fields",
    "hamiltonian": "system.hamiltonian",
    "freeze": "spins.annealing",
    "temper": "spins.tempering",
    "field_law": "theory.field_law",
    "open_study": "report.study",
    "compact": "report.presentation",
    "plot_statistic": "report.plots",
    "plot_distribution": "report.plots",
}
"""Where each public name is; it is imported when it is first used."""

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    """Return a public name."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'glasspipe' has no attribute {name!r}")
    return getattr(import_module(f"glasspipe.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    """Return what is public."""
    return sorted(__all__)
