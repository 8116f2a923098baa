"""All realisations of a point, read from the files of its stages chunk by chunk.

A point may have more of them than memory holds. So one variable is read when it is asked for, and
kept only where all of the stage are small.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glasspipe.defects.tensors import Tensors, norms, stacked
from glasspipe.files.dataset import Reader
from glasspipe.settings.model import Model
from glasspipe.settings.seeds import seed_sequence
from glasspipe.stages.fields import FIELDS, excess_of
from glasspipe.stages.freeze import FREEZE
from glasspipe.stages.sample import SAMPLE
from glasspipe.stages.stage import Stage
from glasspipe.stages.study_files import PointFiles
from glasspipe.stages.work import Work
from glasspipe.theory.estimates import energy_scale, field_scale, mean_strength
from glasspipe.theory.levels import splitting

if TYPE_CHECKING:
    from glasspipe.report.expectation import Expectation
    from glasspipe.theory.stable import StableLaw

Array = NDArray[np.float64]

_MADE = ("b_gamma", "b_eta", "b", "J_abs", "J_tau")
_COLUMNS = ("S", "B", "h", *_MADE)
"""Of the rows of single defects."""
_ALL = slice(None)
_TENSORS, _EXTRAS = ("gamma", "eta", "zeta"), ("E", "epsilon", "static")
"""What every defect has, and what makes or feels other fields."""
_MANY = 4000
"""Defects that tell what kinds there are."""
_KEPT_BYTES = 64e6
"""Variables of a stage that are read once and kept; of more, one is held at a time."""


@dataclass(frozen=True, eq=False)
class Lazy(Mapping[str, NDArray[Any]]):
    """Variables by name, each read when it is asked for."""

    names: tuple[str, ...]
    read: Callable[[str], NDArray[Any]]

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Read a variable."""
        if name not in self.names:
            raise KeyError(name)
        return self.read(name)

    def __contains__(self, name: object) -> bool:
        """Say whether there is such a variable, without reading it."""
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self.names)

    def __len__(self) -> int:
        """Return their number."""
        return len(self.names)


@dataclass(frozen=True)
class PointData:
    """All realisations of a point.

    Parameters
    ----------
    files : PointFiles
        The point and its files.
    bootstrap : int
        Resamplings of the realisations behind each error.
    pairs : int
        Pairs wanted in each shell of distances.
    """

    files: PointFiles
    bootstrap: int
    pairs: int

    @property
    def model(self) -> Model:
        """The physics of the point."""
        return self.files.point.model

    def rng(self, purpose: str, number: int = 0) -> np.random.Generator:
        """Return the random numbers of a purpose, the same whatever else is measured."""
        return np.random.default_rng(seed_sequence(self.model, purpose, number))

    @property
    def frozen(self) -> Mapping[str, NDArray[Any]]:
        """The variables of the freeze stage (R, …), those included that some points alone have."""
        names = tuple(FREEZE.written(self.model))
        return Lazy(names, lambda name: self._read(FREEZE, name))

    @cached_property
    def realisations(self) -> NDArray[np.int64]:
        """Their numbers (R,); a file that holds others is refused when it is opened."""
        return np.concatenate([np.asarray(numbers) for numbers in self.files.chunks])

    @property
    def values(self) -> Mapping[str, Array]:
        """What each defect has (R, N): B, h, U_S = h − B, the fields on τ and sums of J, eV; S."""
        return Lazy((*_COLUMNS, "U_S"), self._value)

    def _value(self, name: str, rows: slice = _ALL) -> Array:
        if name == "U_S":
            return self._value("h", rows) - self._value("B", rows)
        return self._read(FIELDS if name in _MADE else FREEZE, name, rows)

    @property
    def excess(self) -> Mapping[str, Array]:
        """What near pairs have in excess in the mean square of each field (R,), eV², if drawn."""
        names = excess_of(self.model)
        return Lazy(tuple(names), lambda name: self._read(FIELDS, names[name]))

    @cached_property
    def spins(self) -> NDArray[np.bool_]:
        """Which defects (R, N) have an S: those with γ or a stray field E."""
        return self._that_have("gamma", "E", [c.has_S for c in self.model.components])

    @cached_property
    def number_of_spins(self) -> Array:
        """How many (R,) of the defects have an S; NaN where none has, but all if none ever has."""
        if not self.spins.any():
            return np.full(len(self.spins), float(self.defects))
        number = np.count_nonzero(self.spins, axis=1)
        return np.where(number > 0, number, np.nan)

    @cached_property
    def froze(self) -> NDArray[np.bool_]:
        """In which realisations (R,) there is something to freeze: T is above 0."""
        return np.asarray((self.frozen["T"] > 0).all(axis=1))

    def of_spins(self, values: Array) -> list[Array]:
        """Values (R, N) of the spins of each realisation; of all defects if none ever has an S."""
        if not self.spins.any():
            return list(values)
        return [row[mine] for row, mine in zip(values, self.spins, strict=True)]

    @cached_property
    def two_level_systems(self) -> NDArray[np.bool_]:
        """Which defects (R, N) have a τ: those with ζ or a stray field ε."""
        return self._that_have("zeta", "epsilon", [c.has_tau for c in self.model.components])

    def _that_have(self, tensor: str, stray: str, has: list[bool]) -> NDArray[np.bool_]:
        if self.model.source_file is not None:
            found = self._norms[tensor] > 0
            return found | (self._read(SAMPLE, stray) != 0) if stray in self._extras else found
        if all(has):
            return np.full((len(self.realisations), self.defects), True)
        return np.array(has)[self._read(SAMPLE, "component")]

    @property
    def tunnelling(self) -> tuple[Array, Array]:
        """D and Δ (R, N), eV."""
        return self._read(SAMPLE, "D"), self._read(SAMPLE, "Delta")

    @cached_property
    def _first(self) -> tuple[Array, float, int, tuple[str, ...]]:
        """Box, sites and number of defects, and the fields that they have besides."""
        with self.files.opened(SAMPLE, self.files.files[SAMPLE.name][0]) as source:
            box = np.asarray(source.whole("box"), dtype=float)
            nominal = float(np.prod(box)) * self.model.lattice.site_density
            sites = float(source.attributes.get("sites", nominal))
            (eta,) = source.row(0, "eta")
            return box, sites, len(eta), tuple(n for n in _EXTRAS if n in source)

    @property
    def _extras(self) -> tuple[str, ...]:
        return self._first[3]

    def _tensors(self) -> Iterator[Tensors]:
        """Those of each realisation."""
        for path in self.files.files[SAMPLE.name]:
            with self.files.opened(SAMPLE, path) as source:
                for row in range(len(source.realisations)):
                    gamma, eta, zeta = source.row(row, "gamma", "eta", "zeta")
                    others = {n: source.optional(row, n) for n in ("zeta_minus", "static")}
                    yield Tensors(gamma, eta, zeta, **others)

    @property
    def box(self) -> Array:
        """Edges of the box (3,), Å."""
        return self._first[0]

    @property
    def volume(self) -> float:
        """Volume of the box, Å³."""
        return float(np.prod(self.box))

    @cached_property
    def _norms(self) -> dict[str, Array]:
        """Norms (R, N) of the tensors of a user's file."""
        found = [[norms(getattr(one, name)) for name in _TENSORS] for one in self._tensors()]
        return dict(zip(_TENSORS, np.moveaxis(np.array(found), 1, 0), strict=True))

    @cached_property
    def tensors(self) -> Tensors | None:
        """Many defects of a user's file: those of its first realisations; None without one."""
        if self.model.source_file is None:
            return None
        number = -(-_MANY // self.defects)
        return stacked(list(islice(self._tensors(), number)))

    @cached_property
    def strengths(self) -> dict[str, float]:
        """Mean moduli of γ_0 and η, eV, and of ζ_0, eV Å; of a file's tensors their mean norms."""
        if self.model.source_file is None:
            return {name: mean_strength(self.model.mixture, name) for name in _TENSORS}
        return {name: float(np.mean(found)) for name, found in self._norms.items()}

    @property
    def has_other_fields(self) -> bool:
        """Whether defects make or feel fields beside those of γ, η and ζ.

        These are stray fields (2), (3), which a user's file may bring, and static dipoles.
        """
        return any(name == "static" or np.any(self._read(SAMPLE, name)) for name in self._extras)

    @property
    def defects(self) -> int:
        """Number N of defects in the box."""
        return self._first[2]

    @property
    def x(self) -> float:
        """Realised concentration."""
        return self.defects / self._first[1]

    @property
    def U_0(self) -> float:
        """The paper's scale of the couplings, eV; NaN where γ is a file's and not the config's."""
        return self._estimate(energy_scale)

    @property
    def B_scale(self) -> float:
        """The paper's B_0/x and B̄/√x, eV; NaN like U_0."""
        return self._estimate(field_scale)

    def _estimate(self, of: Callable[..., float]) -> float:
        model = self.model
        if model.source_file is not None:
            return float("nan")
        return of(model.mixture, model.medium, model.lattice)

    @cached_property
    def known(self) -> "dict[str, Expectation]":
        """What theory expects of every field."""
        from glasspipe.report.expectation import expectations

        return expectations(
            self.model,
            self.tensors,
            box=self.box,
            defects=self.defects,
            stray=self._extras,
        )

    def limits(self, field: str) -> "list[tuple[NDArray[np.bool_], StableLaw]]":
        """The dilute limit of a field at the defects of each component, and which (R, N) these are.

        A user's defects are all of one.
        """
        known, components = self.known[field], self.model.components
        if self.model.source_file is not None or len(components) == 1:
            return [(np.full((len(self.realisations), self.defects), True), known.limit)]
        from glasspipe.report.expectation import limit_at

        label = self._read(SAMPLE, "component")
        return [
            (label == k, limit_at(self.model, field, component, shift=known.shift))
            for k, component in enumerate(components)
        ]

    def resampled(self, number: int) -> NDArray[np.int64]:
        """Realisations of so many drawn again and again (resamples, R − 1); none of a single one.

        One less than there are, as in :func:`glasspipe.statistics.describe`.
        """
        if number == 1:
            return np.empty((0, 1), np.int64)
        return self.rng("freezing").integers(number, size=(self.bootstrap, number - 1))

    def resampled_means(self, values: Array) -> Array:
        """Means of the resampled realisations (resamples, …) of what each has (R, …)."""
        means = [values[rows].mean(axis=0) for rows in self.resampled(len(values))]
        return np.array(means).reshape(len(means), *values.shape[1:])

    def total(self, name: str) -> NDArray[Any]:
        """Return the sum of counts of the freeze stage over the realisations that froze."""
        parts, done = [], 0
        for values in self._parts(FREEZE, name, _ALL):
            parts.append(values[self.froze[done : done + len(values)]].sum(axis=0))
            done += len(values)
        return np.sum(parts, axis=0)

    def table(self, swept: dict[str, Any], rows: range) -> pd.DataFrame:
        """Return rows of the table that has one for each defect, with the swept values."""
        N = self.defects
        chosen = slice(rows.start // N, -(-rows.stop // N))
        inside = slice(rows.start - chosen.start * N, rows.stop - chosen.start * N)
        realisations = self.realisations[chosen]
        defects = np.arange(N, dtype=np.int32)
        return pd.DataFrame(
            {
                **{key: np.repeat(value, len(rows)) for key, value in swept.items()},
                "realisation": np.repeat(realisations, N).astype(np.int32)[inside],
                "defect": np.tile(defects, len(realisations))[inside],
                **{name: values.ravel()[inside] for name, values in self._columns(chosen)},
            }
        )

    def _columns(self, chosen: slice) -> Iterator[tuple[str, NDArray[Any]]]:
        """Yield what the table has of each defect of some realisations (R, N), by name."""
        position = self._read(SAMPLE, "position", chosen)
        yield from ((f"position_{axis}", position[..., k]) for k, axis in enumerate("xyz"))
        values = {name: self._value(name, chosen) for name in _COLUMNS}
        yield from values.items()
        D, Delta = (self._read(SAMPLE, name, chosen) for name in ("D", "Delta"))
        yield from {"D": D, "Delta": Delta, "splitting": splitting(values["b"], Delta)}.items()

    def _read(self, stage: Stage, name: str, rows: slice = _ALL) -> NDArray[Any]:
        """Return a variable of a stage, of all realisations together or of some."""
        if stage.name not in self._kept:
            self._kept[stage.name] = self._together(stage)
        if name in self._kept[stage.name]:
            return self._kept[stage.name][name][rows]
        return np.concatenate(list(self._parts(stage, name, rows)))

    @cached_property
    def _kept(self) -> dict[str, dict[str, NDArray[Any]]]:
        """Variables of the stages that were read and are small, of all realisations together."""
        return {}

    def _together(self, stage: Stage) -> dict[str, NDArray[Any]]:
        names = {
            SAMPLE.name: ("D", "Delta"),
            FREEZE.name: tuple(FREEZE.written(self.model)),
            FIELDS.name: (*_MADE, *excess_of(self.model).values()),
        }[stage.name]
        if Work.of(stage, self.files.point, self.defects).bytes_written > _KEPT_BYTES:
            return {}
        chunks = []
        for path in self.files.files[stage.name]:
            with self.files.opened(stage, path) as reader:
                chunks.append(_whole(reader, names))
        return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}

    def _parts(self, stage: Stage, name: str, rows: slice) -> Iterator[NDArray[Any]]:
        """Yield what each file of a stage has of some realisations."""
        wanted = range(len(self.realisations))[rows]
        first = 0
        for path, numbers in zip(self.files.files[stage.name], self.files.chunks, strict=True):
            inside = range(max(wanted.start, first), min(wanted.stop, first + len(numbers)))
            if inside:
                with self.files.opened(stage, path) as reader:
                    yield reader.part(name, slice(inside.start - first, inside.stop - first))
            first += len(numbers)


def _whole(reader: Reader, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    return {name: reader.whole(name) for name in names}
