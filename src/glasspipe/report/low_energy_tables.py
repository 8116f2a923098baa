"""Tables of the low-energy Hamiltonian: the order of strength in (74), and tunnelling."""

import pandas as pd

from glasspipe.report.latex import (
    energies,
    measured,
    numbers,
    point_columns,
    rows,
    tabular,
)
from glasspipe.report.presentation import (
    SYMBOLS,
    TYPICAL,
    joined,
    pick,
    points_of,
    ratio,
)
from glasspipe.theory.levels import LOW, PER_GIGAHERTZ_AND_CUBIC_MICRON, PER_JOULE_AND_CUBIC_METRE

_ORDER = ("U_S", "B", "b_gamma", "b_eta", "J_tau")
"""The terms of (74) as the paper orders them, by the typical field of each."""
_TERMS = {
    "U_S": SYMBOLS["U_S"],
    "B": "B",
    "b_gamma": r"\Sigma_j U^{S\tau}_{ij}S_j",
    "b_eta": SYMBOLS["b_eta"],
    "J_tau": SYMBOLS["J_tau"],
}
_FREE = ("fraction", "flat", "paper")


def strengths(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the typical value of each term of (74) in eV, and the ratios of successive ones.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    """
    typical = _typical(summary)
    values = {name: typical[name] for name in _ORDER}
    return joined(joined(points_of(summary), values, " (eV)"), _steps(typical))


def _typical(summary: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {name: pick(summary, name, TYPICAL) for name in (*_ORDER, "b")}


def _steps(typical: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    pairs = [*zip(_ORDER[1:], _ORDER[:-1], strict=True), ("J_tau", "b"), ("b_gamma", "b_eta")]
    return {f"{one}/{other}": ratio(typical[one], typical[other]) for one, other in pairs}


def strengths_latex(summary: pd.DataFrame) -> str:
    """Return the table of :func:`strengths` in LaTeX.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    """
    points = points_of(summary)
    typical = _typical(summary)
    values, steps = point_columns(points), point_columns(points)
    for name, before in zip(_ORDER, (None, *_ORDER), strict=False):
        column = energies(_TERMS[name], typical[name])
        step = measured(ratio(typical[name], typical[before])) if before else ["--"] * len(points)
        values |= column
        steps |= dict.fromkeys(column, step)
    column = energies("b", typical["b"])
    values |= column
    steps |= dict.fromkeys(column, measured(ratio(typical["J_tau"], typical["b"])))
    note = (
        "Quartile half-widths in the order of the paper's (74); below the rule, each over the one"
        r" to its left, and in the last column $\Sigma_j J_{ij}\tau_j$ over $b$."
    )
    return tabular(list(values), [rows(values), rows(steps)], note)


def tunnelling(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the free fraction of S with its estimates, and the density of low splittings of τ.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    """
    columns = {f"free S {name}": pick(summary, "free_S", name) for name in _FREE}
    for T in LOW:
        density = pick(summary, "levels", f"density_{T}")
        columns |= {
            f"tau below {T}": pick(summary, "levels", f"below_{T}"),
            f"P {T} (1/(eV angstrom3))": density,
            f"P {T} (1/(J m3))": density * PER_JOULE_AND_CUBIC_METRE,
            f"P {T} (1/(GHz um3))": density * PER_GIGAHERTZ_AND_CUBIC_MICRON,
        }
    return joined(points_of(summary), columns)


def tunnelling_latex(summary: pd.DataFrame) -> str:
    """Return the table of :func:`tunnelling` in LaTeX.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    """
    columns = point_columns(points_of(summary))
    found, flat, paper = (pick(summary, "free_S", name) for name in _FREE)
    columns[r"$|h|<D$"] = measured(found)
    columns["random $S$"] = numbers(found["theory"])
    columns[r"$2\langle D\rangle P(0)$"] = measured(flat)
    columns["$D_0/xU_0$"] = numbers(paper["estimate"])
    for T in LOW:
        below = pick(summary, "levels", f"below_{T}")
        density = pick(summary, "levels", f"density_{T}")
        columns[f"$E<$ {T}"] = measured(below)
        columns[f"$P$ {T} (1/(J m$^3$))"] = measured(density * PER_JOULE_AND_CUBIC_METRE)
    note = (
        r"Fractions of $S$ that are free and of $\tau$ with a splitting below $k_BT$, and the mean"
        r" density $P$ of the latter."
    )
    return tabular(list(columns), [rows(columns)], note)
