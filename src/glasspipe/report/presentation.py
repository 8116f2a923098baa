"""How a study is shown: what its points are drawn against, its symbols, numbers with their errors.

Studies sweep what they like. The figures draw against the concentration if it is swept, else
against the first swept number, else side by side. Keys that still tell points apart make series,
one colour or one column each; a key that merely follows the axis (zipped with it) does not.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor, isfinite, log10
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from glasspipe.files.results import CONCENTRATION, SUMMARY_COLUMNS, swept_keys
from glasspipe.report.kinds import IN_GAP
from glasspipe.settings.schema import leaves, schema
from glasspipe.system.terms import FIELDS, TERMS

SYMBOLS = {name: field.symbol for name, field in FIELDS.items()}
"""The paper's symbols of the quantities, in TeX's math mode."""

COUPLING_SYMBOLS = {f"{name}_ij": term.symbol for name, term in TERMS.items()}
"""Those of the couplings of two defects."""

TYPICAL, WIDTH = "quartile_half_width", "std"

_KEY_SYMBOLS = {
    "x": "$x$",
    "defects.gamma": r"$\gamma_0$",
    "defects.eta": r"$\eta$",
    "defects.zeta": r"$\zeta_0$",
    "defects.D": "$D$",
    "defects.Delta": r"$\Delta$",
    "defects.E": "$E$",
    "defects.epsilon": r"$\epsilon$",
    "defects.number": "$N$",
    "lattice.constant": "lattice constant",
    "lattice.size": "box edge",
    "freeze.t_start": r"$T_\mathrm{start}$",
    "freeze.t_end": r"$T_\mathrm{end}$",
}
PAPERS_ORDER = ("U_S", "B", "b_gamma", "b_eta", "J_tau")
"""The field that each term of (74) makes, as the paper orders them."""
_COMPONENT = re.compile(r"defects\.mixture\.([^.]+)\.(.+)")
_LOG_RANGE = 10
_LONGEST = 28
"""Letters of a user's text in a figure or in a cell of a table."""
_MOST_TOLD = 4
"""Swept values in the name of a series."""
_ROUNDING = 1e-9
"""Of a number: what is less is no error but rounding."""
_CONCENTRATION_LABEL = "concentration $x$"

T = TypeVar("T")


@dataclass(frozen=True)
class Axis:
    """What the points of a study are drawn against.

    Parameters
    ----------
    label : str
        What to write on it, with its unit.
    log : bool
        Whether it is logarithmic.
    names : tuple of str
        Where nothing numeric is swept, what stands at 0, 1, 2 …; else empty.
    key : str
        The swept key, or x.
    """

    label: str
    log: bool
    names: tuple[str, ...] = ()
    key: str = "x"

    def at(self, position: float) -> str:
        """Return where on the axis a point is, as plain text: ``x = 0.01``."""
        value = self.names[round(position)] if self.names else f"{position:.4g}"
        return f"{self.key} = {value}"


@dataclass(frozen=True)
class Series:
    """Points that differ only along the axis.

    Parameters
    ----------
    label : str
        What tells the series from others, empty if there is one only.
    shared : dict
        The swept values that do so.
    points : list of str
        Names of the points, along the axis.
    position : array (points,)
        Where they are on the axis.
    """

    label: str
    shared: dict[str, Any]
    points: list[str]
    position: NDArray[np.float64]


@dataclass(frozen=True)
class Arrangement:
    """The axis of a study and its series."""

    axis: Axis
    series: tuple[Series, ...]

    @property
    def positions(self) -> NDArray[np.float64]:
        """All different positions on the axis, in order."""
        return np.unique(np.concatenate([series.position for series in self.series]))

    @property
    def rises(self) -> bool:
        """Whether fields grow along the axis, as they do with concentration."""
        return self.axis.label == _CONCENTRATION_LABEL and len(self.positions) > 1


def arrange(summary: pd.DataFrame) -> Arrangement:
    """Arrange the points of a study along an axis and in series."""
    points = summary.drop_duplicates("point")
    swept = swept_keys(summary, SUMMARY_COLUMNS)
    varied = [key for key in swept if points[key].nunique() > 1]
    numeric = [key for key in varied if pd.api.types.is_numeric_dtype(points[key])]
    if varied and not numeric:
        return _by_name(points, varied)
    key = CONCENTRATION if CONCENTRATION in numeric or not numeric else numeric[0]
    column = "x" if key == CONCENTRATION else key
    names = [name for name in varied if name != key and not _follows(points, name, key)]
    series = []
    for values, group in points.groupby(names, sort=False) if names else [((), points)]:
        ordered = group.sort_values(column, kind="stable")
        shared = dict(zip(names, values, strict=True))
        position = ordered[column].to_numpy(dtype=float)
        members = ordered["point"].tolist()
        series.append(Series(series_label(shared, members[0]), shared, members, position))
    return Arrangement(_axis(column, points[column].to_numpy(dtype=float)), tuple(series))


def _by_name(points: pd.DataFrame, varied: list[str]) -> Arrangement:
    rows = points[varied].itertuples(index=False)
    axis = Axis(
        ", ".join(map(key_label, varied)),
        log=False,
        names=tuple(map(", ".join, rows)),
        key=", ".join(varied),
    )
    position = np.arange(len(points), dtype=float)
    return Arrangement(axis, (Series("", {}, points["point"].tolist(), position),))


def _follows(points: pd.DataFrame, name: str, axis: str) -> bool:
    """Whether a key is a function of the axis."""
    return bool(points.groupby(axis)[name].nunique().max() == 1)


def _axis(column: str, values: NDArray[np.float64]) -> Axis:
    if column == "x":
        return Axis(_CONCENTRATION_LABEL, log=True)
    unit = key_unit(column)
    log = bool(values.min() > 0 and values.max() >= _LOG_RANGE * values.min())
    return Axis(key_label(column) + (f" ({unit})" if unit else ""), log, key=column)


def key_label(key: str, text: Callable[[str], str] = str) -> str:
    """Return the symbol of a swept key, or its own name; ``text`` makes a user's text harmless."""
    component = _COMPONENT.fullmatch(key)
    if component:
        return f"{key_label(f'defects.{component[2]}', text)} of {text(component[1])}"
    return _KEY_SYMBOLS.get(key, key.rpartition(".")[2].replace("_", " "))


def value_label(key: str, value: Any) -> str:
    """Return 'symbol = value unit' for a swept value, for a figure."""
    shown = (
        literal(shortened(value))
        if isinstance(value, str)
        else f"{value:.6g} {key_unit(key)}".rstrip()
    )
    return f"{key_label(key)} = {shown}"


def series_label(shared: Mapping[str, Any], point: str) -> str:
    """Return the swept values of a series; of many, the first and how its first point ends.

    That end is in the name of one point only, so that the rest can be looked up in the tables.
    """
    told = [value_label(key, value) for key, value in shared.items()]
    if len(told) > _MOST_TOLD:
        told[_MOST_TOLD - 1 :] = [f"…{point.rpartition('-')[2]}"]
    return ", ".join(told)


def evenly(items: Sequence[T], most: int) -> list[T]:
    """Return at most so many of the items, evenly chosen, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[i] for i in np.linspace(0, len(items) - 1, most).round().astype(int)]


def shortened(text: str) -> str:
    """Return a user's text for a place in print that is narrow, its middle left out."""
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[: half - 1]}…{text[-half:]}"


def literal(text: str) -> str:
    """Return a user's text such that a figure shows it as it is, and not as mathematics."""
    return text.replace("$", r"\$")


def key_unit(key: str) -> str:
    """Return the unit of a swept key, empty if it has none."""
    return dict(leaves(schema())).get(key, {}).get("unit", "")


def points_of(summary: pd.DataFrame) -> pd.DataFrame:
    """The name, the swept values and x of each point."""
    keys = swept_keys(summary, SUMMARY_COLUMNS)
    return summary.drop_duplicates("point")[["point", *keys, "x"]].reset_index(drop=True)


def joined(table: pd.DataFrame, columns: dict[str, pd.DataFrame], unit: str = "") -> pd.DataFrame:
    """Join estimate, error and theory of each column to a table of points."""
    found = table.copy()
    for name, picked in columns.items():
        found[name + unit] = picked["estimate"].to_numpy()
        found[f"{name} stderr{unit}"] = picked["stderr"].to_numpy()
        found[f"{name} theory{unit}"] = picked["theory"].to_numpy()
    return found


def pick(
    summary: pd.DataFrame, quantity: str, statistic: str, points: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return ``estimate``, ``stderr`` and ``theory`` of points, NaN where there is none.

    Parameters
    ----------
    summary : DataFrame
        The statistics of the study.
    quantity, statistic : str
        What to pick.
    points : sequence of str, optional
        Names of points; the rows are theirs, in this order. By default all of the study, in the
        order of :func:`points_of`.
    """
    if points is None:
        points = summary["point"].unique().tolist()
    chosen = summary[(summary["quantity"] == quantity) & (summary["statistic"] == statistic)]
    columns = ["estimate", "stderr", "theory"]
    return chosen.set_index("point")[columns].astype(float).reindex(points)


def theory_kind(summary: pd.DataFrame, quantity: str, points: Sequence[str] | None = None) -> str:
    """Return what kind of theory a field has, ``exact``, or the kinds that differ by point."""
    mine = summary[(summary["quantity"] == quantity) & summary["statistic"].isin([TYPICAL, WIDTH])]
    mine = mine if points is None else mine[mine["point"].isin(points)]
    return alternatives(mine["theory_kind"])


def alternatives(kinds: Iterable[str]) -> str:
    """Return the kinds of theory that there are, ``exact or dilute limit``, or nothing."""
    there = [kind for kind in dict.fromkeys(kinds) if kind]
    behind = f", {IN_GAP}"
    flat = sum(kind.endswith(behind) for kind in there)
    plain = " or ".join(dict.fromkeys(kind.removesuffix(behind) for kind in there))
    return plain + ("" if not flat else behind if flat == len(there) else f", some {IN_GAP}")


def told(theory: float, kind: str) -> str:
    """Return a number of theory with its kind as a remark, empty if there is none."""
    return f"theory ({kind}) {theory:.4g}" if isfinite(theory) else ""


def kinds(summary: pd.DataFrame, quantities: Iterable[str]) -> str:
    """Return the kinds of theory of quantities, ``exact: $B$; independent signs: $b$``, in TeX."""
    found: dict[str, list[str]] = {}
    for quantity in quantities:
        found.setdefault(theory_kind(summary, quantity), []).append(f"${SYMBOLS[quantity]}$")
    return "; ".join(f"{kind}: {', '.join(names)}" for kind, names in found.items() if kind)


def ratio(above: pd.DataFrame, below: pd.DataFrame) -> pd.DataFrame:
    """Return the ratio of two picks; the errors add in quadrature, correlations left out.

    Where the lower one is not positive there is no ratio (NaN).
    """
    below = below.where(below["estimate"] > 0)
    estimate = above["estimate"] / below["estimate"]
    relative = np.hypot(above["stderr"], estimate * below["stderr"]) / below["estimate"]
    theory = above["theory"] / below["theory"].where(below["theory"] > 0)
    return pd.DataFrame({"estimate": estimate, "stderr": relative, "theory": theory})


def find_fit(
    fits: pd.DataFrame, quantity: str, statistic: str, against: str, shared: Mapping[str, Any]
) -> pd.Series | None:
    """Return the fit of a series, or None.

    Values are compared as text, since a CSV file does not tell the axes "111" from a number.
    """
    wanted = {"quantity": quantity, "statistic": statistic, "against": against, **shared}
    found = fits
    for column, value in wanted.items():
        if column in found:
            found = found[found[column].map(str) == str(value)]
    found = found[np.isfinite(found["exponent"].astype(float))]
    return found.iloc[0] if len(found) else None


def decade(values: ArrayLike) -> int:
    """Return the power of ten of the largest of some numbers, 0 where they need none."""
    size = np.abs(np.asarray(values, dtype=float))
    largest = np.max(size, where=np.isfinite(size), initial=0.0)
    return 0 if largest == 0 or 0.1 <= largest < 1e4 else floor(log10(largest))


def powered(power: int, unit: str) -> str:
    """Return a unit with a power of ten before it, in TeX's math mode where there is one."""
    return f"$10^{{{power}}}$ {unit}".strip() if power else unit


def fraction(value: float) -> str:
    """Return a simple number as a fraction, ``4/3``."""
    return str(Fraction(value).limit_denominator(20))


def has_error(value: float, error: float) -> bool:
    """Whether an error is known and more than rounding."""
    return isfinite(error) and error > _ROUNDING * abs(value)


def plus_minus(value: float, error: float) -> str:
    """Return a number and its error as plain text, ``0.971 ± 0.004``."""
    if not has_error(value, error):
        return f"{value:.4g}"
    digits = places(error)
    decimals = max(digits, 0)
    return f"{rounded(value, digits):.{decimals}f} ± {rounded(error, digits):.{decimals}f}"


def compact(value: float, error: float) -> str:
    r"""Return a number in TeX's math mode, its error in units of the last digit: ``0.971(4)``.

    The error has one digit, two if the first is 1. Numbers that are very small or large get a power
    of ten, and errors above 1 keep their point: ``1.31(2)\times10^{-5}``, ``12.3(1.2)``.
    """
    if not isfinite(value):
        return "-"
    error = error if has_error(value, error) else 0.0
    size = max(abs(value), error)
    power = 0 if size == 0 or 1e-3 <= size < 1e5 else floor(log10(size))
    times = rf"\times10^{{{power}}}" if power else ""
    value, error = value / 10.0**power, error / 10.0**power
    if error <= 0:
        return f"{float(f'{value:.4g}'):g}{times}"
    digits = places(error)
    decimals = max(digits, 0)
    shown = rounded(error, digits)
    in_units = f"{shown:.{decimals}f}" if shown >= 1 else f"{shown * 10**digits:.0f}"
    return f"{rounded(value, digits):.{decimals}f}({in_units}){times}"


def places(error: float) -> int:
    """Return the decimal places of a number with this error; negative before the point."""
    digits, power = f"{error:.1e}".split("e")
    return digits.startswith("1") - int(power)


def rounded(value: float, decimals: int) -> float:
    """Return a number with so many decimal places; 0 has no sign."""
    return round(value, decimals) + 0.0
