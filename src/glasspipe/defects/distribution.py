"""Strengths that vary from defect to defect: the distributions of scipy.stats.

Strengths are drawn by inversion, so points that differ only in a parameter (a wider spread) see the
same defects. Theory averages over them with a Gauss rule, whose nodes are few and whose moments,
which are what widths are made of, are those of the distribution. To import scipy.stats takes half a
second, more than many jobs compute, so a log-uniform strength, which Δ is by default, needs none.
"""

import warnings
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from math import inf, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasspipe.elastic.quadrature import gauss_rule

Array = NDArray[np.float64]

_QUANTILES = 400
"""Points of the quadrature over probability from which the nodes of a part are made."""
_TAILS, _FEW, _DECAYS = (1e-4, 5e-3, 0.08), 2, 60.0
"""Where tails are cut, in probability from either end, values of a tail's part, and how far the
last one goes: to e⁻⁶⁰ of its probability."""
_LACKS, _RARE = 1e-6, 1e-9
"""Of the variance, from which on there is a farthest value, and its probability."""


@dataclass(frozen=True)
class _LogUniform:
    """As many values in each decade from a to b: what scipy.stats says, without it."""

    a: float
    b: float

    def support(self) -> tuple[float, float]:
        """Ends of the support."""
        return self.a, self.b

    def ppf(self, probability: Array) -> Array:
        """Inverse of the distribution function."""
        low, high = np.log(self.a), np.log(self.b)
        return np.exp(low + probability * (high - low))

    def isf(self, probability: Array) -> Array:
        """Inverse of the probability to be above a value."""
        low, high = np.log(self.a), np.log(self.b)
        return np.exp(high - probability * (high - low))

    def mean(self) -> float:
        """Mean, (b − a)/ln(b/a)."""
        return (self.b - self.a) / (log(self.b) - log(self.a))

    def var(self) -> float:
        """Variance, (b² − a²)/(2 ln(b/a)) − mean²."""
        return self.mean() * ((self.a + self.b) / 2 - self.mean())

    def moment(self, power: int) -> float:
        """Mean of a power, (bⁿ − aⁿ)/(n ln(b/a))."""
        return (self.b**power - self.a**power) / power / (log(self.b) - log(self.a))


@dataclass(frozen=True)
class Distribution:
    """A continuous distribution of scipy.stats.

    Parameters
    ----------
    name : str
        Its name there, such as ``norm``, ``lognorm``, ``uniform``, ``loguniform``.
    parameters : tuple of (str, float)
        Its shape parameters, ``loc`` and ``scale``.

    Raises
    ------
    ValueError
        If there is no such distribution, or the parameters are not its own.
    """

    name: str
    parameters: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        """Refuse what scipy.stats does not know."""
        if self._log_uniform is not None:
            return
        from scipy import stats

        family = getattr(stats, self.name, None)
        if not isinstance(family, stats.rv_continuous):
            raise ValueError(
                f"distribution is {self.name!r}; allowed are the continuous distributions of"
                " scipy.stats, such as norm, lognorm, uniform, loguniform"
            )
        shapes = family.shapes.replace(" ", "").split(",") if family.shapes else []
        given = dict(self.parameters)
        unknown = [name for name in given if name not in (*shapes, "loc", "scale")]
        missing = [name for name in shapes if name not in given]
        if unknown or missing:
            found = ", ".join(given) or "none"
            raise ValueError(
                f"parameters of {self.name} are {found}; allowed are"
                f" {', '.join([*shapes, 'loc', 'scale'])}"
                + (f", of which {', '.join(shapes)} must be given" if shapes else "")
            )
        if not np.isfinite(self._ask("ppf", 0.5)):
            values = ", ".join(f"{name} = {value}" for name, value in self.parameters)
            rule = f"shape parameters for which scipy.stats.{self.name} is defined, and scale > 0"
            rule = rule if given.get("scale", 1.0) > 0 else "scale > 0"
            raise ValueError(f"parameters of {self.name} are {values}; allowed: {rule}")

    @cached_property
    def _log_uniform(self) -> _LogUniform | None:
        """The distribution if it is log-uniform, as scipy.stats has it by default."""
        given = dict(self.parameters)
        if self.name != "loguniform" or given.keys() != {"a", "b"}:
            return None
        a, b = float(given["a"]), float(given["b"])
        return _LogUniform(a, b) if 0 < a < b < inf and log(a) < log(b) else None

    def _ask(self, method: str, *arguments: Any) -> Any:
        """Return what scipy.stats says, less its warnings: what is not finite is looked for."""
        if self._log_uniform is not None:
            return getattr(self._log_uniform, method)(*arguments)
        from scipy import stats

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            return getattr(getattr(stats, self.name)(**dict(self.parameters)), method)(*arguments)

    @property
    def smallest(self) -> float:
        """Lower end of the support."""
        return float(self._ask("support")[0])

    @property
    def variance(self) -> float:
        """Variance, which may be infinite or nan."""
        return float(self._ask("var"))

    @cached_property
    def fourth_moment(self) -> float:
        """⟨X⁴⟩, which may be infinite or nan."""
        return float(self._ask("moment", 4))

    def quantiles(self, probability: Array) -> Array:
        """Inverse of the distribution function at probabilities (…)."""
        return np.asarray(self._ask("ppf", probability), dtype=float)

    def nodes(self, number: int, parts: int) -> tuple[Array, Array]:
        """Values (values,) and probabilities of Gauss rules in parts of equal probability.

        Mean and variance are exact, and averages of functions that are no polynomials, such as a
        distribution function, nearly so. The first and the last part are cut further, as tails are
        longer than Gauss's values are far. What still lacks of the variance is beyond them all, and
        given to one value, so rare that it changes nothing else.

        Parameters
        ----------
        number : int
            Values of each part, fewer of a tail's.
        parts : int
            An even number.
        """
        centre, width = float(self._ask("mean")), np.sqrt(self.variance)
        u, weight = _probabilities()
        edges = [
            *(edge for edge in _TAILS if edge < 1 / parts),
            *np.arange(1, parts / 2 + 1) / parts,
        ]
        found = []
        for side in ("ppf", "isf"):
            for low, high in pairwise([0.0, *edges]):
                some = high * np.exp(-_DECAYS * u) if low == 0 else low + (high - low) * u
                values = (np.asarray(self._ask(side, some), dtype=float) - centre) / width
                share = np.where(np.isfinite(values), weight * (some if low == 0 else 1.0), 0.0)
                values = np.where(share > 0, values, 0.0)[:, None]
                rule = gauss_rule(values, share / share.sum(), _FEW if high in _TAILS else number)
                found.append((rule[0][:, 0], (high - low) * rule[1][:, 0]))
        node, share = map(np.concatenate, zip(*found, strict=True))
        node, share = node[share > 0], share[share > 0]
        node -= share @ node
        last, lacks = int(np.argmax(np.abs(node))), 1 - share @ node**2
        if lacks > _LACKS:
            share[last] -= _RARE
            node, share = np.append(node, node[last]), np.append(share, _RARE)
            last = -1
        p, far = share[last], node[last]
        root = np.sqrt(max((p * far) ** 2 + p * (1 - p) * lacks, 0.0))
        farther = (np.sign(far) * root - p * far) / (p * (1 - p))
        node[last] += farther
        return centre + width * (node - p * farther), share


@cache
def _probabilities() -> tuple[Array, Array]:
    """Nodes in (0, 1) and weights of the quadrature over probability."""
    from scipy.special import roots_legendre

    u, weight = roots_legendre(_QUANTILES)
    return (1 + u) / 2, weight / 2


Strength = float | Distribution
"""A strength that all defects share, or its distribution."""


def draw(strength: Strength, probability: Array) -> Array:
    """Strength of each defect, from uniform random numbers (N,)."""
    if isinstance(strength, Distribution):
        return strength.quantiles(probability)
    return np.full(len(probability), float(strength))


@cache
def nodes(strength: Strength, number: int, parts: int) -> tuple[Array, Array]:
    """Values that stand for a strength in averages, and their probabilities."""
    if isinstance(strength, Distribution):
        return strength.nodes(number, parts)
    return np.array([float(strength)]), np.ones(1)
