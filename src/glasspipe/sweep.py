"""Sweeps: from the values of a few keys to the points of a study.

A range is meant in decimals, as it is written: 0.1 to 0.7 in 7 steps holds 0.3, not
0.30000000000000004, since the values name points and make hashes. Linear ranges are therefore
computed in exact fractions, logarithmic ones rounded to 12 significant digits.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

from glasspipe.schema import ConfigError, Schema, complete, leaves, nearest, validate

MOST_POINTS = 100_000


def expand(
    sweep: Mapping[str, Mapping[str, Any]], base: dict[str, Any], *, node: Schema, mode: str
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each point of a sweep: its complete data and its swept values.

    Parameters
    ----------
    sweep : mapping
        Dotted keys and how each varies, valid by the schema of sweeps.
    base : dict
        Complete data of a point; the swept keys are replaced in copies of it.
    node : mapping
        Schema of a point.
    mode : {"product", "zip"}
        All combinations (the last key varies fastest), or in step.

    Raises
    ------
    ConfigError
        If a key cannot be swept or a value is not allowed.
    """
    known = dict(leaves(node))
    columns = {key: _column(key, how, known) for key, how in sweep.items()}
    _check_keys(columns, base)
    _check_lengths(columns, mode)
    in_step = mode == "zip" and columns
    for row in zip(*columns.values(), strict=True) if in_step else product(*columns.values()):
        swept = dict(zip(columns, row, strict=True))
        data = deepcopy(base)
        for key, value in swept.items():
            *parents, leaf = key.split(".")
            section = data
            for parent in parents:
                section = section[parent]
            section[leaf] = value
        yield data, swept


def _column(key: str, how: Mapping[str, Any], known: dict[str, Schema]) -> list[Any]:
    """Return the checked values of one swept key."""
    if key not in known:
        raise ConfigError(f"sweep.{key}: not a key that can be swept; {nearest(key, list(known))}")
    values = how["values"] if "values" in how else _range(how)
    for value in values:
        validate(known[key], value, f"sweep.{key}")
    return [complete(known[key], value) for value in values]


def _range(how: Mapping[str, Mapping[str, Any]]) -> list[float]:
    """Return the values of a linear or a logarithmic range."""
    [(kind, ends)] = how.items()
    steps = int(ends["number"]) - 1
    if kind == "linear":
        start, stop = Fraction(str(ends["start"])), Fraction(str(ends["stop"]))
        return [float(start + (stop - start) * i / steps) for i in range(steps + 1)]
    ratio = ends["stop"] / ends["start"]
    return [float(f"{ends['start'] * ratio ** (i / steps):.12g}") for i in range(steps + 1)]


def _check_keys(columns: dict[str, list[Any]], base: dict[str, Any]) -> None:
    for key in columns:
        parent = key.rpartition(".")[0]
        if parent in columns:
            raise ConfigError(f"sweep.{key}: found beside sweep.{parent}; allowed: one of the two")
        section: Any = base
        for name in parent.split(".") if parent else []:
            section = section[name]
        if not isinstance(section, dict):
            raise ConfigError(
                f"sweep.{key}: found with {parent}: {section};"
                f" allowed: a {parent} written out as a mapping"
            )


def _check_lengths(columns: dict[str, list[Any]], mode: str) -> None:
    lengths = {key: len(values) for key, values in columns.items()}
    if mode == "zip" and len(set(lengths.values())) > 1:
        found = ", ".join(f"{length} for {key}" for key, length in lengths.items())
        raise ConfigError(
            f"sweep: found {found} values; allowed by sweep_mode zip: as many for each"
        )
    if mode == "product" and prod(lengths.values()) > MOST_POINTS:
        raise ConfigError(
            f"sweep: found {prod(lengths.values())} points; allowed: at most {MOST_POINTS}"
        )
