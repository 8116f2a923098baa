"""All realisations of a point, read from the files of its stages chunk by chunk."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glasspipe.defects.tensors import Tensors
from glasspipe.files import dataset
from glasspipe.report.expectation import Expectation, expectations
from glasspipe.settings.model import Model
from glasspipe.settings.seeds import seed_sequence
from glasspipe.stages.fields import FIELDS
from glasspipe.stages.freeze import FREEZE
from glasspipe.stages.sample import SAMPLE
from glasspipe.stages.stage import Stage
from glasspipe.stages.study_files import PointFiles
from glasspipe.theory.estimates import energy_scale, field_scale

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
        chunks = []
        for path in self.files.files[FREEZE.name]:
            with self.files.opened(FREEZE, path) as reader:
                chunks.append({name: reader.whole(name) for name in FREEZE.written(self.model)})
        return _joined(chunks)

    @cached_property
    def realisations(self) -> NDArray[np.int64]:
        """Their numbers (R,)."""
        numbers: list[int] = []
        pairs = zip(self.files.files[FREEZE.name], self.files.files[FIELDS.name], strict=True)
        for frozen, made in pairs:
            with self.files.opened(FREEZE, frozen) as one, self.files.opened(FIELDS, made) as two:
                dataset.check_same_realisations(one, two)
                numbers += one.realisations
        return np.array(numbers)

    @cached_property
    def values(self) -> dict[str, Array]:
        """What each defect has (R, N): B, h, U_S = h − B, the fields on τ and sums of J, eV; S."""
        found = {name: self.frozen[name] for name in ("S", "B", "h")}
        found |= _joined([self._whole(FIELDS, path, _MADE) for path in self.files.files["fields"]])
        return found | {"U_S": found["h"] - found["B"]}

    @cached_property
    def tunnelling(self) -> tuple[Array, Array]:
        """D and Δ (R, N), eV."""
        paths = self.files.files[SAMPLE.name]
        found = _joined([self._whole(SAMPLE, path, ("D", "Delta")) for path in paths])
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
    def known(self) -> dict[str, Expectation]:
        """What theory expects of every field."""
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

    def _whole(self, stage: Stage, path: Any, names: Iterable[str]) -> dict[str, NDArray[Any]]:
        with self.files.opened(stage, path) as reader:
            return {name: reader.whole(name) for name in names}


def _joined(chunks: list[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
