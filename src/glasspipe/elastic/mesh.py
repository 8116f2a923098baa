"""The smooth far field of many force dipoles, on a mesh.

Once a window has cut the near part out of the Green's function, the rest is smooth on the scale of
the cutoff, and a mesh of a fraction of that spacing carries it: forces are shared by mesh points,
transformed, multiplied by G(q), transformed back and gathered (smooth particle–mesh Ewald). What a
coarse mesh gets wrong is aliasing. A force dipole is one derivative, the next multipole two. The
influence function that minimises the mean square error over positions and multipoles, r derivatives
at the receiver and s at the source, summed over the aliases k_m = k + 2π m/h of a mode, is

    Ĝ_ac(k) = Σ_m W² k_m^(2r + 2s) G_ac(k_m) / [Σ_m W² k_m^(2r) Σ_m W² k_m^(2s)]

with W(k_m) the transform of a share, Π_a sinc^order(k_a h/2) of splines (R. W. Hockney's and J. W.
Eastwood's argument), of whose numerator the term m = 0 is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import permutations, product
from math import factorial, pi

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from glasspipe.elastic.greens import response, zero_mode
from glasspipe.elastic.medium import AnyMedium
from glasspipe.elastic.sharing import Share, Spline
from glasspipe.elastic.window import AnyWindow
from glasspipe.kernels import fine_mesh as fine_kernel
from glasspipe.kernels import mesh as kernel
from glasspipe.kernels.fine_mesh import BEYOND
from glasspipe.kernels.jets import COMPONENT, COMPONENTS
from glasspipe.threads import cut, each, number

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]
Displacement = list[NDArray[np.floating]]
"""The components u_a on the mesh, Å, with :data:`~glasspipe.kernels.fine_mesh.BEYOND`."""

_ALIASES = 4
"""Aliases on either side that count in the sums."""
_AT_ONCE = 300_000
"""Modes whose G is made at once, and defects whose fields on themselves are."""
_MESHES = 12
"""Meshes whose G is kept: more than the realisations of a point go through, each the same ones."""
_PLANES, _DEFECTS = 24, 200
"""Planes that forces are spread on at once, of which fewer would have more shares in common, and
defects for which fields are gathered at once."""


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
    window : Bell or Window
        How it ends.
    """

    medium: AnyMedium
    box: tuple[float, float, float]
    cutoff: float
    window: AnyWindow

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
    sharing : Share or Spline
        How a point is shared by mesh points. Splines, of order 4 or more, are for force dipoles.
    dtype : str
        Of the transforms, "f4" or "f8", the latter with a Share.
    ranks : tuple of 2 int
        Indices of the multipoles that feel the field and that make it: 2 for force dipoles, 3 for
        the next.
    """

    split: Split
    boundary: str
    shape: tuple[int, int, int]
    sharing: Share | Spline
    dtype: str
    ranks: tuple[int, int] = (2, 2)

    @property
    def spacing(self) -> Array:
        """Mesh spacing along the axes (3,), Å."""
        return self.split.edges / self.shape

    def field(
        self,
        position: Array,
        receivers: Array,
        sources: Array,
        *,
        factors: Array | None = None,
        order: Numbers | None = None,
    ) -> Array:
        """Far field on each defect of all others, Σ_{j≠i} of a term of the Hamiltonian.

        γ_i^αβ ∂_β u_α or ζ_i^αβδ ∂_β∂_δ u_α, with u_α = P_j^γδ ∂_δ G_αγ or −ζ_j^γδε ∂_δ∂_ε G_αγ.

        Parameters
        ----------
        position : array (N, 3)
            Å.
        receivers, sources : array (N, 3, 3) or (N, 3, 3, 3)
            Multipoles that feel the field and that make it, eV and eV Å.
        factors : array (N,), optional
            What the sources are multiplied by.
        order : int array (N,), optional
            In which the defects are visited: one along the cells of the box is the fastest.

        Returns
        -------
        array (N,)
            eV.
        """
        factors = np.ones(len(position)) if factors is None else factors
        u = self.displacement(position, sources, factors, order)
        field = self.gather(position, receivers, u, order)
        del u
        field += self._of_uniform(receivers, sources, factors)
        if self.ranks[0] == self.ranks[1]:
            field -= self.of_itself(receivers, sources) * factors
        return field

    def field_at(
        self, where: Array, receivers: Array, position: Array, sources: Array, factors: Array
    ) -> Array:
        """Far field on receivers at ``where`` (M, 3) of all sources, of one's own site included."""
        field = self.gather(where, receivers, self.displacement(position, sources, factors))
        return field + self._of_uniform(receivers, sources, factors)

    def _of_uniform(self, receivers: Array, sources: Array, factors: Array) -> Array | float:
        """Field of the uniform strain, which only dipoles make and feel."""
        if self.ranks != (2, 2):
            return 0.0
        return receivers.reshape(-1, 9) @ (self.uniform @ (factors @ sources.reshape(-1, 9)))

    def displacement(
        self, position: Array, sources: Array, factors: Array, order: Numbers | None = None
    ) -> Displacement:
        """Displacement on the mesh that multipoles make, uniform strain apart."""
        scale, response = self._scale(sources), (self.green, self.sharpening)
        forces = self._empty()
        if isinstance(self.sharing, Share):
            order = np.arange(len(position)) if order is None else order
            about = position[order] / self.spacing, sources, factors[order], order
            same = *about, -scale, self.sharing.table, tuple(forces)
            each(fine_kernel.spread, self._planes, *same)
            del about, same
        else:
            scaled = position / self.spacing
            for axis, force in enumerate(forces):
                vector = sources[:, axis] * scale * factors[:, None]
                kernel.spread(scaled, vector, self.sharing.width, force[..., :-BEYOND])
        self._respond(forces, *response)
        return forces

    def response(self, forces: NDArray[np.floating]) -> Displacement:
        """Displacement (n, n, n) on the mesh that a density of forces (3, n, n, n) on it makes."""
        response = self.green, self.sharpening
        made = self._empty()
        for u, force in zip(made, forces, strict=True):
            u[..., :-BEYOND] = force
        self._respond(made, *response)
        return [u[..., :-BEYOND] for u in made]

    def _empty(self) -> Displacement:
        """Three meshes of zeros, with room for their transforms."""
        x, y, z = self.shape
        return [np.zeros((x, y, z + BEYOND), self.dtype) for _ in range(3)]

    def _respond(
        self,
        forces: Displacement,
        green: NDArray[np.floating],
        sharpening: NDArray[np.floating],
    ) -> None:
        """Replace a density of forces by the displacement: one set of meshes is all that it takes.

        The transform back is not divided by the number of points, see :attr:`sharpening`.
        """
        options = {"overwrite_x": True, "workers": number()}
        transforms = [force.view(np.result_type(force, 1j)) for force in forces]
        for force, transform in zip(forces, transforms, strict=True):
            for first, last in self._planes:
                row = force[first:last, :, :-BEYOND]
                transform[first:last] = scipy.fft.rfft(row, workers=number())
            scipy.fft.fftn(transform, axes=(0, 1), **options)
        each(kernel.respond, self._planes, *transforms, green, sharpening)
        for force, transform in zip(forces, transforms, strict=True):
            scipy.fft.ifftn(transform, axes=(0, 1), norm="forward", **options)
            for first, last in self._planes:
                row = scipy.fft.irfft(transform[first:last], norm="forward", workers=number())
                force[first:last, :, :-BEYOND] = row

    def gather(
        self,
        position: Array,
        receivers: Array,
        displacement: Displacement,
        order: Numbers | None = None,
    ) -> Array:
        """Return γ_i^ab ∂_b u_a or ζ_i^abc ∂_b∂_c u_a at the defects (N,), eV."""
        scale, total = self._scale(receivers), np.zeros(len(position))
        if isinstance(self.sharing, Share):
            order = np.arange(len(position)) if order is None else order
            about = position[order] / self.spacing, receivers, order, scale, self.sharing.table
            same = *about, tuple(displacement), total
            each(fine_kernel.gather, cut(len(position), len(position) // _DEFECTS), *same)
        else:
            scaled = position / self.spacing
            for axis, u in enumerate(displacement):
                vector = receivers[:, axis] * scale
                kernel.gather(scaled, vector, self.sharing.width, u[..., :-BEYOND], total)
        return total

    @property
    def _planes(self) -> list[tuple[int, int]]:
        """Ranges of planes of mesh points that are worth a thread."""
        return cut(self.shape[0], self.shape[0] // _PLANES)

    def _scale(self, multipoles: Array) -> Array:
        """What the derivatives of a multipole are counted in, over Å, (3,) or (3, 3)."""
        inverse = 1 / self.spacing
        return inverse if multipoles.ndim == 3 else np.outer(inverse, inverse)

    def of_itself(self, receivers: Array, sources: Array) -> Array:
        """Field of each defect and its images on itself (N,), eV, to be taken away.

        Of multipoles of equal rank: that of a force dipole on the next one is 0 in the mean.
        """
        coupling = self._itself + (self.uniform if self.ranks == (2, 2) else 0.0)
        found = np.empty(len(receivers))
        for start in range(0, len(found), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            one, other = (m[some].reshape(-1, len(coupling)) for m in (receivers, sources))
            found[some] = np.einsum("ic,ic->i", one @ coupling, other)
        return found

    @cached_property
    def uniform(self) -> Array:
        """Interaction K_0 (9, 9) of two force dipoles through the q = 0 term, 1/eV."""
        return zero_mode(self.split.medium, self.split.volume, self.boundary).reshape(9, 9)

    @property
    def green(self) -> NDArray[np.floating]:
        """G of the far part at the modes k ≥ 0, (m, m, m, 6)."""
        return _green(self.split, self.shape, self.dtype)

    @cached_property
    def sharpening(self) -> NDArray[np.floating]:
        """Ĝ over G at the modes k ≥ 0, (m, m, m), over the volume of the box."""
        r, s = (rank - 1 for rank in self.ranks)
        alone, of_all = self._sums
        W2 = _power(alone, 0)
        found = (_power(alone, 1) / W2) ** (r + s) * W2
        for power in (r, s):
            total = _power(of_all, power)
            total[0, 0, 0] = 1.0
            found /= total
        return np.asarray(found / self.split.volume, self.dtype)

    @cached_property
    def _sums(self) -> tuple[list[Array], list[Array]]:
        """Per axis (5, m): W² k^p at the modes k ≥ 0, p = 0 … 4, and Σ_m W² k_m^p."""
        m = np.arange(-_ALIASES, _ALIASES + 1)[:, None]
        alone, of_all = [], []
        for size, h in zip(self.shape, self.spacing, strict=True):
            k = 2 * pi / h * (np.arange(size // 2 + 1) / size + m)
            W2 = self.sharing.transform(k * h) ** 2
            terms = np.stack([W2 * k**p for p in range(5)])
            alone.append(terms[:, _ALIASES])
            of_all.append(terms.sum(axis=1))
        return alone, of_all

    @cached_property
    def _itself(self) -> Array:
        """Mean over positions of the coupling of two like multipoles in one place, 1/eV.

        K = −Σ_k Ĝ_ac(k) Σ_m W² k_mb … k_md … / V, of components (ab…)(cd…).
        """
        rank = self.ranks[0]
        each = [np.array([_both(sums) for sums in axis]) for axis in self._sums[1]]
        made: dict[tuple[int, ...], float] = {}
        total = np.zeros((3,) * (2 * rank))
        for index in np.ndindex(total.shape):
            a, c, derivatives = index[0], index[rank], index[1:rank] + index[rank + 1 :]
            if np.any(np.bincount(index, minlength=3) % 2):
                continue
            key = COMPONENT[a, c], *np.bincount(derivatives, minlength=3)
            if key not in made:
                sums = [axis[n] for axis, n in zip(each, key[1:], strict=True)]
                G = self.green[..., key[0]] * self.sharpening
                made[key] = -np.einsum("xyz,x,y,z->", G, *sums, optimize=True)
            total[index] = made[key]
        return total.reshape(3**rank, 3**rank)


@lru_cache(maxsize=_MESHES)
def _green(split: Split, shape: tuple[int, int, int], dtype: str) -> NDArray[np.floating]:
    """See :attr:`Mesh.green`: meshes of several ranks share it, and the realisations of a point."""
    total = np.zeros((*(size // 2 + 1 for size in shape), len(COMPONENTS)), dtype)
    cube = len(set(shape)) == len(set(split.box)) == 1
    n = np.stack(np.nonzero(_wedge(total.shape[:3], cube)), axis=-1)[1:]
    for part in np.array_split(n, 1 + len(n) // _AT_ONCE):
        q = 2 * pi * part / split.edges
        G = response(split.medium).windowed(q, split.cutoff, split.window)
        for axes in permutations(range(3)) if cube else [(0, 1, 2)]:
            there = tuple(part[:, axes].T)
            for component, (a, c) in enumerate(COMPONENTS):
                total[(*there, component)] = G[:, axes[a], axes[c]]
    for axis, component in product(range(3), (3, 4, 5)):
        if component != 3 + axis:  # odd in k_axis, but at the last mode k and −k are the same
            np.moveaxis(total[..., component], axis, 0)[-1] = 0.0
    return total


def _wedge(shape: Sequence[int], cube: bool) -> NDArray[np.bool_]:
    """Which modes (m, m, m) stand for all: of a cube those in ascending order, else all."""
    x, y, z = np.ogrid[tuple(slice(size) for size in shape)]
    return (x <= y) & (y <= z) if cube else np.ones(shape, bool)


def _power(sums: list[Array], power: int) -> Array:
    """Sum of W² |k|^(2 power) from those of powers of each component, (m, m, m)."""
    x, y, z = sums
    total = np.zeros((x.shape[1], y.shape[1], z.shape[1]))
    for a, b, c in np.ndindex((power + 1,) * 3):
        if a + b + c == power:
            ways = factorial(power) / (factorial(a) * factorial(b) * factorial(c))
            total += ways * x[2 * a][:, None, None] * y[2 * b][:, None] * z[2 * c]
    return total


def _both(sums: Array) -> Array:
    """Count the modes k > 0 for −k too, but for the last, which is its own."""
    return np.concatenate([sums[:1], 2 * sums[1:-1], sums[-1:]])
