"""From file to file: each stage reads its inputs, calls its module and writes one file.

A stage works through its realisations one at a time, so its memory is that of one realisation.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glasspipe.errors import ConfigError, DataError
from glasspipe.files import dataset
from glasspipe.files.sources import user_defects
from glasspipe.files.variables import ALL_PAIRS, STRONG_PAIRS
from glasspipe.settings.config import Point, seed_sequence

if TYPE_CHECKING:
    from glasspipe.system.hamiltonian import Ising

Array = NDArray[np.float64]

_AXES = {"axis": 3, "axis2": 3, "axis3": 3}
_LARGEST = 1.0e30
"""eV; freezing adds up to 10⁶ fields in float32, whose range ends at 3e38."""


def sample(point: Point, output: Path, *, first: int = 0, count: int | None = None) -> None:
    """Write the realisations ``first`` … ``first + count − 1``; by default all of the point.

    Raises
    ------
    ConfigError
        If there are not so many realisations.
    DataError
        If the user's own file cannot be used.
    """
    numbers = range(first, point.realisations if count is None else first + count)
    if not 0 <= first < numbers.stop <= point.realisations:
        raise ConfigError(
            f"--first and --count: found {first} and {numbers.stop - first};"
            f" the point has the realisations 0 to {point.realisations - 1}"
        )
    if point.source_file is None:
        _sample_lattice(point, output, numbers)
    else:
        _sample_file(point, point.source_file, output, numbers)


def _sample_lattice(point: Point, output: Path, numbers: range) -> None:
    from glasspipe.defects.realisation import realise

    optional = [name for name in ("zeta_minus", "static") if name in point.extras]
    tensors = ["gamma", "eta", "zeta", *optional]
    others = ["component", *_amplitudes(point)]
    lattice, number = point.lattice, point.defects
    with dataset.create(
        output,
        "sample",
        point,
        names=["position", "box", "site", *tensors, *others],
        sizes={"defect": number, **_AXES},
        realisations=numbers,
        attributes={"sites": lattice.sites, "defects": number},
    ) as writer:
        writer.put_whole("box", lattice.edge)
        for row, realisation in enumerate(numbers):
            rng = np.random.default_rng(seed_sequence(point, "sample", realisation))
            made = realise(rng, lattice, number, point.components)
            writer.put(row, {"position": made.position, "site": made.site})
            writer.put(row, {name: getattr(made.defects.tensors, name) for name in tensors})
            writer.put(row, {name: getattr(made.defects, name) for name in others})


def _amplitudes(point: Point) -> list[str]:
    """Numbers of the defects that the sample file holds: tunnelling amplitudes, stray fields."""
    return ["D", "Delta", *(name for name in ("E", "epsilon") if name in point.extras)]


def _sample_file(point: Point, source: Path, output: Path, numbers: range) -> None:
    from glasspipe.defects.species import draw

    with user_defects(source) as defects:
        if numbers.stop > defects.realisations:
            raise DataError(
                f"{source}: holds {defects.realisations} realisations;"
                f" number {numbers.stop - 1} is wanted"
            )
        missing = [name for name in _amplitudes(point) if name not in defects.names]
        with dataset.create(
            output,
            "sample",
            point,
            names=[*defects.names, *missing],
            sizes={"defect": defects.number, **_AXES},
            realisations=numbers,
            attributes=defects.attributes,
        ) as writer:
            writer.put_whole("box", defects.box)
            for row, realisation in enumerate(numbers):
                rng = np.random.default_rng(seed_sequence(point, "sample", realisation))
                drawn = draw(rng, defects.number, point.components)
                writer.put(row, {name: getattr(drawn, name) for name in missing})
                writer.put(row, defects.realisation(realisation))


def couplings(point: Point, realisations: Path, output: Path) -> None:
    """Write U_ij and B_i of every realisation, or what U_ij is made of.

    Raises
    ------
    DataError
        If a coupling or a field is too large to be worked with.
    """
    from glasspipe.system.couplings import couplings
    from glasspipe.system.implicit import random_fields

    with dataset.stage_file(realisations, "sample", point) as source:
        about = {"box": source.whole("box"), "boundary": point.data["boundary"]}
        if point.store == "implicit":
            make = partial(random_fields, medium=point.medium, **about)
            _store_implicit(point, source, output, make)
        else:
            make_matrix = partial(couplings, medium=point.interaction, **about)
            _store_matrix(point, source, output, make_matrix)


def _store_matrix(
    point: Point, source: dataset.Reader, output: Path, make: Callable[..., Any]
) -> None:
    number = source.size("defect")
    i, j = np.triu_indices(number, 1)
    with dataset.create(
        output,
        "couplings",
        point,
        names=("B", "i", "j", "U"),
        sizes={"defect": number, "pair": len(i)},
        realisations=source.realisations,
        dtypes={"U": {"float64": "f8", "float32": "f4"}[point.store]},
    ) as writer:
        writer.put_whole("i", i)
        writer.put_whole("j", j)
        for row in range(len(source.realisations)):
            static = _static(point, source, row)
            with np.errstate(over="ignore", invalid="ignore"):  # the result is looked at
                made = make(*source.row(row, "position", "gamma", "eta"), static=static)
            B = made.B + _stray_field(source, row, "E")
            _check_size(source, row, "B", B)
            _check_size(source, row, "U", made.U, pairs=(i, j))
            writer.put(row, {"U": made.U, "B": B})


def _store_implicit(
    point: Point, source: dataset.Reader, output: Path, make: Callable[..., Any]
) -> None:
    with dataset.create(
        output,
        "couplings",
        point,
        names=("B", "position", "box", "gamma"),
        sizes={"defect": source.size("defect"), **_AXES},
        realisations=source.realisations,
        attributes={"U": "not stored; eq. (16) of position and gamma in the periodic box"},
    ) as writer:
        writer.put_whole("box", source.whole("box"))
        for row in range(len(source.realisations)):
            position, gamma, eta = source.row(row, "position", "gamma", "eta")
            _check_size(source, row, "gamma", gamma, largest=_LARGEST**0.5)  # U is a product of two
            static = _static(point, source, row)
            with np.errstate(over="ignore", invalid="ignore"):
                B = make(position, gamma, eta, static=static)
            B += _stray_field(source, row, "E")
            _check_size(source, row, "B", B)
            writer.put(row, {"B": B, "position": position, "gamma": gamma})


def _stray_field(source: dataset.Reader, row: int, name: str) -> Array:
    """E or ε of the defects of a realisation (N,), eV: 0 where the file has none."""
    found = source.optional(row, name)
    return np.zeros(source.size("defect")) if found is None else found


def _static(point: Point, source: dataset.Reader, row: int) -> Array | None:
    """Force dipoles of a realisation that S does not change, beside η; None: there are none."""
    found = source.optional(row, "static")
    if found is not None and point.data["formula"] == "as_printed":
        raise DataError(
            f"{source.path}: holds static dipoles, whose couplings the paper does not print;"
            " none are allowed with formula as_printed"
        )
    return found


def _check_size(
    source: dataset.Reader,
    row: int,
    name: str,
    value: Array,
    *,
    pairs: tuple[NDArray[np.integer], NDArray[np.integer]] | None = None,
    largest: float = _LARGEST,
) -> None:
    """Refuse values (defects or pairs, …) that are not finite or too large."""
    wrong = ~(np.abs(value) <= largest)
    if not wrong.any():
        return
    first = tuple(np.argwhere(wrong)[0])
    who = f"defect {first[0]}"
    if pairs is not None:
        who = f"defects {pairs[0][first[0]]} and {pairs[1][first[0]]}"
    raise DataError(
        f"{source.path}: realisation {source.realisations[row]}, {who}: {name} is"
        f" {value[first]:.6g} eV; at most {largest:g} in modulus is allowed"
    )


def freeze(point: Point, couplings: Path, output: Path, *, checkpoint: float = 180.0) -> None:
    """Write the frozen S of every realisation and how they froze.

    Every ``checkpoint`` seconds all that has been done is kept beside the output, for another call
    to go on from.
    """
    from glasspipe.stages.freezing import write

    write(point, couplings, output, checkpoint=checkpoint)


_NEAR_J = {"J": "of the near neighbours alone, without images: J_abs lacks a few percent"}
_FIELDS = ("b_gamma", "b_eta", "J_abs", "J_max", "J_tau")


def fields(point: Point, realisations: Path, frozen: Path, output: Path) -> None:
    """Write b^γ, b^η and the summaries of J_ij of every realisation.

    Raises
    ------
    DataError
        If one of them is too large to be worked with.
    """
    from glasspipe.system.fields import Fields, fields
    from glasspipe.system.implicit_fields import implicit_fields

    implicit = point.store == "implicit"
    make: Callable[..., Fields] = partial(fields, medium=point.interaction)
    if implicit:
        make = partial(implicit_fields, medium=point.medium)
    with (
        dataset.stage_file(realisations, "sample", point) as source,
        dataset.stage_file(frozen, "freeze", point) as spins,
    ):
        dataset.check_same_realisations(source, spins)
        number = source.size("defect")
        with dataset.create(
            output,
            "fields",
            point,
            names=(*_FIELDS, "b", "zeta"),
            sizes={"defect": number, **_AXES},
            realisations=source.realisations,
            attributes=_NEAR_J if implicit else {},
        ) as writer:
            box = source.whole("box")
            for row, realisation in enumerate(source.realisations):
                position, gamma, eta = source.row(row, "position", "gamma", "eta")
                (S,) = spins.row(row, "S")
                zeta = _frozen_zeta(source, row, S)
                rng = np.random.default_rng(seed_sequence(point, "fields", realisation))
                tau = rng.choice((-1, 1), size=number)
                about = {"box": box, "boundary": point.data["boundary"]}
                static = _static(point, source, row)
                with np.errstate(over="ignore", invalid="ignore"):
                    made = make(position, gamma, eta, zeta, S, tau, **about, static=static)
                values = {name: getattr(made, name) for name in _FIELDS}
                values["b"] = made.b + _stray_field(source, row, "epsilon")
                for name, value in values.items():
                    _check_size(source, row, name, value)
                writer.put(row, {**values, "zeta": zeta})


def _frozen_zeta(source: dataset.Reader, row: int, S: Array) -> Array:
    """ζ of the state in which the defects of a realisation are frozen."""
    from glasspipe.system.fields import frozen_zeta

    (zeta,) = source.row(row, "zeta")
    return frozen_zeta(zeta, source.optional(row, "zeta_minus"), S)


_TERMS = ("position", "box", "D", "Delta", "S", "B", "b")


def hamiltonian(
    point: Point, realisations: Path, couplings: Path, frozen: Path, output: Path
) -> None:
    """Write U, B and J, b of every realisation, all pairs or the strong ones.

    Raises
    ------
    ConfigError
        If the point does not say which.
    """
    from glasspipe.system.hamiltonian import Ising, of_tau

    if point.data["hamiltonian"]["store"] == "none":
        raise ConfigError("hamiltonian.store: found none in the point; allowed: dense, pairs")
    with (
        dataset.stage_file(realisations, "sample", point) as source,
        dataset.stage_file(couplings, "couplings", point) as pairs,
        dataset.stage_file(frozen, "freeze", point) as spins,
    ):
        dataset.check_same_realisations(source, pairs, spins)
        number = source.size("defect")
        upper, box = np.triu_indices(number, 1), source.whole("box")
        with _hamiltonian_file(output, point, source) as writer:
            writer.put_whole("box", box)
            if point.data["hamiltonian"]["store"] == "dense":
                writer.put_whole("i", upper[0])
                writer.put_whole("j", upper[1])
            for row in range(len(source.realisations)):
                position, gamma, eta = source.row(row, "position", "gamma", "eta")
                U, B = pairs.row(row, "U", "B")
                S, h = spins.row(row, "S", "h")
                made = of_tau(
                    position,
                    gamma,
                    eta,
                    _frozen_zeta(source, row, S),
                    S,
                    box=box,
                    medium=point.interaction,
                    boundary=point.data["boundary"],
                    static=_static(point, source, row),
                )
                tau = replace(made, field=made.field + _stray_field(source, row, "epsilon"))
                writer.put(row, {"position": position, "S": S, "B": B, "b": tau.field})
                writer.put(row, {name: source.row(row, name)[0] for name in ("D", "Delta")})
                for letter, ising, field in (("U", Ising(B, *upper, U), h), ("J", tau, tau.field)):
                    _put_pairs(writer, row, letter, ising, field, point)


def _hamiltonian_file(
    output: Path, point: Point, source: dataset.Reader
) -> AbstractContextManager[dataset.Writer]:
    dense = point.data["hamiltonian"]["store"] == "dense"
    number = source.size("defect")
    pairs = {"pair": number * (number - 1) // 2} if dense else {"U_pair": None, "J_pair": None}
    return dataset.create(
        output,
        "hamiltonian",
        point,
        names=(*_TERMS, *(ALL_PAIRS if dense else STRONG_PAIRS)),
        sizes={"defect": number, "axis": 3, **pairs},
        realisations=source.realisations,
    )


def _put_pairs(
    writer: dataset.Writer, row: int, letter: str, ising: "Ising", field: Array, point: Point
) -> None:
    """Write the pairs of one Hamiltonian, ``field`` being what a threshold is relative to."""
    wanted = point.data["hamiltonian"]
    if wanted["store"] == "dense":
        writer.put(row, {letter: ising.coupling})
        return
    kept = ising.strong(wanted["threshold"] * float(np.median(np.abs(field))))
    pairs = {"strong": kept.ising.coupling, "i": kept.ising.i, "j": kept.ising.j}
    about = {"number": len(kept.ising.i), "threshold": kept.threshold, "dropped": kept.dropped}
    writer.append(f"{letter}_pair", {f"{letter}_{name}": value for name, value in pairs.items()})
    writer.put(row, {f"{letter}_{name}": value for name, value in about.items()})
