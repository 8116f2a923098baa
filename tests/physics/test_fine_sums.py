"""Loops in vector registers against the formulas that they stand for."""

from math import comb

import numpy as np
import pytest
from numpy.testing import assert_allclose

from glasspipe.elastic.greens import green_derivatives
from glasspipe.elastic.kelvin import isotropic_coefficients, radial_derivatives
from glasspipe.elastic.medium import Medium
from glasspipe.elastic.mesh import Split
from glasspipe.elastic.near_sums import near_fields, near_strains
from glasspipe.elastic.neighbours import Cells
from glasspipe.elastic.sharing import Share, share_of
from glasspipe.elastic.window import Bell, smooth_table
from glasspipe.kernels import fine_mesh
from glasspipe.units import MODULUS

MEDIUM, NUMBER = Medium(1 / MODULUS, 1.8, 1.0), 60
SHAPE = (16, 18, 14)
PADDED = (16, 18, 14 + fine_mesh.BEYOND)


@pytest.mark.parametrize("beta", [14.0, 18.7, 26.0])
def test_what_the_window_takes_away_is_a_polynomial(beta):
    """D^k [1/R] less D^k [w/R], and its derivatives by finite differences."""
    rho, window = np.linspace(0.3, 0.999, 40), Bell(beta)
    found = [np.polyval(row[::-1], 2 * rho**2 - 1) for row in smooth_table(window)]
    assert_allclose(found[0], (1 - window(rho)) / rho, rtol=0, atol=1e-12)
    step = 1e-4
    for below, above in zip(smooth_table(window), found[1:], strict=False):
        up, down = (np.polyval(below[::-1], 2 * (rho + s) ** 2 - 1) for s in (step, -step))
        slope = (up - down) / (2 * step * rho)
        assert_allclose(above, slope, rtol=0, atol=1e-5 * np.abs(slope).max())


class Near:
    """Defects of no symmetry; the cutoff is the box's smallest edge over ``cells``/2."""

    def __init__(self, cells, symmetric):
        random, self.box = np.random.default_rng(round(10 * cells)), np.array([20.0, 21.5, 24.0])
        cutoff = 2 * self.box.min() / cells
        self.split = Split(MEDIUM, tuple(self.box), cutoff, Bell(18.0))
        self.position = random.random((NUMBER, 3)) * self.box
        self.order = np.argsort(Cells(self.box, cutoff).of(self.position), kind="stable")
        gamma, P = random.normal(size=(2, NUMBER, 3, 3))
        self.gamma, self.P = gamma + gamma.swapaxes(1, 2), P + P.swapaxes(1, 2)
        zeta = random.normal(size=(NUMBER, 3, 3, 3))
        orders = ("iabc", "iacb", "ibac", "ibca", "icab", "icba") if symmetric else ("iabc", "iacb")
        self.zeta = sum(np.einsum(f"{order}->iabc", zeta) for order in orders)
        self.tau = random.choice((-1.0, 1.0), NUMBER)

    def pairs(self):
        """Near pairs i, j (pairs,) in both orders, r_i − r_j and R."""
        x = self.position[:, None] - self.position
        x -= self.box * np.round(x / self.box)
        R = np.linalg.norm(x, axis=2)
        i, j = np.nonzero((R > 0) & (self.split.cutoff > R))
        return i, j, x[i, j], R[i, j]

    def windowed(self, x, R, order):
        """Derivatives of G w, from D^k [w/R] by the product rule for D = (1/R) d/dR."""
        cutoff = self.split.cutoff
        ladder = self.split.window.ladder(R / cutoff)
        bare = [np.prod([-1 - 2 * i for i in range(k)]) / R ** (1 + 2 * k) for k in range(6)]
        g = [
            sum(comb(k, m) * ladder[:, m] / cutoff ** (2 * m) * bare[k - m] for m in range(k + 1))
            for k in range(order + 2)
        ]
        of_inverse, of_distance = np.stack(g, 1), np.stack([0 * R, *g], 1)
        A, C = isotropic_coefficients(MEDIUM)
        letters = "cdefgh"[:order]
        total = A * radial_derivatives(x, of_distance, order + 2)
        isotropic = radial_derivatives(x, of_inverse, order)
        return total + C * np.einsum(f"ab,...{letters}->...ab{letters}", np.eye(3), isotropic)


@pytest.mark.parametrize(("cells", "symmetric"), [(5, True), (6, False), (9, True), (4.4, False)])
def test_near_sums_over_all_pairs(cells, symmetric):
    case = Near(cells, symmetric)
    i, j, x, R = case.pairs()
    assert len(i) > 100
    G2, G3, G4 = (case.windowed(x, R, order) for order in (2, 3, 4))

    def over(terms):
        return np.bincount(i, terms, NUMBER)

    strains = np.einsum("pab,pcd,pacbd->p", case.gamma[i], case.P[j], G2, optimize=True)
    found = near_strains(case.position, case.gamma, case.P, case.split, case.order)
    assert_allclose(found, over(strains), rtol=0, atol=1e-11 * np.abs(strains).max())
    wanted = {
        name: over(np.einsum("pab,pcde,pacbde->p", source[j], case.zeta[i], G3, optimize=True))
        for name, source in (("b_gamma", case.gamma), ("b_eta", case.P))
    }
    signature = "pabd,pcef,pacbdef->p"
    J = -np.einsum(signature, case.zeta[i], case.zeta[j], G4, optimize=True)
    bare = green_derivatives(x, 4, MEDIUM)
    whole = np.abs(np.einsum(signature, case.zeta[i], case.zeta[j], bare, optimize=True))
    largest = np.zeros(NUMBER)
    np.maximum.at(largest, i, whole)
    wanted |= {
        "J_tau": over(J * case.tau[j]),
        "J_abs": over(whole),
        "J_max": largest,
        "scaled": over(whole * R**5),
        "squares": over((whole * R**5) ** 2),
        "listed": np.bincount(i, minlength=NUMBER),
    }
    of_all = case.gamma, case.P, case.zeta, case.tau
    sums = near_fields(case.position, *of_all, case.split, case.order)
    for name, value in wanted.items():
        size = np.abs(value).max()
        assert_allclose(getattr(sums, name), value, rtol=0, atol=1e-10 * size, err_msg=name)


@pytest.mark.parametrize("width", [10, 12])
def test_a_share_its_derivatives_and_its_transform(width):
    """The shares of a point, in every place between two mesh points, against quadrature."""
    share, w, step = Share(width), np.zeros((3, 3, width)), 1e-4
    for x in np.linspace(0.0, 0.999, 12) + 7:
        first = [
            fine_mesh.shares(x + d, share.table, 2, w[k]) for k, d in enumerate((0, -step, step))
        ]
        points = first[0] + np.arange(width)
        assert points[0] >= x - width / 2 - 1e-12
        assert points[-1] <= x + width / 2 + 1e-12
        assert_allclose(w[0, 0], share(x - points), rtol=0, atol=1e-9)
        if first[0] == first[1] == first[2]:
            slopes = (w[2, :2] - w[1, :2]) / (2 * step)
            assert_allclose(w[0, 1:], slopes, rtol=0, atol=1e-6)
    u, k = np.linspace(-width / 2, width / 2, 4001), np.array([0.0, 0.5, 2.0, 5.0, 9.0])
    numerical = [np.trapezoid(share(u) * np.cos(q * u), u) for q in k]
    assert_allclose(share.transform(k), numerical, rtol=0, atol=1e-10)
    assert share.transform(k)[0] == pytest.approx(1)


def test_shares_leave_nothing_where_the_mesh_is_as_fine_as_the_lattice():
    """Near 2π, where waves of the lattice pass for far fields, 8 points would leave 2·10⁻⁸."""
    near = 2 * np.pi * (1 - np.array([1 / 64, 1 / 40, 1 / 20]))
    assert np.abs(share_of(2.5e-7).transform(near)).max() < 1e-9 < Share(8).transform(near).min()


@pytest.mark.parametrize("width", [10, 12])
@pytest.mark.parametrize("indices", [1, 2])
def test_spreading_and_gathering_with_runs_of_mesh_points(indices, width):
    """Against one point after another; many pass the end of so small a mesh."""
    random = np.random.default_rng(indices)
    position = random.random((50, 3)) * SHAPE
    tensors, scale = random.normal(size=(50, 3, *(3,) * indices)), random.random((3,) * indices)
    scale = (scale + scale.T) / 2
    forces, u = np.zeros((3, *PADDED)), random.normal(size=(3, *PADDED))
    gathered, wanted, points = np.zeros(50), np.zeros((3, *SHAPE)), np.arange(width)
    table, factor, order = Share(width).table, random.normal(size=50), random.permutation(50)
    for planes in [(0, 5), (5, 6), (6, SHAPE[0])]:
        made = position[order], tensors, factor[order], order, scale, table, tuple(forces)
        fine_mesh.spread(*planes, *made)
    for defects in [(0, 20), (20, 50)]:
        made = position[order], tensors, order, scale, table, tuple(u), gathered
        fine_mesh.gather(*defects, *made)
    for j in range(50):
        w, at = np.empty((3, 3, width)), []
        for axis in range(3):
            first = fine_mesh.shares(position[j, axis], table, 2, w[axis])
            at.append((first + points) % SHAPE[axis])
        density = np.zeros((3, *(width,) * 3))
        for derivatives in np.ndindex((3,) * indices):
            n = np.bincount(derivatives, minlength=3)
            density += np.einsum(
                "a,x,y,z->axyz",
                tensors[j][:, *derivatives] * scale[derivatives],
                *(w[axis, n[axis]] for axis in range(3)),
            )
        for axis in range(3):
            wanted[axis][np.ix_(*at)] += factor[j] * density[axis]
        local = np.stack([u[axis][np.ix_(*at)] for axis in range(3)])
        assert gathered[j] == pytest.approx(np.sum(density * local), rel=1e-9, abs=1e-9)
    assert_allclose(forces[..., : -fine_mesh.BEYOND], wanted, rtol=0, atol=1e-12)
