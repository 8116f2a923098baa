"""The smooth far field of many force dipoles, on a mesh.

Once a window has cut the near part out of the Green's function, the rest is smooth on the scale of
the cutoff, and a mesh of a fraction of that spacing carries it: forces are spread with B-splines,
transformed, multiplied by G(q), transformed back and gathered (smooth particle–mesh Ewald). What a
coarse mesh gets wrong is aliasing. The influence function that minimises the mean square error of
a strain over positions and dipoles, summed over the aliases k_m = k + 2π m/h of a mode, is

    Ĝ_ac(k) = Σ_m W²(k_m) k_m⁴ G_ac(k_m) / [Σ_m W²(k_m) k_m²]²,   W(k) = Π_a sinc^order(k_a h/2)

(R. W. Hockney's and J. W. Eastwood's argument), of whose numerator the term m = 0 is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations, product
from math import pi

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from glasspipe.elastic.greens import response, zero_mode
from glasspipe.elastic.medium import AnyMedium
from glasspipe.elastic.window import Bell
from glasspipe.kernels import mesh as kernel
from glasspipe.kernels.jets import COMPONENT, COMPONENTS

Array = NDArray[np.float64]
Displacement = list[NDArray[np.floating]]
"""The components u_a on the mesh, Å."""

_ALIASES = 4
"""Aliases on either side that count in the sums."""
_AT_ONCE = 300_000
"""Modes whose G is made at once."""


@dataclass(frozen=True)
class Split:
    """What is near and what is far in a periodic box.

    Parameters
    ----------
    medium : Medium or CubicMedium
        The elastic medium.
    box : tuple of 3 floats
        Edges, Å.
    cutoff : float
        Where the near part ends, Å; below half an edge.
    window : Bell
        How it ends.
    """

    medium: AnyMedium
    box: tuple[float, float, float]
    cutoff: float
    window: Bell

    @property
    def edges(self) -> Array:
        """The box as an array (3,), Å."""
        return np.array(self.box)

    @property
    def volume(self) -> float:
        """Volume of the box, Å³."""
        return float(np.prod(self.box))


def mesh_shape(box: Array, spacing: float) -> tuple[int, int, int]:
    """Return even numbers of points, good for transforms, at most ``spacing`` (Å) apart."""
    x, y, z = (2 * scipy.fft.next_fast_len(int(np.ceil(edge / spacing / 2))) for edge in box)
    return x, y, z


@dataclass(frozen=True)
class Mesh:
    """A mesh for the far part of a split.

    Parameters
    ----------
    split : Split
        What is near and what is far.
    boundary : str
        The q = 0 term, see :mod:`glasspipe.elastic.greens`.
    shape : tuple of 3 int
        Mesh points along the edges, even.
    order : int
        Order of the splines, 4 or more.
    dtype : str
        Of the transforms, "f4" or "f8".
    """

    split: Split
    boundary: str
    shape: tuple[int, int, int]
    order: int
    dtype: str

    @property
    def spacing(self) -> Array:
        """Mesh spacing along the axes (3,), Å."""
        return self.split.edges / self.shape

    def field(self, position: Array, receivers: Array, sources: Array) -> Array:
        """Far field on each defect of all others, γ_i^αβ ∂_β∂_δ G_αγ P_j^γδ summed over j ≠ i.

        Parameters
        ----------
        position : array (N, 3)
            Å.
        receivers, sources : array (N, 3, 3)
            γ of what feels the field and P of what makes it, eV.

        Returns
        -------
        array (N,)
            eV.
        """
        field = self.gather(position, receivers, self.displacement(position, sources))
        field += receivers.reshape(-1, 9) @ (self.uniform @ sources.sum(axis=0).reshape(9))
        return field - self.of_itself(receivers, sources)

    def displacement(self, position: Array, sources: Array) -> Displacement:
        """Displacement on the mesh that force dipoles make, uniform strain apart."""
        scaled, forces = position / self.spacing, []
        for axis in range(3):
            forces.append(np.zeros(self.shape, self.dtype))
            kernel.spread(scaled, sources[:, axis] / self.spacing, self.order, forces[axis])
        return self.response(forces)

    def response(self, forces: Displacement) -> Displacement:
        """Displacement on the mesh that a density of forces on it makes.

        The list ``forces`` is emptied, lest all be in memory at a time; the arrays are not changed.
        """
        transforms = []
        while forces:
            transforms.append(scipy.fft.rfftn(forces.pop(0)))
        x, y, z = transforms
        kernel.respond(x, y, z, self.influence)
        return [scipy.fft.irfftn(u, self.shape, overwrite_x=True) for u in transforms]

    def gather(self, position: Array, receivers: Array, displacement: Displacement) -> Array:
        """Return γ_i^ab ∂_b u_a at the defects (N,), eV."""
        scaled, total = position / self.spacing, np.zeros(len(position))
        for axis, u in enumerate(displacement):
            kernel.gather(scaled, receivers[:, axis] / self.spacing, self.order, u, total)
        return total

    def gradient_field(self, position: Array, receivers: Array, sources: Array) -> Array:
        """Far field of all force dipoles on the next multipole, ζ_i^γδε ∂_δ∂_ε u_γ.

        Parameters
        ----------
        position : array (N, 3)
            Å.
        receivers : array (N, 3, 3, 3)
            ζ, eV Å.
        sources : array (N, 3, 3)
            P, eV.

        Returns
        -------
        array (N,)
            eV; that of a defect on itself vanishes by symmetry.
        """
        scaled, total = position / self.spacing, np.zeros(len(position))
        area = np.outer(self.spacing, self.spacing)
        for axis, u in enumerate(self.displacement(position, sources)):
            kernel.gather_second(scaled, receivers[:, axis] / area, self.order, u, total)
        return total

    def of_itself(self, receivers: Array, sources: Array) -> Array:
        """Field of each defect and its images on itself (N,), eV, to be taken away."""
        towards = receivers.reshape(-1, 9) @ (self.uniform + self._itself)
        return np.einsum("ic,ic->i", towards, sources.reshape(-1, 9))

    @cached_property
    def uniform(self) -> Array:
        """Interaction K_0 (9, 9) of two force dipoles through the q = 0 term, 1/eV."""
        return zero_mode(self.split.medium, self.split.volume, self.boundary).reshape(9, 9)

    @cached_property
    def influence(self) -> NDArray[np.floating]:
        """Ĝ at the modes k ≥ 0, (m, m, m, 6), over the volume of a mesh point."""
        total = np.zeros((*(size // 2 + 1 for size in self.shape), len(COMPONENTS)), self.dtype)
        cube = len(set(self.shape)) == len(set(self.split.box)) == 1
        n = np.stack(np.nonzero(_wedge(total.shape[:3], cube)), axis=-1)[1:]
        for part in np.array_split(n, 1 + len(n) // _AT_ONCE):
            q = 2 * pi * part / self.split.edges
            G = response(self.split.medium).windowed(q, self.split.cutoff, self.split.window)
            for axes in permutations(range(3)) if cube else [(0, 1, 2)]:
                there = tuple(part[:, axes].T)
                for component, (a, c) in enumerate(COMPONENTS):
                    total[(*there, component)] = G[:, axes[a], axes[c]]
        total *= self._sharpening[..., None]
        for axis, component in product(range(3), (3, 4, 5)):
            if component != 3 + axis:  # odd in k_axis, but at the last mode k and −k are the same
                np.moveaxis(total[..., component], axis, 0)[-1] = 0.0
        return total

    @property
    def _sharpening(self) -> Array:
        """W² k⁴ / [Σ_m W² k_m²]² over the volume of a mesh point, at the modes k ≥ 0."""
        x, y, z = self._sums
        k2 = _outer(x[3], y[4], z[4]) + _outer(x[4], y[3], z[4]) + _outer(x[4], y[4], z[3])
        k2 /= _outer(x[4], y[4], z[4])
        W2 = _outer(x[4], y[4], z[4])
        all_ = _outer(x[2], y[0], z[0]) + _outer(x[0], y[2], z[0]) + _outer(x[0], y[0], z[2])
        all_[0, 0, 0] = 1.0
        return W2 * k2**2 / all_**2 * (np.prod(self.shape) / self.split.volume)

    @cached_property
    def _sums(self) -> list[list[Array]]:
        """Per axis, at the modes k ≥ 0: Σ_m W² k_m^p with p = 0, 1, 2, then W² k² and W²."""
        m = np.arange(-_ALIASES, _ALIASES + 1)[:, None]
        found = []
        for size, h in zip(self.shape, self.spacing, strict=True):
            k = 2 * pi / h * (np.arange(size // 2 + 1) / size + m)
            W2 = np.sinc(k * h / (2 * pi)) ** (2 * self.order)
            alone = [W2[_ALIASES] * k[_ALIASES] ** 2, W2[_ALIASES]]
            found.append([*(np.sum(W2 * k**p, axis=0) for p in range(3)), *alone])
        return found

    @cached_property
    def _itself(self) -> Array:
        """Mean over positions of the coupling (9, 9) of two dipoles in one place, 1/eV.

        K_(ab)(cd) = −Σ_k Ĝ_ac(k) Σ_m W² k_mb k_md / V.
        """
        total = np.zeros((3,) * 4)
        for a, b, c, d in product(range(3), repeat=4):
            axes = np.bincount([a, b, c, d], minlength=3)
            if not np.any(axes % 2):
                power = np.bincount([b, d], minlength=3)
                sums = [_both(s[p]) for s, p in zip(self._sums, power, strict=True)]
                G = self.influence[..., COMPONENT[a, c]]
                total[a, b, c, d] = -np.einsum("xyz,x,y,z->", G, *sums, optimize=True)
        return total.reshape(9, 9) / np.prod(self.shape)


def _wedge(shape: Sequence[int], cube: bool) -> NDArray[np.bool_]:
    """Which modes (m, m, m) stand for all: of a cube those in ascending order, else all."""
    x, y, z = np.ogrid[tuple(slice(size) for size in shape)]
    return (x <= y) & (y <= z) if cube else np.ones(shape, bool)


def _outer(x: Array, y: Array, z: Array) -> Array:
    return x[:, None, None] * y[:, None] * z


def _both(sums: Array) -> Array:
    """Count the modes k > 0 for −k too, but for the last, which is its own."""
    return np.concatenate([sums[:1], 2 * sums[1:-1], sums[-1:]])
