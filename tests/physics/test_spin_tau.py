"""U^Sτ of whole realisations: against b^γ, the pair formula and the reference numbers."""

import numpy as np
import pytest
import reference as ref
from arrays import system
from numpy.testing import assert_allclose

from glasspipe.defects.tensors import Tensors
from glasspipe.elastic.greens import BOUNDARIES
from glasspipe.elastic.medium import PRESETS
from glasspipe.elastic.printed import Printed
from glasspipe.spins.annealing import freeze
from glasspipe.system.fields import interactions
from glasspipe.system.hamiltonian import hamiltonian
from glasspipe.system.spin_tau import spin_tau_couplings
from glasspipe.theory.pair_distances import Pairs
from glasspipe.theory.pair_distances import couplings as pair_couplings

BOX = np.array([9.0, 10.0, 12.0])
NUMBER = 8
MEDIA = {
    "isotropic": PRESETS["KBr"].medium,
    "crystal": PRESETS["KBr_cubic"].medium,
    "printed": Printed(PRESETS["KBr"].medium),
}
R = np.array([[1.0, 2, 2], [0, 0, 1], [3, -1, 2]])


def made(medium, boundary="spherical"):
    """Defects with no accidental symmetry, two of them half an edge apart."""
    rng = np.random.default_rng(3)
    position = rng.random((NUMBER, 3)) * BOX
    position[1] = (position[0] + [BOX[0] / 2, 1.0, 2.0]) % BOX
    gamma, zeta = rng.normal(size=(NUMBER, 3, 3)), rng.normal(size=(NUMBER, 3, 3, 3))
    gamma, zeta = gamma + gamma.swapaxes(1, 2), zeta + zeta.swapaxes(2, 3)
    eta = rng.normal(size=NUMBER)
    about = {"box": BOX, "medium": MEDIA[medium], "boundary": boundary}
    return system(position, gamma, eta, zeta, **about)


def signs(seed=0, shape=NUMBER):
    return np.random.default_rng(seed).choice((-1.0, 1.0), size=shape)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("medium", MEDIA)
class TestEveryMediumAndBoundary:
    def test_columns_add_up_to_the_field_of_frozen_S(self, medium, boundary):
        box = made(medium, boundary)
        U_S_tau, S = spin_tau_couplings(box), signs()
        b_gamma = interactions(box, S).b_gamma
        assert np.array_equal(np.diag(U_S_tau), np.zeros(NUMBER))
        assert_allclose(S @ U_S_tau, b_gamma, rtol=0, atol=1e-13 * np.abs(U_S_tau).max())
        assert np.abs(S @ -U_S_tau - b_gamma).max() > 0.1 * np.abs(b_gamma).max()
        assert np.abs(S @ U_S_tau.T - b_gamma).max() > 0.1 * np.abs(b_gamma).max()

    def test_each_pair_is_that_of_the_pair_formula(self, medium, boundary):
        """The site of τ receives: R runs from it to that of S."""
        box = made(medium, boundary)
        S_site, tau_site = np.nonzero(~np.eye(NUMBER, dtype=bool))
        apart = box.position[S_site] - box.position[tau_site]
        apart -= BOX * np.round(apart / BOX)
        inside = np.all(np.abs(np.abs(apart) - BOX / 2) > 1e-9, axis=1)
        S_site, tau_site, apart = S_site[inside], tau_site[inside], apart[inside]
        pairs = Pairs(apart, box.tensors[tau_site], box.tensors[S_site])
        wanted = pair_couplings("U_S_tau", pairs, box.medium, box=BOX, boundary=boundary)
        found = spin_tau_couplings(box)[S_site, tau_site]
        assert_allclose(found, wanted, rtol=0, atol=1e-10 * np.abs(wanted).max())


@pytest.mark.parametrize(
    ("edge", "boundary", "wanted"),
    [
        (1e4, "minimum_image", (0.00169411107954371, 0.0211758697830044, -0.000387454621650756)),
        (8.0, "clamped", (0.00178957132939743, 0.0211611251044791, -0.000443624342812555)),
    ],
)
def test_reference_numbers(edge, boundary, wanted):
    d1, d2 = np.array([1.0, 1, 1]) / 3**0.5, np.array([1.0, -1, -1]) / 3**0.5
    gamma = np.array([np.outer(d1, d1), np.zeros((3, 3))])
    zeta = np.array([np.zeros((3, 3, 3)), np.einsum("a,b,c->abc", d2, d2, d2)])
    for apart, value in zip(R, wanted, strict=True):
        position = np.array([apart, np.zeros(3)]) + 2.0
        box = system(
            position, gamma, zeta=zeta, box=[edge] * 3, medium=ref.MEDIUM, boundary=boundary
        )
        assert spin_tau_couplings(box)[0, 1] == pytest.approx(value, rel=1e-8)


@pytest.mark.parametrize("medium", MEDIA)
def test_the_whole_and_its_reductions(medium):
    box, S, tau = made(medium), signs(1, (6, NUMBER)), signs(2, (6, NUMBER))
    D, Delta, E, epsilon = np.random.default_rng(5).random((4, NUMBER))
    H = hamiltonian(box, S[0], D=D, Delta=Delta, E=E, epsilon=epsilon)
    both = H.whole
    assert_allclose(both.energy(np.hstack([S, tau])), H.energy(S, tau), rtol=1e-12)
    assert_allclose(H.of_S.energy(S[0]) + H.of_tau(S[0]).energy(tau), H.energy(S[:1], tau))
    assert np.array_equal(both.transverse, np.hstack([D, Delta]))
    made_of = interactions(box, S[0])
    assert_allclose(
        H.of_tau(S[0]).field, made_of.b_gamma + made_of.b_eta + epsilon, rtol=1e-10, atol=1e-14
    )


def test_zeta_is_that_of_the_frozen_state():
    box, S = made("isotropic"), signs()
    both = Tensors(box.tensors.gamma, box.tensors.eta, box.tensors.zeta, -box.tensors.zeta)
    rotors = type(box)(box.position, both, BOX, box.medium, box.boundary)
    assert_allclose(spin_tau_couplings(rotors.frozen(S)), spin_tau_couplings(box) * S)


def test_J_can_be_frozen():
    made_of = interactions(made("isotropic"), signs())
    assert np.array_equal(made_of.J, made_of.J.T)
    assert not made_of.J.diagonal().any()
    options = {"sweeps": 20, "steps": 5, "schedule": "geometric", "replicas": 1}
    b = made_of.b_gamma + made_of.b_eta
    frozen = freeze(made_of.J, b, key=1, t_start=10.0, t_end=0.05, **options)
    assert frozen.energy == pytest.approx(frozen.S @ b + frozen.S @ made_of.J @ frozen.S / 2)
