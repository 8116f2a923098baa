"""What differs between two studies: their configs, and their results beyond their errors.

Thousands of numbers are compared, of which some differ by chance, and errors that come from few
realisations are themselves uncertain. So a difference is tested with Student's t at the level
that leaves all numbers together the stated chance of one false alarm (Bonferroni), with the degrees
of freedom of Welch and Satterthwaite.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr

from glasspipe.errors import ConfigError, DataError
from glasspipe.files.dataset import differences
from glasspipe.files.results import SUMMARY_COLUMNS, swept_keys
from glasspipe.report.observable import Results
from glasspipe.report.presentation import plus_minus

_SAME = 1e-12
"""Relative difference of numbers that are the same, whatever their errors."""
_MOST = 20
"""Numbers that differ of which each is shown."""
_ROW = ["quantity", "statistic"]


@dataclass(frozen=True)
class Comparison:
    """Two studies side by side.

    Parameters
    ----------
    names : tuple of str
        What the studies are called.
    config : list of (str, object, object)
        Dotted keys whose values differ, None where there is none.
    keys : list of str
        The keys that either study sweeps.
    rows : DataFrame
        A row for each number that both have: keys, ``quantity``, ``statistic``, both estimates and
        errors, and ``p``, the chance of their difference, NaN where an error is missing.
    only : tuple of int
        Points that only the one or only the other has.
    significance : float
        Chance that any number is said to differ if none does.
    """

    names: tuple[str, str]
    config: list[tuple[str, Any, Any]]
    keys: list[str]
    rows: pd.DataFrame
    only: tuple[int, int]
    significance: float

    @property
    def different(self) -> pd.DataFrame:
        """The rows of numbers that differ, the surest first."""
        tested = self.rows["p"].notna().sum()
        return self.rows[self.rows["p"] < self.significance / max(tested, 1)].sort_values("p")


def compare(one: Results, two: Results, *, significance: float = 0.01) -> Comparison:
    """Compare two studies at the points that both have.

    Points are the same where they agree in every key that either study sweeps; a study that does
    not sweep a key has the value of its config at all points.

    Raises
    ------
    ConfigError
        If the significance is no chance.
    DataError
        If the studies have no point in common, or their numbers no errors.
    """
    if not 0 < significance < 1:
        raise ConfigError(f"significance: found {significance:g}; allowed: between 0 and 1")
    names = str(one.folder), str(two.folder)
    keys = list(dict.fromkeys([*_swept(one), *_swept(two)]))
    tables = [_table(found, keys) for found in (one, two)]
    rows = tables[0].merge(tables[1], on=[*keys, *_ROW], suffixes=("_one", "_two"))
    if rows.empty:
        raise DataError(
            f"{names[1]}: has no point of {names[0]}; allowed: studies that share values of"
            f" {', '.join(keys)}"
        )
    realisations = one.config["realisations"], two.config["realisations"]
    rows = rows.assign(p=_chances(rows, realisations))
    if min(realisations) == 1 and rows["p"].isna().any():
        raise DataError(
            f"{names[realisations.index(1)]}: has one realisation, and so no errors;"
            " allowed: 2 or more"
        )
    both = _points(rows, keys)
    only = _points(tables[0], keys) - both, _points(tables[1], keys) - both
    config = list(differences(one.config, two.config))
    return Comparison(names, config, keys, rows, only, significance)


def _swept(found: Results) -> list[str]:
    return swept_keys(found.summary, SUMMARY_COLUMNS)


def _points(table: pd.DataFrame, keys: list[str]) -> int:
    return len(table.drop_duplicates(keys)) if keys else 1


def _table(found: Results, keys: list[str]) -> pd.DataFrame:
    """Return the numbers of a study that are known, with the values of all keys as text."""
    table = found.summary[found.summary["estimate"].notna()]
    swept = _swept(found)
    values = {
        key: table[key].map(_text) if key in swept else _text(_value(found.config, key))
        for key in keys
    }
    return table[[*_ROW, "estimate", "stderr"]].assign(**values)


def _value(config: Mapping[str, Any], key: str) -> Any:
    """Return the value of a dotted key in a config."""
    value: Any = config
    for name in key.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _text(value: Any) -> str:
    """Return a value as text, the same for 1, 1.0 and a summary's "1", as it is if it is text."""
    with suppress(TypeError, ValueError):
        return repr(float(value))
    return value if isinstance(value, str) else json.dumps(value)


def _chances(rows: pd.DataFrame, realisations: tuple[int, int]) -> NDArray[np.float64]:
    """Chance of a difference at least as large, two-sided (rows,); NaN where it is not known.

    Numbers that are the same have 1. Where both errors are 0, all realisations of each study have
    one number, which a few of them may have by chance: nothing is known then.
    """
    one, two = (rows[f"estimate_{side}"].to_numpy(dtype=float) for side in ("one", "two"))
    variances = [rows[f"stderr_{side}"].to_numpy(dtype=float) ** 2 for side in ("one", "two")]
    total = variances[0] + variances[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = [
            (variance / total) ** 2 / (number - 1)
            for variance, number in zip(variances, realisations, strict=True)
        ]
        p = 2 * stdtr(1 / sum(shares), -np.abs(one - two) / np.sqrt(total))
    p[total == 0] = np.nan
    p[np.isclose(one, two, rtol=_SAME, atol=0.0)] = 1.0
    return p


def told(found: Comparison) -> str:
    """Return a comparison in words."""
    return "\n".join([*_configs(found), *_results(found)])


def _configs(found: Comparison) -> Iterator[str]:
    yield f"config   {len(found.config)} keys differ" if found.config else "config   the same"
    for key, one, two in found.config:
        yield f"  {key}: {_short(one)} | {_short(two)}"
    for name, number in zip(found.names, found.only, strict=True):
        if number:
            yield f"points   {number} only in {name}"


def _results(found: Comparison) -> Iterator[str]:
    different, unknown = found.different, int(found.rows["p"].isna().sum())
    agree = len(found.rows) - len(different) - unknown
    yield f"results  {agree} numbers agree, {len(different)} differ, {unknown} have no error"
    yield f"         at a significance of {found.significance:g} of all together"
    for _, row in different.head(_MOST).iterrows():
        where = "".join(f", {key} = {row[key]}" for key in found.keys)
        one, two = (
            plus_minus(row[f"estimate_{side}"], row[f"stderr_{side}"]) for side in ("one", "two")
        )
        yield f"  {row['quantity']}:{row['statistic']}: {one} | {two}{where}"
    if len(different) > _MOST:
        yield f"  and {len(different) - _MOST} more"


def _short(value: Any) -> str:
    return "-" if value is None else json.dumps(value, ensure_ascii=False)
