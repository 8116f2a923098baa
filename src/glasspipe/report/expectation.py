"""What theory expects of the fields of a point of a study, and what kind of theory that is.

Drawn defects have exact moments and an exact law; a user's own have only the dilute limit with
their density. Frozen S are correlated with B and U, and so are the fields that depend on S: of
those no more is known than the law of independent signs.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from glasspipe.defects.component import Component
from glasspipe.defects.distribution import Distribution, Strength, nodes
from glasspipe.defects.tensors import Tensors
from glasspipe.report.kinds import EXACT, IN_GAP, LIMIT, LIMIT_OF_SIGNS, NUMBERS, SIGNS
from glasspipe.settings.model import Model
from glasspipe.statistics import STATISTICS
from glasspipe.system.terms import FIELDS, MULTIPOLES
from glasspipe.theory.field_law import FieldLaw, dilute_law, field_law
from glasspipe.theory.pair_distances import Magnitude, drawn_magnitude, magnitude
from glasspipe.theory.population import Kinds, Population, of_defects
from glasspipe.theory.scaled_kinds import ScaledKinds
from glasspipe.theory.stable import StableLaw

Array = NDArray[np.float64]

_FIELD_OF = {f.names[0]: name for name, f in FIELDS.items() if len(f.names) == 1}
"""The field that each coupling makes."""

_STRAY = {"B": "E", "h": "E", "b": "epsilon"}
"""The stray field that each field includes."""
_UNKNOWN = dict.fromkeys(STATISTICS, float("nan"))
_BELOW = 1e-9
"""By how much in units of the scale a law is asked below the edge of a bin."""
_MOVED, _UNMOVED = ("mean", "q05", "q95"), ("std", "quartile_half_width", "kurtosis")
"""Statistics to which a number that is added to a field adds itself, and those it leaves."""

_MOST = {"receivers": 100, "sources": 600}
"""Kinds of defect in a user's file of which all are taken; of more, so many are drawn."""


@dataclass(frozen=True)
class Expectation:
    """What theory expects of one field.

    Parameters
    ----------
    limit : StableLaw
        The law as the concentration goes to 0, at this density.
    statistics : dict of str to float
        Each of :data:`glasspipe.statistics.STATISTICS`, eV (kurtosis: 1); nan where unknown.
    kind : str
        What kind of theory the statistics are, see :mod:`glasspipe.report.kinds`.
    has_limit : bool
        Whether that is the law of the field as it is; a distributed stray field leaves of it no
        more than a scale, nor do very many kinds of distributed strengths.
    law : FieldLaw, optional
        The law on the lattice, of the same kind of theory, …
    shift : float
        … and the stray field that is added to it, eV, if that is a number.
    """

    limit: StableLaw
    statistics: dict[str, float]
    kind: str
    has_limit: bool = True
    law: FieldLaw | None = None
    shift: float = 0.0

    def kind_of(self, name: str) -> str:
        """Return what kind of theory a statistic is."""
        flat = self.law is not None and self.law.in_gap(name)
        return f"{self.kind}, {IN_GAP}" if flat else self.kind

    @property
    def coupled(self) -> bool:
        """Whether the limit is the law of the field at every kind of receiver."""
        return self.has_limit and bool(np.all(self.limit.scale > 0))

    @property
    def scale(self) -> float:
        """Scale of the limit, eV, that histograms are in units of; 1 eV for a field that is 0."""
        return float(self.limit.weight @ self.limit.scale) or 1.0

    @property
    def limit_typical(self) -> float:
        """Quartile half-width of the limit, eV; NaN where the limit is not the field's law."""
        return self.limit.statistic("quartile_half_width") if self.has_limit else float("nan")

    def limit_density(self, edges: Array) -> Array:
        """Density of value/scale in the limit, averaged between edges (bins + 1,)."""
        if not self.coupled:
            return np.full(len(edges) - 1, np.nan)
        return np.diff(self.limit.cdf(edges * self.scale)) / np.diff(edges)

    def lattice_density(self, edges: Array) -> Array:
        """Density of value/scale on the lattice, averaged between edges (bins + 1,); NaN beyond.

        A number that is an edge belongs to the bin above it, as in a histogram.
        """
        X, F = (edges - _BELOW) * self.scale - self.shift, np.full(len(edges), np.nan)
        if self.law is not None and self.law.reach > 0:
            inside = np.abs(X - self.law.mean) < self.law.reach
            F[inside] = self.law.cdf(X[inside])
        return np.diff(F) / np.diff(edges)


def expectations(
    model: Model,
    tensors: Tensors | None,
    *,
    box: Array,
    defects: int,
    stray: Collection[str] = (),
) -> dict[str, Expectation]:
    """What theory expects of the fields B, h, U_S, b_gamma, b_eta, b and J_tau of a point.

    S_j and τ_j are taken as independent random signs. Frozen S are not independent: where a field
    depends on them this is a comparison and not a prediction, of the kind ``SIGNS``. That is so of
    U_S, b_gamma and b, and of b_eta and J_tau if ζ is that of the frozen axis. Of h, which freezing
    makes, only the limit is given, that of random S.

    A stray field that is one number shifts B or b; a distributed one is independent of it and adds
    its mean and variance, and nothing else is said. Nor is anything where components differ in it
    or where the defects come from a file.

    Parameters
    ----------
    model : Model
        What the config describes.
    tensors : Tensors or None
        Defects of a user's file that stand for all; None where the config describes them.
    box : array (3,)
        Edges of the box, Å.
    defects : int
        Number of defects in it.
    stray : collection of str
        The fields that the defects have besides, E and epsilon if they are among them.
    """
    if tensors is None:
        exact, signs = _kinds_of_theory(model)
        found = {
            field: _on_lattice(model, field, signs if chosen else exact)
            for field, chosen in _chosen_by_S("zeta_minus" in model.extras).items()
        }
    else:
        found = {
            field: _dilute(model, field, tensors, box, defects, LIMIT_OF_SIGNS if signs else LIMIT)
            for field, signs in _chosen_by_S(tensors.zeta_minus is not None).items()
        }
    for field, name in _STRAY.items():
        if name in stray:
            found[field] = _with_stray(found[field], _common_strength(model, name))
    return found


def _kinds_of_theory(model: Model) -> tuple[str, str]:
    """What the theory of drawn defects is, of fields that do not depend on S and of others."""
    several = len({component.sublattice for component in model.components}) > 1
    if model.stoichiometry == "exact" and several:
        return NUMBERS, f"{NUMBERS}, {SIGNS}"
    return EXACT, SIGNS


def _chosen_by_S(turned: bool) -> dict[str, bool]:
    """Whether each field depends on S, where ζ does if ``turned``."""
    chosen = {name for name, multipole in MULTIPOLES.items() if multipole.turns_with == "S"}
    return {
        name: bool(field.sources & chosen) or (turned and "zeta" in field.sources | field.receivers)
        for name, field in FIELDS.items()
    }


def _common_strength(model: Model, name: str) -> Strength | None:
    """Strength that all defects of a point share; None where they differ or are not drawn."""
    strengths = {getattr(component, name) for component in model.components}
    shared = len(strengths) == 1 and model.source_file is None
    return strengths.pop() if shared else None


def _with_stray(found: Expectation, strength: Strength | None) -> Expectation:
    """What is expected once an independent stray field has been added."""
    old = found.statistics
    if strength is None:
        return replace(found, statistics=_UNKNOWN, has_limit=False, law=None)
    if isinstance(strength, Distribution):
        value, weight = nodes(strength, 4, 2)
        mean = float(weight @ value)
        spread = np.sqrt(weight @ (value - mean) ** 2)
        moments = {"mean": old["mean"] + mean, "std": float(np.hypot(old["std"], spread))}
        return Expectation(found.limit, _UNKNOWN | moments, found.kind, has_limit=False)
    shifted = {name: old[name] + strength for name in _MOVED} | {
        name: old[name] for name in _UNMOVED
    }
    limit = replace(found.limit, centre=found.limit.centre + strength)
    return replace(found, limit=limit, statistics=_UNKNOWN | shifted, shift=strength)


def limit_at(model: Model, field: str, component: Component, *, shift: float = 0.0) -> StableLaw:
    """The dilute limit of a field at the defects of one component of those that are drawn.

    Parameters
    ----------
    model : Model
        What the config describes.
    field : str
        As in :func:`expectations`.
    component : Component
        One of the model's.
    shift : float
        The stray field that is added, eV.
    """
    law = _field_law(model, field).dilute_at(component)
    return replace(law, centre=law.centre + shift)


def pair_magnitude(model: Model, coupling: str, tensors: Tensors | None) -> Magnitude:
    """Size of a coupling of a point in the infinite medium.

    Parameters
    ----------
    model : Model
        What the config describes.
    coupling : str
        One of :data:`glasspipe.system.terms.TERMS`.
    tensors : Tensors or None
        As in :func:`expectations`.
    """
    field = _FIELD_OF[coupling]
    if tensors is None:
        return drawn_magnitude(coupling, field, _population(model), model.interaction)
    receivers, sources = (ScaledKinds.of(*kinds) for kinds in _kinds_in_file(field, tensors))
    return magnitude(coupling, receivers, sources, model.interaction)


def _kinds_in_file(field: str, tensors: Tensors) -> tuple[Kinds, Kinds]:
    """Receivers and sources of a field of the defects of a user's file.

    They have no symmetry that could be known. Kinds that are equal count as one.
    """
    one, other = (
        of_defects(tensors, names, _MOST[role])
        for names, role in (
            (FIELDS[field].receivers, "receivers"),
            (FIELDS[field].sources, "sources"),
        )
    )
    return one, other


def _population(model: Model) -> Population:
    return Population(model.mixture, model.stoichiometry)


def _field_law(model: Model, field: str) -> FieldLaw:
    return field_law(
        field,
        population=_population(model),
        medium=model.interaction,
        lattice=model.lattice,
        defects=model.defects,
        boundary=model.boundary,
    )


def _on_lattice(model: Model, field: str, kind: str) -> Expectation:
    law, population = _field_law(model, field), _population(model)
    if field == "h":
        return Expectation(law.dilute, _UNKNOWN, kind)
    if population.widths_only:
        widths = {name: law.statistic(name) for name in ("mean", "std")}
        return Expectation(law.dilute, _UNKNOWN | widths, kind, has_limit=False)
    known = [*STATISTICS]
    if not population.keeps_fourth_moments(field):
        known.remove("kurtosis")
    statistics = _UNKNOWN | {name: law.statistic(name) for name in known}
    return Expectation(law.dilute, statistics, kind, law=law)


def _dilute(
    model: Model, field: str, tensors: Tensors, box: Array, defects: int, kind: str
) -> Expectation:
    law = dilute_law(
        field,
        *_kinds_in_file(field, tensors),
        model.interaction,
        defects / float(np.prod(box)),
        boundary=model.boundary,
        box=box,
    )
    statistics = {} if field == "h" else {name: law.statistic(name) for name in STATISTICS}
    return Expectation(law, _UNKNOWN | statistics, kind)
