"""Force dipoles that S does not change, beside η: sources of B and b^η."""

import numpy as np
import pytest
import reference as ref
from arrays import couplings, fields, implicit_fields, random_fields, system
from numpy.testing import assert_allclose

from glasspipe.defects.component import Component
from glasspipe.defects.distribution import Distribution
from glasspipe.defects.lattice import Lattice
from glasspipe.defects.realisation import draw, realise
from glasspipe.defects.species import AXES, unit_kinds
from glasspipe.defects.tensors import Tensors
from glasspipe.elastic.direct import direct_fields
from glasspipe.elastic.greens import BOUNDARIES, green_derivatives, periodic_green_derivatives
from glasspipe.elastic.medium import PRESETS
from glasspipe.elastic.printed import Printed
from glasspipe.statistics import describe
from glasspipe.system.hamiltonian import hamiltonian
from glasspipe.theory.field_law import FieldLaw, Setting
from glasspipe.theory.homogeneous import homogeneous_field
from glasspipe.theory.pair_fields import pair_coupling
from glasspipe.theory.population import Population

MEDIA = {name: PRESETS[name].medium for name in ("KBr", "KBr_cubic")}
CASES = [(medium, boundary) for medium in MEDIA for boundary in BOUNDARIES]
BOX = np.array([9.0, 10.0, 12.0])


class Defects:
    """Defects with no accidental symmetry, off the lattice."""

    def __init__(self, number, box=BOX, medium="KBr", boundary="spherical", seed=3):
        rng = np.random.default_rng(seed)
        self.position = rng.random((number, 3)) * box
        dipoles = rng.normal(size=(2, number, 3, 3))
        self.gamma, self.static = dipoles + dipoles.transpose(0, 1, 3, 2)
        self.eta = rng.normal(size=number)
        zeta = rng.normal(size=(number, 3, 3, 3))
        self.zeta = zeta + zeta.transpose(0, 1, 3, 2)
        self.S, self.tau = rng.choice((-1, 1), size=(2, number))
        self.about = {"box": box, "medium": MEDIA[medium], "boundary": boundary}

    def B(self, eta=0.0, static=None, by=couplings):
        eta = np.broadcast_to(eta, len(self.position))
        made = by(self.position, self.gamma, eta, **self.about, static=static)
        return made.B if by is couplings else made

    def on_tau(self, eta=0.0, static=None, by=fields):
        eta = np.broadcast_to(eta, len(self.position))
        own = self.position, self.gamma, eta, self.zeta, self.S, self.tau
        return by(*own, **self.about, static=static)


def near(found, wanted, tolerance=1e-11):
    assert_allclose(found, wanted, rtol=0, atol=tolerance * np.abs(wanted).max())


@pytest.mark.parametrize(("medium", "boundary"), CASES)
def test_volumes_are_static_dipoles(medium, boundary):
    """P = η δ and static = η δ are the same source, and the fields of both parts add up."""
    made = Defects(8, medium=medium, boundary=boundary)
    volumes = made.eta[:, None, None] * np.eye(3)
    near(made.B(static=volumes), made.B(made.eta), 1e-13)
    near(made.on_tau(static=volumes).b_eta, made.on_tau(made.eta).b_eta, 1e-13)
    near(made.B(made.eta, made.static), made.B(made.eta) + made.B(static=made.static))


@pytest.mark.parametrize(("medium", "boundary"), CASES)
def test_fields_are_contractions_of_the_derivative_tensor(medium, boundary):
    made = Defects(5, medium=medium, boundary=boundary)
    B, b = np.zeros(5), np.zeros(5)
    for i in range(5):
        j = [k for k in range(5) if k != i]
        R = made.position[j] - made.position[i]
        G2, G3 = (
            periodic_green_derivatives(R, n, MEDIA[medium], BOX, boundary=boundary) for n in (2, 3)
        )
        for k, source in enumerate(j):
            B[i] += ref.dipole_dipole(G2[k], made.gamma[i], made.static[source])
            b[i] += ref.dipole_gradient(G3[k], made.static[source], made.zeta[i])
    near(made.B(static=made.static), B, 1e-9)
    near(made.on_tau(static=made.static).b_eta, b, 1e-9)


@pytest.mark.parametrize(("medium", "boundary"), CASES)
def test_they_couple_as_S_does(medium, boundary):
    """(16) and (60) with P_j for S_j γ_j: through U's and b^γ's own sums."""
    made = Defects(6, medium=medium, boundary=boundary)
    about, B = made.about, made.B(static=made.static)
    for i in range(6):
        gamma = made.static.copy()
        gamma[i] = made.gamma[i]
        U = np.zeros((6, 6))
        U[np.triu_indices(6, 1)] = couplings(made.position, gamma, np.zeros(6), **about).U
        assert (U + U.T)[i].sum() == pytest.approx(B[i], abs=1e-11 * np.abs(B).max())
    own = made.position, made.static, np.zeros(6), made.zeta, np.ones(6), made.tau
    found = made.on_tau(static=made.static)
    near(found.b_eta, fields(*own, **about).b_gamma)
    if boundary != "minimum_image":
        everyone = np.arange(6)
        near(B, direct_fields(everyone, made.position, made.gamma, made.static, **about), 1e-9)
    without = made.on_tau()
    near(found.b_gamma, without.b_gamma, 0)
    near(found.J_tau, without.J_tau, 0)
    box = system(made.position, made.gamma, made.eta, made.zeta, **about, static=made.static)
    tau = hamiltonian(box, made.S).of_tau(made.S)
    near(tau.field, made.on_tau(made.eta, made.static).b)


@pytest.mark.parametrize("medium", MEDIA)
def test_a_pair_far_from_its_images_is_that_of_the_infinite_medium(medium):
    made = Defects(2, box=np.full(3, 600.0), medium=medium)
    made.position = np.array([[10.0, 20.0, 30.0], [12.0, 21.0, 28.5]])
    R = made.position[1] - made.position[0]
    G2, G3 = (green_derivatives(R, n, MEDIA[medium]) for n in (2, 3))
    B = ref.dipole_dipole(G2, made.gamma[0], made.static[1])
    b = ref.dipole_gradient(G3, made.static[1], made.zeta[0])
    assert made.B(static=made.static)[0] == pytest.approx(B, rel=1e-5)
    assert made.on_tau(static=made.static).b_eta[0] == pytest.approx(b, rel=1e-5)


@pytest.mark.parametrize("boundary", [name for name in BOUNDARIES if name != "minimum_image"])
@pytest.mark.parametrize("medium", ["KBr", "KBr_cubic"])
def test_without_a_matrix(medium, boundary):
    made = Defects(250, box=np.full(3, 25.0), medium=medium, boundary=boundary)
    made.position = (np.argwhere(np.ones((7, 7, 7)))[::1][:250] + 0.3) * 25 / 7
    made.position += np.random.default_rng(1).uniform(-0.5, 0.5, (250, 3))
    for eta in (0.0, made.eta):
        given = eta, made.static
        near(made.B(*given, random_fields)[0], made.B(*given), 1e-5)
        wanted, (found, _) = made.on_tau(*given), made.on_tau(*given, implicit_fields)
        near(found.b_eta, wanted.b_eta, 1e-5)
        near(found.b_gamma, wanted.b_gamma, 1e-5)


def test_the_paper_prints_no_coupling_of_theirs():
    made = Defects(3)
    made.about["medium"] = Printed(MEDIA["KBr"])
    for run in (made.B, made.on_tau):
        run(1.0)
        with pytest.raises(ValueError, match="static is given with a Printed medium"):
            run(static=made.static)


def total_dipoles(made):
    """Force dipole of each defect in its state S = +1, and in S = −1, η apart."""
    return made.static + made.gamma, made.static - made.gamma


@pytest.mark.parametrize("axes", AXES)
def test_of_rotors_they_are_the_mean_of_both_states(axes):
    """In either state the dipole is γ_0 d d with the axis d that ζ = ζ_0 d d d has there."""
    made = unit_kinds("rotor", axes, static_dipole="mean").scaled(gamma=2.0, eta=0.5, zeta=3.0)
    for dipole, zeta in zip(total_dipoles(made), (made.zeta, made.zeta_minus), strict=True):
        assert_allclose(np.trace(dipole, axis1=1, axis2=2), 2.0)
        assert_allclose(np.einsum("kab,kab->k", dipole, dipole), 4.0)
        d = np.cbrt(np.einsum("kaaa->ka", zeta) / 3)
        assert_allclose(dipole, 2 * np.einsum("ka,kb->kab", d, d), atol=1e-15)
    assert_allclose(made.P, made.static + 0.5 * np.eye(3))
    assert unit_kinds("rotor", axes).static is None
    assert unit_kinds("uniaxial", axes, static_dipole="mean").static is None


def test_drawn_ones_follow_the_strength_and_the_frame():
    spread = Distribution("lognorm", (("s", 0.5),))
    rotor = Component("rotor", "110", spread, 1.0, 1.0, frame_spread=20.0, share=0.5)
    with_mean = Component(**{**vars(rotor), "static_dipole": "mean"})
    other = Component("uniaxial", "111", 1.0, 1.0, 1.0, share=0.5)
    made, plain = (draw(np.random.default_rng(5), 400, (one, other)) for one in (with_mean, rotor))
    assert plain.tensors.static is None
    assert_allclose(made.tensors.gamma, plain.tensors.gamma, rtol=0)
    mine = made.component == 0
    assert_allclose(made.tensors.static[~mine], 0)
    plus, minus = total_dipoles(made.tensors[mine])
    zeta = made.tensors.zeta[mine], made.tensors.zeta_minus[mine]
    for dipole, own in zip((plus, minus), zeta, strict=True):
        size = np.trace(dipole, axis1=1, axis2=2)
        d = np.cbrt(np.einsum("kaaa->ka", own))
        assert_allclose(dipole, np.einsum("k,ka,kb->kab", size, d, d), atol=1e-12)


class TestTheory:
    population = Population((Component("rotor", "110", 2.0, 0.3, 1.0, static_dipole="mean"),))

    def test_a_pair_is_that_of_dipoles_of_S(self):
        kinds = unit_kinds("rotor", "110", static_dipole="mean").scaled(2.0, 0.3, 1.0)
        as_gamma = Tensors(kinds.P, kinds.eta, kinds.zeta)
        for coupling, twin in (("B", "U"), ("U_eta_tau", "U_S_tau")):
            found, wanted = (
                pair_coupling(name, kinds, sources, ref.R, MEDIA["KBr_cubic"])
                for name, sources in ((coupling, kinds), (twin, as_gamma))
            )
            near(found, wanted)

    def test_the_kinds_of_source(self):
        """Of 30 ordered pairs of ⟨110⟩ axes one of each order; P is η δ and the mean of both."""
        kinds, weight = self.population.sources("B")
        assert len(kinds) == 15
        assert weight.sum() == pytest.approx(1)
        assert_allclose(
            weight @ kinds.P.reshape(15, 9), (0.3 + 2 / 3) * np.eye(3).ravel(), atol=1e-12
        )
        assert_allclose(np.trace(kinds.P, axis1=1, axis2=2), 3 * 0.3 + 2)
        plain = Population((Component("rotor", "110", 2.0, 0.3, 1.0),))
        assert len(plain.sources("B")[0]) == 1

    @pytest.mark.parametrize(("medium", "boundary"), CASES)
    def test_the_homogeneous_field_is_that_of_their_mean(self, medium, boundary):
        """Over all pairs of axes the mean of γ_0(d₁d₁ + d₂d₂)/2 is γ_0 δ/3, as of more η."""
        aligned, medium = unit_kinds("aligned", "111"), MEDIA[medium]
        kinds, weight = self.population.sources("B")
        volumes = unit_kinds("aligned", "111").scaled(1.0, 0.3 + 2 / 3, 1.0), np.ones(1)
        found, wanted = (
            homogeneous_field("B", aligned, sources, medium, boundary, BOX)
            for sources in ((kinds, weight), volumes)
        )
        assert_allclose(found, wanted, rtol=1e-10)
        assert (wanted[0] == 0) == (boundary == "spherical")

    def test_quantiles_of_simulated_boxes(self):
        """The law of B and b^η of anisotropic sources, within 4.5 errors over boxes and 2 %."""
        crystal, number, boxes = Lattice("fcc", 4.0, 6), 60, 300
        rng, found = np.random.default_rng(2), {"B": [], "b_eta": []}
        system = {"box": [crystal.edge] * 3, "medium": MEDIA["KBr"], "boundary": "clamped"}
        for _ in range(boxes):
            made = realise(rng, crystal, number, self.population.components)
            own, S = made.defects.tensors, np.ones(number)
            system["static"] = own.static
            found["B"].append(couplings(made.position, own.gamma, own.eta, **system).B)
            one = fields(made.position, own.gamma, own.eta, own.zeta, S, S, **system)
            found["b_eta"].append(one.b_eta)
        for field, values in found.items():
            setting = Setting(field, self.population, MEDIA["KBr"])
            law = FieldLaw(setting, crystal, number, "clamped")
            estimates = describe(np.array(values), rng, resamples=100)
            for name in ("quartile_half_width", "median_abs", "q05", "q95"):
                known = law.statistic(name)
                error = 4.5 * estimates[name].stderr + 0.02 * abs(known)
                assert abs(estimates[name].value - known) < error, (field, name)
                assert error < 0.2 * abs(known)
