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

from glasspipe.errors import ConfigError
from glasspipe.settings.schema import Schema, complete, find, is_section, leaves, nearest, validate

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
    columns = {key: _column(str(key), how, node) for key, how in sweep.items()}
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


def _column(key: str, how: Mapping[str, Any], node: Schema) -> list[Any]:
    """Return the checked values of one swept key."""
    swept = find(node, key)
    if swept is None or is_section(swept):
        known = [name for name, _ in leaves(node)]
        raise ConfigError(f"sweep.{key}: not a key that can be swept; {nearest(key, known)}")
    values = how["values"] if "values" in how else _range(how)
    for value in values:
        validate(swept, value, f"sweep.{key}")
    return [complete(swept, value) for value in values]


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
        *parents, _ = key.split(".")
        section: Any = base
        for depth, name in enumerate(parents, start=1):
            above = ".".join(parents[:depth])
            if above in columns:
                raise ConfigError(
                    f"sweep.{key}: found beside sweep.{above}; allowed: one of the two"
                )
            if name not in section:
                raise ConfigError(
                    f"sweep.{key}: found without {above}; allowed: {', '.join(section)}"
                )
            section = section[name]
            if not isinstance(section, dict):
                raise ConfigError(
                    f"sweep.{key}: found with {above}: {section};"
                    f" allowed: a {above} written out as a mapping"
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
