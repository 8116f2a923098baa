"""Panels of an interval, with the nodes of Gauss and Legendre in each.

They integrate a function, and say what it is between them.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial.legendre import legvander
from numpy.typing import NDArray
from scipy.special import roots_legendre

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

NODES = 16
"""Nodes of a panel."""


@dataclass(frozen=True)
class Panels:
    """Nodes of Gauss and Legendre in intervals of t.

    Parameters
    ----------
    start, width : array (panels,)
        1/eV.
    nodes : int
        Nodes in a panel.
    """

    start: Array
    width: Array
    nodes: int

    @property
    def offset(self) -> Array:
        """Nodes (nodes,) of an interval of width 1."""
        return (1 + _legendre(self.nodes)[0]) / 2

    @property
    def t(self) -> Array:
        """(panels, nodes), 1/eV."""
        return self.start[:, None] + self.width[:, None] * self.offset

    @property
    def step(self) -> Array:
        """Weights (panels, nodes) of the integral over t, 1/eV."""
        return self.width[:, None] * _legendre(self.nodes)[1] / 2

    @classmethod
    def doubling(cls, first: float, panel: float, last: float, nodes: int) -> "Panels":
        """From 0 to ``last``, the widths doubled from about ``first`` up to ``panel``."""
        widths = panel / 2.0 ** np.arange(max(0, np.ceil(np.log2(panel / first))), 0, -1)
        steady = np.full(int(np.ceil(max(last / panel, 1))), panel)
        width = np.concatenate([widths[:1], widths, steady])
        return cls(np.cumsum(width) - width, width, nodes)


@cache
def _legendre(nodes: int) -> tuple[Array, Array]:
    return roots_legendre(nodes)


@dataclass(frozen=True)
class Table:
    """A function φ(t) = φ*(−t) as polynomials in panels, 0 beyond.

    Parameters
    ----------
    panels : Panels
        From 0 on, 1/eV.
    coefficient : array (panels, nodes)
        Of Legendre's polynomials in each.
    """

    panels: Panels
    coefficient: Complex

    @classmethod
    def of(cls, values: Complex, panels: Panels) -> "Table":
        """Of values (panels, nodes)."""
        node, weight = _legendre(panels.nodes)
        degree = np.arange(panels.nodes)
        return cls(panels, values * weight @ (legvander(node, degree[-1]) * (degree + 0.5)))

    def stretched(self, factor: float, panels: Panels) -> Complex:
        """φ(factor · t) at the nodes of panels (panels, nodes)."""
        size = abs(factor) * panels.t
        panel = np.searchsorted(self.panels.start, size, side="right") - 1
        x = 2 * (size - self.panels.start[panel]) / self.panels.width[panel] - 1
        there = x <= 1
        wave = legvander(np.where(there, x, 0.0), self.panels.nodes - 1)
        found = np.where(there, np.sum(wave * self.coefficient[panel], axis=-1), 0.0)
        return np.conj(found) if factor < 0 else found
