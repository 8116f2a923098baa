"""How a point is shared by the mesh points around it.

Spreading and gathering cost the cube of how wide a share is, and what a mesh gets wrong is
aliasing: the transform of the share beyond the mesh's own modes over that within. Of all shares
that end, a bell of Kaiser's and Bessel's kind has next to the least beyond: 10 points wide it is as
good as a spline of order 12. Narrower ones leave enough to be seen where the defects' own lattice
has nearly as many sites along the box as the mesh has points.
"""

from dataclasses import dataclass
from functools import cache
from math import pi

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray
from scipy.special import hyp0f1

from glasspipe.elastic.window import AnyWindow, kaiser_bessel

Array = NDArray[np.float64]

_DEGREE = 11
"""Of the polynomials between mesh points."""
_NARROW, _WIDE, _FINE = 10, 12, 1e-7
"""Mesh points that share a point, and the error of a field, rms over rms, below which more do."""
_BETA = 2.35
"""β over the width: a larger one has less beyond the mesh's modes, and more that is cut off."""


@dataclass(frozen=True)
class Spline:
    """A cardinal B-spline.

    Parameters
    ----------
    width : int
        Mesh points that share a point, the order of the spline.
    """

    width: int

    def transform(self, x: Array) -> Array:
        """∫ M(u) cos(xu) du, u in mesh spacings."""
        return np.sinc(x / (2 * pi)) ** self.width


@dataclass(frozen=True)
class Share:
    """M ∝ F_1 of the module ``window``, t ₀F₁(2; β²t/4) with t = 1 − (2u/width)².

    Parameters
    ----------
    width : int
        Mesh points that share a point.
    """

    width: int

    @property
    def beta(self) -> float:
        """β."""
        return _BETA * self.width

    def __call__(self, u: Array) -> Array:
        """M at u mesh spacings."""
        return self._bell(u) / self._norm

    def _bell(self, u: Array) -> Array:
        return kaiser_bessel(np.clip(1 - (2 * u / self.width) ** 2, 0, None), 1, self.beta)

    @property
    def _norm(self) -> float:
        """∫ of the bell, the transform at 0."""
        node, weight = np.polynomial.legendre.leggauss(100)
        return float(self._bell(node * self.width / 2) @ weight * self.width / 2)

    def transform(self, x: Array) -> Array:
        """∫ M(u) cos(xu) du, u in mesh spacings."""
        inside = (self.beta**2 - (x * self.width / 2) ** 2) / 4
        return np.asarray(hyp0f1(2.5, inside) / hyp0f1(2.5, self.beta**2 / 4))

    @property
    def table(self) -> Array:
        """M and its derivatives as polynomials (3, degree + 1, width), see :func:`_table`."""
        return _table(self)


@dataclass(frozen=True)
class Resolution:
    """How a far part is put on a mesh.

    Parameters
    ----------
    window : Bell or Window
        What cuts the near part out.
    points : float
        Mesh points in a length of the cutoff.
    sharing : Share or Spline
        How a point is shared by mesh points.
    """

    window: AnyWindow
    points: float
    sharing: Share | Spline


def share_of(error: float) -> Share:
    """Return a share for fields with that error, rms over rms."""
    return Share(_NARROW if error >= _FINE else _WIDE)


@cache
def _table(share: Share) -> Array:
    """What each mesh point has of a point that is s + ½ beyond the last one on its left."""
    s = np.cos(np.pi * (np.arange(_DEGREE + 1) + 0.5) / (_DEGREE + 1)) / 2
    u = s[:, None] + 0.5 + share.width // 2 - 1 - np.arange(share.width)
    series = chebyshev.chebfit(2 * s, share(u), _DEGREE)
    found = np.zeros((3, *series.shape))
    for k, column in enumerate(series.T):
        found[0, :, k] = chebyshev.cheb2poly(column) * 2.0 ** np.arange(_DEGREE + 1)
    for d in (1, 2):
        found[d, :-1] = found[d - 1, 1:] * np.arange(1, _DEGREE + 1)[:, None]
    return found
