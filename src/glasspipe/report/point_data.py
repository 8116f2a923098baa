"""All realisations of a point, read from the files of its stages chunk by chunk."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glasspipe.defects.tensors import Tensors
from glasspipe.files.dataset import Reader
from glasspipe.settings.model import Model
from glasspipe.settings.seeds import seed_sequence
from glasspipe.stages.fields import FIELDS
from glasspipe.stages.freeze import FREEZE
from glasspipe.stages.sample import SAMPLE
from glasspipe.stages.stage import Stage
from glasspipe.stages.study_files import PointFiles
from glasspipe.theory.estimates import energy_scale, field_scale

if TYPE_CHECKING:
    from glasspipe.report.expectation import Expectation

Array = NDArray[np.float64]

_MADE = ("b_gamma", "b_eta", "b", "J_abs", "J_tau")
_COLUMNS = ("S", "B", "h", *_MADE)
"""Of the rows of single defects."""


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

    @cached_property
    def frozen(self) -> dict[str, NDArray[Any]]:
        """The variables of the freeze stage (R, …), those included that some points alone have."""
        return self._read(FREEZE, FREEZE.written(self.model))

    @cached_property
    def realisations(self) -> NDArray[np.int64]:
        """Their numbers (R,); a file that holds others is refused when it is opened."""
        return np.concatenate([np.asarray(numbers) for numbers in self.files.chunks])

    @cached_property
    def values(self) -> dict[str, Array]:
        """What each defect has (R, N): B, h, U_S = h − B, the fields on τ and sums of J, eV; S."""
        found = {name: self.frozen[name] for name in ("S", "B", "h")}
        return found | self._read(FIELDS, _MADE) | {"U_S": found["h"] - found["B"]}

    @cached_property
    def tunnelling(self) -> tuple[Array, Array]:
        """D and Δ (R, N), eV."""
        found = self._read(SAMPLE, ("D", "Delta"))
        return found["D"], found["Delta"]

    @cached_property
    def _first(self) -> tuple[Array, float, Tensors, tuple[str, ...]]:
        """Box, sites, and the defects of the first realisation with the stray fields they have."""
        with self.files.opened(SAMPLE, self.files.files[SAMPLE.name][0]) as source:
            box = np.asarray(source.whole("box"), dtype=float)
            nominal = float(np.prod(box)) * self.model.lattice.site_density
            sites = float(source.attributes.get("sites", nominal))
            gamma, eta, zeta = source.row(0, "gamma", "eta", "zeta")
            others = {name: source.optional(0, name) for name in ("zeta_minus", "static")}
            tensors = Tensors(gamma, eta, zeta, **others)
            return box, sites, tensors, tuple(n for n in ("E", "epsilon") if n in source)

    @property
    def box(self) -> Array:
        """Edges of the box (3,), Å."""
        return self._first[0]

    @property
    def volume(self) -> float:
        """Volume of the box, Å³."""
        return float(np.prod(self.box))

    @property
    def tensors(self) -> Tensors:
        """The defects of the first realisation."""
        return self._first[2]

    @property
    def defects(self) -> int:
        """Number N of defects in the box."""
        return self.frozen["B"].shape[1]

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
            values=self.frozen["B"].size,
            stray=self._first[3],
        )

    @cached_property
    def resampled(self) -> NDArray[np.int64]:
        """Realisations drawn again and again (resamples, R − 1); none of a single one.

        One less than there are, as in :func:`glasspipe.statistics.describe`.
        """
        number = len(self.frozen["T"])
        if number == 1:
            return np.empty((0, 1), np.int64)
        return self.rng("freezing").integers(number, size=(self.bootstrap, number - 1))

    def table(self, swept: dict[str, Any]) -> pd.DataFrame:
        """Return a row for each defect, with the swept values of the point."""
        realisations = self.realisations
        rows = len(realisations) * self.defects
        return pd.DataFrame(
            {
                **{key: np.repeat(value, rows) for key, value in swept.items()},
                "realisation": np.repeat(realisations, self.defects).astype(np.int32),
                "defect": np.tile(np.arange(self.defects, dtype=np.int32), len(realisations)),
                **{name: self.values[name].ravel() for name in _COLUMNS},
            }
        )

    def _read(self, stage: Stage, names: Iterable[str]) -> dict[str, NDArray[Any]]:
        """Return variables of a stage, of all realisations together."""
        chunks = []
        for path in self.files.files[stage.name]:
            with self.files.opened(stage, path) as reader:
                chunks.append(_whole(reader, names))
        return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}


def _whole(reader: Reader, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    return {name: reader.whole(name) for name in names}
