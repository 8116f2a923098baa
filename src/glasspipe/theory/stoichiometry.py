"""Moments of a field of defects whose numbers are exact: N of them, n_k of each component k.

Who sits on one site says something of all others, who are drawn without replacement from the
N − 1 defects that are left beside the receiver. With their numbers n'_k, M sites, and the sums
A_k = Σ_R m_1 and B_k = Σ_R m_1² over the sources of component k, and A', B' over all in the
proportions n'_k,

    ⟨X²⟩ = p Σ_R m_2 + [(N − 1)² (A'² − B') − Σ_k n'_k (A_k² − B_k)]/((M − 1)(M − 2)),

⟨X⟩ = pA', p = (N − 1)/(M − 1). One component leaves the variance of
:meth:`glasspipe.theory.lattice_sums.PowerSums.variance`.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from glasspipe.defects.component import Component, exact_numbers
from glasspipe.theory.lattice_sums import PowerSums
from glasspipe.theory.population import Population
from glasspipe.theory.scaled_kinds import ScaledKinds

Array = NDArray[np.float64]
Sums = Callable[[Population, Population], tuple[ScaledKinds, list[PowerSums]]]
"""Of receivers and sources: the receivers, and at each kind of them the sums over the sources."""


def exact_moments(
    components: tuple[Component, ...], defects: int, sites: int, sums: Sums
) -> tuple[float, float]:
    """Mean, eV, and variance, eV², of the fields of a box of defects in exact numbers.

    Parameters
    ----------
    components : tuple of Component
        The mixture; each number n_k is not 0.
    defects, sites : int
        N and M, at least 2.
    sums : callable
        Of receivers and sources.
    """
    numbers = np.array(exact_numbers(defects, components))
    found = []
    for index, component in enumerate(components):
        others = numbers - (np.arange(len(numbers)) == index)
        weight, means, variances = _at(component, components, others, sites, sums)
        found.append((weight * numbers[index] / defects, means, variances))
    weight, means, variances = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return mixed(weight, means, variances)


def mixed(weight: Array, means: Array, variances: Array) -> tuple[float, float]:
    """Mean and variance of a mixture of laws with ``weight`` (receivers,)."""
    mean = float(weight @ means)
    return mean, float(weight @ (variances + (means - mean) ** 2))


def _at(
    receiver: Component,
    components: tuple[Component, ...],
    others: NDArray[np.int64],
    sites: int,
    sums: Sums,
) -> tuple[Array, Array, Array]:
    """Weights, means and variances at the receivers of one component (receivers,)."""
    number, free = int(others.sum()), sites - 1
    kinds = [
        (Population((replace(component, share=1.0),)), int(n))
        for component, n in zip(components, others, strict=True)
        if n > 0
    ]
    mixture = Population(tuple(replace(kind.components[0], share=n / number) for kind, n in kinds))
    at = Population(components).alone(receiver)
    receivers, all_of_them = sums(at, mixture)
    pairs = np.array([number**2 * _apart(each) for each in all_of_them])
    for kind, n in kinds:
        pairs -= [n * _apart(each) for each in sums(at, kind)[1]]
    p = number / free
    means = np.array([p * each.first for each in all_of_them])
    single = np.array([p * each.second[0] for each in all_of_them])
    variances = single + pairs / (free * max(free - 1, 1)) - means**2
    variances = np.where(variances > 1e-12 * single, variances, 0.0)
    which, strength = receivers.which, receivers.strength
    return receivers.weight, strength * means[which], strength**2 * variances[which]


def _apart(sums: PowerSums) -> float:
    """Σ m_1(R) m_1(R') over pairs of different sites, eV²."""
    return float(sums.first**2 - sums.second[1])
