"""Couplings of sampled pairs: the sums of the stages, the periodic kernel, the laws of distance."""

import numpy as np
import pytest
from arrays import couplings, interactions
from reference import MEDIUM

from glasspipe.defects.component import Component
from glasspipe.defects.distribution import Distribution
from glasspipe.defects.realisation import draw
from glasspipe.defects.tensors import Tensors
from glasspipe.elastic.greens import green_derivatives
from glasspipe.elastic.medium import PRESETS
from glasspipe.elastic.printed import Printed
from glasspipe.statistics import fit_power_law
from glasspipe.system.terms import TERMS
from glasspipe.theory import pair_distances
from glasspipe.theory.pair_distances import MIDDLES, SHELLS, Pairs
from glasspipe.theory.pair_fields import pair_coupling
from glasspipe.theory.population import Population

BOX = np.array([40.0, 46.0, 52.0])
MEDIA = {
    "isotropic": PRESETS["KBr"].medium,
    "cubic": PRESETS["KBr_cubic"].medium,
    "printed": Printed(PRESETS["KBr"].medium),
}


def disorder(number=12, seed=3):
    """Defects anywhere in the box, with tensors of no symmetry but their own."""
    rng = np.random.default_rng(seed)
    gamma = rng.standard_normal((number, 3, 3))
    zeta = rng.standard_normal((number, 3, 3, 3))
    defects = Tensors(
        gamma + gamma.swapaxes(1, 2),
        rng.standard_normal(number),
        zeta + zeta.swapaxes(2, 3),
    )
    return rng.random((number, 3)) * BOX, defects


def every_pair(position, defects):
    """Each ordered pair, as receiver and source."""
    number = len(position)
    receiver, source = np.nonzero(~np.eye(number, dtype=bool))
    R = position[source] - position[receiver]
    pairs = Pairs(R - BOX * np.round(R / BOX), defects[receiver], defects[source])
    return receiver, source, pairs


@pytest.mark.parametrize(
    ("medium", "boundary"),
    [
        ("isotropic", "spherical"),
        ("isotropic", "stress_free"),
        ("isotropic", "minimum_image"),
        ("cubic", "spherical"),
        ("cubic", "minimum_image"),
        ("printed", "stress_free"),
    ],
)
def test_pairs_add_up_to_the_fields_of_the_stages(medium, boundary):
    position, defects = disorder()
    receiver, source, pairs = every_pair(position, defects)
    given = {"box": BOX, "medium": MEDIA[medium], "boundary": boundary}
    S = np.random.default_rng(4).choice((-1.0, 1.0), size=12)
    U_B = couplings(position, defects.gamma, defects.eta, **given)
    tau = interactions(position, defects.gamma, defects.eta, defects.zeta, S, **given)
    found = {
        name: pair_distances.couplings(name, pairs, MEDIA[medium], box=BOX, boundary=boundary)
        for name in TERMS
    }
    upper = np.triu_indices(12, 1)
    for name, expected in (("U", U_B.U), ("J", tau.J[upper])):
        matrix = np.zeros((12, 12))
        matrix[receiver, source] = found[name]
        size = np.abs(expected).max()
        assert matrix[upper] == pytest.approx(expected, rel=1e-8, abs=1e-9 * size)
        assert matrix == pytest.approx(matrix.T, rel=1e-8, abs=1e-9 * size)
    sums = {"B": (U_B.B, 1.0), "U_eta_tau": (tau.b_eta, 1.0), "U_S_tau": (tau.b_gamma, S[source])}
    for name, (expected, sign) in sums.items():
        total = np.bincount(receiver, found[name] * sign)
        assert total == pytest.approx(expected, rel=1e-8, abs=1e-9 * np.abs(expected).max())


def test_pairs_are_those_of_the_periodic_kernel():
    position, defects = disorder(4)
    _, _, pairs = every_pair(position, defects)
    for name in TERMS:
        found = pair_distances.couplings(
            name, pairs, MEDIA["isotropic"], box=BOX, boundary="clamped"
        )
        for k in (0, 5, 11):
            one = pairs[np.array([k])]
            expected = pair_coupling(
                name,
                *(one.receivers, one.sources, one.R, MEDIA["isotropic"]),
                box=BOX,
                boundary="clamped",
            )
            assert found[k] == pytest.approx(expected.item(), rel=1e-7)


def test_every_shell_has_its_share_of_pairs():
    position, defects = disorder(300, seed=5)
    rng = np.random.default_rng(6)
    pairs = pair_distances.take(rng, position, defects, BOX, 7)
    assert np.all(pairs.distance < BOX.min() / 2)
    number = np.bincount(pairs.shell + 1, minlength=len(SHELLS))[1:]
    assert number.max() == 7
    assert np.all(number[(SHELLS[:-1] > 4) & (SHELLS[1:] < 20)] == 7)
    where = {tuple(gamma.ravel()): r for gamma, r in zip(defects.gamma, position, strict=True)}
    for k in range(len(pairs)):
        one, two = (where[tuple(d.gamma[k].ravel())] for d in (pairs.receivers, pairs.sources))
        off = (two - one - pairs.R[k]) / BOX
        assert off == pytest.approx(np.round(off), abs=1e-12)
    joined = Pairs.joined([pairs, pairs])
    assert np.bincount(pair_distances.thin(joined, 3, rng).shell + 1).max() == 3


@pytest.mark.parametrize(("power", "fitted"), [(3, -3), (4, -4)])
def test_a_power_is_found_whatever_is_expected(power, fitted):
    """Values ∝ R^−p filed as U: p = 3 exactly, another p nearly, for a shell is narrow."""
    rng = np.random.default_rng(7)
    R = np.exp(rng.uniform(np.log(10), np.log(100), 4000))
    one = disorder(1)[1][np.zeros(4000, dtype=int)]
    pairs = Pairs(R[:, None] * [[0.6, 0.0, 0.8]], one, one)
    found = pair_distances.by_shell("U", 2.0 / R**power, pairs)
    full = found.number > 100
    assert found.number.sum() == 4000
    fit = fit_power_law(MIDDLES[full], found.rms[full], found.rms[full])
    assert fit.exponent == pytest.approx(fitted, abs=1e-12 if power == 3 else 0.02)
    if power == 3:
        assert found.rms[full] * MIDDLES[full] ** 3 == pytest.approx(2.0, rel=1e-12)
        assert found.median[full] == pytest.approx(found.rms[full], rel=1e-12)


def test_quantiles_of_a_shell_keep_the_sign():
    """Uniform between −2 and 1 times R^−3, whatever the shell."""
    rng = np.random.default_rng(8)
    R = np.exp(rng.uniform(np.log(10), np.log(20), 40_000))
    one = disorder(1)[1][np.zeros(len(R), dtype=int)]
    pairs = Pairs(R[:, None] * [[0.6, 0.0, 0.8]], one, one)
    found = pair_distances.by_shell("B", rng.uniform(-2, 1, len(R)) / R**3, pairs)
    full = found.number > 5000
    wanted = 3 * pair_distances.PROBABILITIES - 2
    assert full.sum() > 2
    np.testing.assert_allclose(
        found.quantile[full] * MIDDLES[full, None] ** 3 - wanted, 0, atol=5 * 1.5 / np.sqrt(5000)
    )


def test_the_magnitude_of_aligned_defects_is_known():
    """3c² − 1, c uniform: mean square 4/5, quantiles 3p² − 1, median m of the modulus with
    √(1+m) − √(1−m) = √3/2.
    """
    aligned = Component(species="aligned", axes="111", gamma=2.0, eta=3.0, zeta=1.0)
    population = Population((aligned,))
    kinds = population.receivers("B"), population.scaled_sources("B")
    found = pair_distances.magnitude("B", *kinds, MEDIUM)
    g = 2.0 * 3.0 / (4 * np.pi * MEDIUM.longitudinal_modulus)
    assert found.rms == pytest.approx(g * np.sqrt(4 / 5), rel=1e-10)
    m = found.median / g
    assert np.sqrt(1 + m) - np.sqrt(1 - m) == pytest.approx(np.sqrt(3) / 2, rel=0.02)
    wanted = 3 * pair_distances.PROBABILITIES**2 - 1
    np.testing.assert_allclose(found.quantile / g, wanted, atol=0.05)
    c, weight = np.polynomial.legendre.leggauss(20)
    fourth = weight @ (3 * c**2 - 1) ** 4 / 2
    assert found.spread == pytest.approx(np.sqrt(fourth / 0.64 - 1) / 2, rel=1e-9)


@pytest.mark.parametrize("coupling", ["U", "U_S_tau", "J"])
@pytest.mark.parametrize("axes", ["111", "isotropic"])
def test_the_magnitude_of_defects_of_many_strengths(coupling, axes):
    """The rms is that of the strength 1 times those of the strengths; the rest against draws."""
    spread = Distribution("lognorm", (("s", 0.7),))
    field = {"U": "U_S", "U_S_tau": "b_gamma", "J": "J_tau"}[coupling]
    many, one = (Component("uniaxial", axes, s, 1.0, s) for s in (spread, 1.0))
    found, unit = (
        pair_distances.drawn_magnitude(coupling, field, Population((c,)), MEDIUM)
        for c in (many, one)
    )
    assert found.rms == pytest.approx(unit.rms * np.exp(2 * 0.7**2), rel=1e-9)
    rng = np.random.default_rng(11)
    receivers, sources = (draw(rng, 40_000, (many,)).tensors for _ in range(2))
    n = rng.normal(size=(40_000, 3))
    n /= np.linalg.norm(n, axis=1)[:, None]
    term = TERMS[coupling]
    values = np.concatenate(
        [
            term.sign
            * np.einsum(
                term.signature("p", "p", "p"),
                getattr(receivers[rows], term.receiver),
                getattr(sources[rows], term.source),
                green_derivatives(n[rows], term.order, MEDIUM),
                optimize=True,
            )
            for rows in (slice(k, k + 4000) for k in range(0, 40_000, 4000))
        ]
    )
    for level, known in zip(pair_distances.PROBABILITIES, found.quantile, strict=True):
        assert np.mean(values <= known) == pytest.approx(level, abs=4 * np.sqrt(0.25 / 40_000))
    assert np.mean(np.abs(values) <= found.median) == pytest.approx(0.5, abs=0.01)
