"""U, B, b and J of whole realisations against independent routes."""

from itertools import product

import numpy as np
import pytest
import reference as ref
from arrays import couplings, fields
from numpy.testing import assert_allclose

from glasspipe.defects.lattice import Lattice
from glasspipe.defects.tensors import frozen_zeta
from glasspipe.elastic.greens import BOUNDARIES, green_derivatives, periodic_green_derivatives
from glasspipe.elastic.medium import PRESETS, Medium
from glasspipe.spins import random_field

BOX = np.array([9.0, 10.0, 12.0])
MEDIUM = PRESETS["KBr"].medium
NUMBER = 9


class Defects:
    """Defects with no accidental symmetry, off the lattice, two of them half an edge apart."""

    def __init__(self, seed=1):
        rng = np.random.default_rng(seed)
        self.position = rng.random((NUMBER, 3)) * BOX
        self.position[1] = (self.position[0] + [BOX[0] / 2, 1.0, 2.0]) % BOX
        gamma = rng.normal(size=(NUMBER, 3, 3))
        self.gamma = gamma + gamma.transpose(0, 2, 1)
        self.eta = rng.normal(size=NUMBER)
        zeta = rng.normal(size=(NUMBER, 3, 3, 3))
        self.zeta = zeta + zeta.transpose(0, 1, 3, 2)
        self.S, self.tau = rng.choice((-1, 1), size=(2, NUMBER))

    def couplings(self, **options):
        return couplings(self.position, self.gamma, self.eta, **self.options(options))

    def fields(self, **options):
        return fields(
            self.position,
            self.gamma,
            self.eta,
            self.zeta,
            self.S,
            self.tau,
            **self.options(options),
        )

    @staticmethod
    def options(options):
        return {"box": BOX, "medium": MEDIUM, "boundary": "spherical", **options}


@pytest.fixture
def defects():
    return Defects()


def others(i):
    return [j for j in range(NUMBER) if j != i]


def near(found, wanted):
    """Within the truncation of Ewald sums: 1e-11 of the largest value."""
    assert_allclose(found, wanted, rtol=0, atol=1e-11 * np.abs(wanted).max())


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_couplings_are_contractions_of_the_derivative_tensor(defects, boundary):
    made = defects.couplings(boundary=boundary)
    B = np.zeros(NUMBER)
    for i in range(NUMBER):
        j = others(i)
        R = defects.position[i] - defects.position[j]
        G2 = periodic_green_derivatives(R, 2, MEDIUM, BOX, boundary=boundary)
        B[i] = defects.eta[j] @ ref.dipole_dipole(G2, defects.gamma[i], ref.UNIT)
        U = np.zeros((NUMBER, NUMBER))
        U[np.triu_indices(NUMBER, 1)] = made.U
        wanted = [
            ref.dipole_dipole(G2[k], defects.gamma[i], defects.gamma[j[k]]) for k in range(len(j))
        ]
        near((U + U.T)[i, j], np.array(wanted))
    near(made.B, B)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_fields_are_contractions_of_the_derivative_tensor(defects, boundary):
    made = defects.fields(boundary=boundary)
    b_gamma, b_eta, J = np.zeros(NUMBER), np.zeros(NUMBER), np.zeros((NUMBER, NUMBER))
    for i in range(NUMBER):
        j = others(i)
        R = defects.position[j] - defects.position[i]  # from the τ site to the source
        G3, G4 = (
            periodic_green_derivatives(R, order, MEDIUM, BOX, boundary=boundary) for order in (3, 4)
        )
        for k, source in enumerate(j):
            frozen = defects.S[source] * defects.gamma[source]
            b_gamma[i] += ref.dipole_gradient(G3[k], frozen, defects.zeta[i])
            volume = defects.eta[source] * ref.UNIT
            b_eta[i] += ref.dipole_gradient(G3[k], volume, defects.zeta[i])
            J[i, source] = ref.gradient_gradient(G4[k], defects.zeta[source], defects.zeta[i])
    near(J, J.T)
    near(made.b_gamma, b_gamma)
    near(made.b_eta, b_eta)
    near(made.b, b_gamma + b_eta)
    near(made.J_abs, np.abs(J).sum(axis=1))
    near(made.J_max, np.abs(J).max(axis=1))
    near(made.J_tau, J @ defects.tau)


@pytest.mark.parametrize("sharpness", [3.0, 4.0, 7.0])
def test_results_do_not_depend_on_alpha(defects, sharpness):
    default, other = defects.couplings(), defects.couplings(sharpness=sharpness)
    near(other.U, default.U)
    near(other.B, default.B)
    default, other = defects.fields(), defects.fields(sharpness=sharpness)
    for name in ("b_gamma", "b_eta", "J_abs", "J_tau"):
        near(getattr(other, name), getattr(default, name))


def test_the_sign_of_R_in_the_odd_couplings():
    """One source on the +z side of a τ along +z: b^η = U^ητ(R = +z) > 0 in the reference medium."""
    zeta = np.zeros((2, 3, 3, 3))
    zeta[:, 2, 2, 2] = 1
    made = fields(
        [[5.0, 5, 5], [5, 5, 6]], np.zeros((2, 3, 3)), [0.0, 1.0], zeta, [1, 1], [1, 1],
        box=[60.0] * 3, medium=ref.MEDIUM, boundary="minimum_image",
    )  # fmt: skip
    assert_allclose(made.b_eta, [6 / (4 * np.pi * 1.8**2), 0], rtol=1e-12)


def test_volume_terms_are_couplings_with_gamma_eta_unit(defects):
    """(16) with γ → η·1 is (26), and (60) with γ → η·1 is (68): S of the source drops out."""
    volume = defects.eta[:, None, None] * np.eye(3)
    made = defects.fields()
    as_gamma = fields(
        defects.position, volume, defects.eta, defects.zeta, np.ones(NUMBER), defects.tau,
        box=BOX, medium=MEDIUM, boundary="spherical",
    )  # fmt: skip
    near(as_gamma.b_gamma, made.b_eta)
    for i in range(NUMBER):
        gamma = volume.copy()
        gamma[i] = defects.gamma[i]
        U = np.zeros((NUMBER, NUMBER))
        U[np.triu_indices(NUMBER, 1)] = couplings(
            defects.position, gamma, defects.eta, box=BOX, medium=MEDIUM, boundary="spherical"
        ).U
        assert (U + U.T)[i].sum() == pytest.approx(defects.couplings().B[i], rel=1e-10)


def test_isotropic_dipoles_feel_no_random_field(defects):
    """γ ∝ δ gives B = 0 (after (26)) in an isotropic medium with the spherical boundary."""
    gamma = np.repeat(np.eye(3)[None], NUMBER, axis=0)
    defects.position %= 10.0
    made = couplings(
        defects.position, gamma, defects.eta, box=[10.0] * 3, medium=MEDIUM, boundary="spherical"
    )
    scale = np.abs(defects.couplings(box=[10.0] * 3).B).max()
    assert np.abs(made.B).max() < 1e-11 * scale


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_rotation_of_the_whole_box(defects, axis):
    """A quarter turn of positions, tensors and box changes no number."""
    turn = _quarter_turn(axis)
    position = defects.position @ turn.T
    box = np.abs(turn @ BOX)
    gamma = np.einsum("ab,cd,nbd->nac", turn, turn, defects.gamma)
    zeta = np.einsum("ab,cd,ef,nbdf->nace", turn, turn, turn, defects.zeta)
    options = {"box": box, "medium": MEDIUM, "boundary": "spherical"}
    turned = couplings(position % box, gamma, defects.eta, **options)
    near(turned.U, defects.couplings().U)
    near(turned.B, defects.couplings().B)
    turned = fields(position % box, gamma, defects.eta, zeta, defects.S, defects.tau, **options)
    for name in ("b_gamma", "b_eta", "J_abs", "J_tau"):
        near(getattr(turned, name), getattr(defects.fields(), name))


def _quarter_turn(axis):
    turn = np.zeros((3, 3))
    one, two = [k for k in range(3) if k != axis]
    turn[axis, axis], turn[one, two], turn[two, one] = 1, -1, 1
    return turn


def test_a_translation_changes_nothing(defects):
    before = defects.fields()
    defects.position = (defects.position + np.array([3.3, -2.1, 7.7])) % BOX
    near(defects.fields().b_gamma, before.b_gamma)


def test_one_axis_may_be_much_longer(defects):
    """A long box needs more images along its short edges; the answer is the tensor's."""
    box = np.array([4.0, 5.0, 25.0])
    position = defects.position % box
    made = couplings(
        position, defects.gamma, defects.eta, box=box, medium=MEDIUM, boundary="clamped"
    )
    i, j = np.triu_indices(NUMBER, 1)
    G2 = periodic_green_derivatives(
        position[i] - position[j], 2, MEDIUM, box, boundary="clamped", sharpness=7
    )
    wanted = [
        ref.dipole_dipole(G2[k], defects.gamma[i[k]], defects.gamma[j[k]]) for k in range(len(i))
    ]
    near(made.U, np.array(wanted))


class TestMeanField:
    """⟨B⟩ of identical γ = ẑẑ on a lattice, x(4π/3)·γη/(4πρc_l²a³) clamped and 0 spherical."""

    lattice = Lattice("simple_cubic", 1.0, 6)
    medium = Medium(1.0, 1.8, 1.0)

    def mean(self, boundary):
        """⟨B⟩ over every site that a single source leaves: exact, no sampling."""
        site = self.lattice.site(np.arange(1, self.lattice.sites))
        G2 = periodic_green_derivatives(site * 1.0, 2, self.medium, [6.0] * 3, boundary=boundary)
        return ref.dipole_dipole(G2, np.diag([0, 0, 1.0]), ref.UNIT).sum()

    def test_spherical(self):
        assert abs(self.mean("spherical")) < 1e-10 / self.medium.longitudinal_modulus

    def test_clamped(self):
        sources = 1 - 1 / self.lattice.sites  # of the sites, that of S_i holds no source
        expected = sources * 4 * np.pi / 3 / (4 * np.pi * self.medium.longitudinal_modulus)
        assert self.mean("clamped") == pytest.approx(expected, rel=1e-9)


def test_two_defects_far_from_their_images_are_those_of_the_infinite_medium(defects):
    edge = 600.0
    position = np.array([[10.0, 20.0, 30.0], [12.0, 21.0, 28.5]])
    pair = slice(0, 2)
    R = position[0] - position[1]
    made = couplings(
        position, defects.gamma[pair], defects.eta[pair], box=[edge] * 3, medium=MEDIUM,
        boundary="spherical",
    )  # fmt: skip
    bare = ref.dipole_dipole(green_derivatives(R, 2, MEDIUM), *defects.gamma[pair])
    assert made.U[0] == pytest.approx(bare, rel=1e-5)
    made = fields(
        position, defects.gamma[pair], defects.eta[pair], defects.zeta[pair], [1, -1], [1, 1],
        box=[edge] * 3, medium=MEDIUM, boundary="spherical",
    )  # fmt: skip
    bare = ref.gradient_gradient(green_derivatives(R, 4, MEDIUM), *defects.zeta[pair])
    assert made.J_tau[0] == pytest.approx(bare, rel=1e-8)


def test_force_dipoles_as_pairs_of_forces():
    """U by finite differences of G itself: a dipole is two opposite forces, H = −γ∂u, (7)."""
    d, R, step = ref.D1, np.array([1.1, -0.7, 0.9]), 1e-3
    ends = [
        (s1 * s2, R + step * (s1 * ref.D1 - s2 * ref.D2) / 2)
        for s1, s2 in product((1, -1), repeat=2)
    ]
    G = (
        sum(sign * ref.D1 @ green_derivatives(x, 0, ref.MEDIUM) @ ref.D2 for sign, x in ends)
        / step**2
    )
    exact = ref.dipole_dipole(green_derivatives(R, 2, ref.MEDIUM), np.outer(d, d), ref.GAMMA2)
    assert exact == pytest.approx(-G, rel=1e-5)


def test_frozen_zeta_of_rotors_follows_S():
    plus, minus = np.ones((3, 3, 3, 3)), -np.ones((3, 3, 3, 3))
    chosen = frozen_zeta(plus, minus, [1, -1, 1])
    assert_allclose(chosen[:, 0, 0, 0], [1, -1, 1])
    assert frozen_zeta(plus, None, [1, -1, 1]) is plus


def test_unknown_boundary(defects):
    for run in (defects.couplings, defects.fields):
        with pytest.raises(ValueError, match="boundary is 'free'; allowed are clamped, spherical"):
            run(boundary="free")


def test_fields_that_cancel_by_symmetry_are_zero():
    """At x = 1 what rounding leaves of B had correlations of its own."""
    lattice = Lattice("simple_cubic", 3.0, 4)
    position = lattice.site(np.arange(lattice.sites)) * lattice.spacing
    gamma = np.tile(np.diag([0.0, 0.0, 1.0]), (lattice.sites, 1, 1))
    about = {"box": [12.0] * 3, "medium": ref.MEDIUM, "boundary": "spherical"}
    full = couplings(position, gamma, np.ones(lattice.sites), **about)
    assert (full.B == 0).all()
    assert np.abs(full.U).max() > 0
    assert np.isnan(random_field.alignment(np.ones((1, 64), np.int8), full.B[None])).all()
    one_less = couplings(position[1:], gamma[1:], np.ones(63), **about)
    assert (one_less.B != 0).sum() > 50
