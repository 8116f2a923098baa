"""Which numbers of a study speak for and against each statement, and which rule judges them.

A judge takes the evidence of a study to a finding. One that works on a series of concentrations is
asked about each, and what they say is joined.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise
from math import inf, log, nan

import numpy as np

from glasspipe.elastic.medium import Medium
from glasspipe.report.claims import rules
from glasspipe.report.claims.evidence import Evidence, Place, Statistic, as_it_is, power_law
from glasspipe.report.claims.rules import Finding, Measured
from glasspipe.report.presentation import PAPERS_ORDER, TYPICAL, WIDTH
from glasspipe.theory.population import Population

Places = tuple[Place, ...]
Judge = Callable[[Evidence], Finding]

_MEDIAN_SUM = 33.53
"""Median of Σ_j 1/R_j⁴ over n^(4/3): ((4π/3) Γ(1/4))^(4/3) times that of a one-sided stable law."""
_STRENGTHS = ("defects.gamma", "defects.eta")
_SPHERE, _NEEDS_SPHERE = "spherical", "the spherical boundary"
"""Which adds no homogeneous strain to B, whatever medium and box: ⟨B⟩ = 0 is said of it."""


def of_series(judge: Callable[[Evidence, Places], Finding]) -> Judge:
    """Ask about each series of concentrations, and join what they say."""

    def judged(evidence: Evidence) -> Finding:
        found = []
        for places in evidence.series:
            finding, label = judge(evidence, places), places[0].series
            if label and label not in finding.reason:
                finding = replace(finding, reason=f"{finding.reason}; {label}")
            found.append(finding)
        return rules.joined(found)

    return judged


def power(what: Statistic, against: str, claimed: float) -> Judge:
    """Whether the power that the study fitted is the claimed one."""
    return of_series(
        lambda evidence, places: rules.exponent(evidence.fit(what, against, places), claimed)
    )


def dilute_ratio(
    above: Statistic,
    below: Statistic,
    unit: Callable[[Place], float] = as_it_is,
    *,
    lower: float = -inf,
    upper: float = inf,
) -> Judge:
    """Whether the ratio of two statistics in a unit is between limits at every small x."""

    def judge(evidence: Evidence, places: Places) -> Finding:
        few = _dilute(places)
        if not few:
            return rules.missing(f"a point with x up to {rules.DILUTE:g}")
        return rules.within(evidence.ratios(above, below, few, unit), lower=lower, upper=upper)

    return of_series(judge)


def _dilute(places: Places) -> Places:
    """Those with x ≪ 1; the realised x may be a little above the wanted one."""
    return tuple(place for place in places if place.x <= 1.01 * rules.DILUTE)


def gamma_over_eta(place: Place) -> float:
    """Return γ/η, nan if it is not known or η is 0."""
    eta = place.strength("eta")
    return place.strength("gamma") / eta if eta else nan


def gradient_scale(place: Place) -> float:
    """Return (ζ/γ) x^(1/3)/a, what the paper expects of ζ over γ (section II)."""
    gamma = place.strength("gamma")
    return place.strength("zeta") / gamma / place.spacing * place.x ** (1 / 3) if gamma else nan


@of_series
def mean(evidence: Evidence, places: Places) -> Finding:
    """Whether ⟨B⟩ vanishes, where the boundary makes no field of its own."""
    places = tuple(place for place in places if place.boundary == _SPHERE)
    if not places:
        return rules.missing(_NEEDS_SPHERE)
    sizes = (evidence.known(("B", name), places)["estimate"] for name in (TYPICAL, WIDTH))
    typical = [typical or width for typical, width in zip(*sizes, strict=True)]
    return rules.zero(evidence.values(("B", "mean"), places), typical, evidence.realisations)


def fields_on_tau(evidence: Evidence) -> Finding:
    """Whether typical b^γ/b^η follows γ/η where only those two differ."""
    groups: dict[str, list[Place]] = {}
    for place in evidence.places:
        rest = {key: value for key, value in place.swept.items() if key not in _STRENGTHS}
        groups.setdefault(str(rest), []).append(place)
    found = []
    for places in map(tuple, groups.values()):
        ratios = evidence.ratios(("b_gamma", TYPICAL), ("b_eta", TYPICAL), places)
        strengths = [gamma_over_eta(place) for place in places]
        fit = power_law(strengths, ratios, evidence.realisations)
        finding = rules.exponent(fit, 1.0)
        found.append(replace(finding, reason=f"{finding.reason}; x = {places[0].x:.4g}"))
    return rules.joined(found)


@of_series
def order(evidence: Evidence, places: Places) -> Finding:
    """Whether each term of (74) is weaker than the one before it."""
    found = [
        replace(ratio, where=f"{weaker}/{stronger} at {ratio.where}")
        for stronger, weaker in pairwise(PAPERS_ORDER)
        for ratio in evidence.ratios((weaker, TYPICAL), (stronger, TYPICAL), _dilute(places))
    ]
    return rules.within(found, upper=1.0)


def _free(evidence: Evidence, places: Places) -> tuple[list[float], list[Measured]]:
    """D_0/(xU_0) where it is a fraction, and the fraction of S that is free."""
    paper = evidence.known(("free_S", "paper"), places)["estimate"].tolist()
    few = [(place, value) for place, value in zip(places, paper, strict=True) if 0 < value <= 1]
    found = evidence.values(("free_S", "fraction"), tuple(place for place, _ in few))
    return [value for _, value in few], found


@of_series
def free(evidence: Evidence, places: Places) -> Finding:
    """Whether the free fraction is D_0/(xU_0) but for a factor."""
    paper, found = _free(evidence, places)
    ratios = [part.over(value) for part, value in zip(found, paper, strict=True)]
    return rules.within(ratios, **rules.ABOUT)


@of_series
def free_against_scale(evidence: Evidence, places: Places) -> Finding:
    """Whether the free fraction is proportional to D_0/(xU_0)."""
    paper, found = _free(evidence, places)
    if any(part.estimate == 0 for part in found):
        return rules.missing("a free S at every point")
    return rules.exponent(power_law(paper, found, evidence.realisations), 1.0)


@of_series
def freezing(evidence: Evidence, places: Places) -> Finding:
    """Whether T_G is xU_0 but for a factor."""
    found = []
    for place in places:
        scale = place.x * evidence.energy_scale(place)
        by_overlap, by_heat = (
            evidence.values(("T_G", how), (place,), scale) for how in ("overlap_half", "heat_peak")
        )
        found += by_overlap if by_overlap[0].known else by_heat
    return rules.within(found, **rules.ABOUT)


def pure_dilatation(evidence: Evidence) -> Finding:
    """Whether there is no B where γ ∝ δ."""
    found = []
    for place in evidence.places:
        if place.model is None or place.model.source_file is not None:
            continue
        if place.boundary != _SPHERE:
            continue
        gamma = Population(place.model.components).receivers("B").kinds.gamma
        spherical = np.einsum("kaa,bc->kbc", gamma, np.eye(3)) / 3
        if spherical.any() and np.allclose(gamma, spherical, rtol=0, atol=1e-12 * gamma.max()):
            scale = place.x * place.field_scale
            found += evidence.values(("B", "median_abs"), (place,), scale)
    return rules.none(found, needs=f"defects whose γ is a multiple of δ, and {_NEEDS_SPHERE}")


@of_series
def crossing(evidence: Evidence, places: Places) -> Finding:
    """Whether the median |B| is D_0 where x is D_0 γ/(U_0 η) but for a factor."""
    B = evidence.values(("B", "median_abs"), places)
    found = []
    for (one, low), (two, high) in pairwise(zip(places, B, strict=True)):
        D = one.strength("D")
        if not 0 < low.estimate < D < high.estimate:
            continue
        slope = log(high.estimate / low.estimate) / log(two.x / one.x)
        x = one.x * (D / low.estimate) ** (1 / slope)
        relative = max(part.stderr / part.estimate for part in (low, high)) / slope
        where = f"the median |B| is D_0 at x = {x:.3g}"
        paper = D / (one.field_scale or nan)
        found.append(Measured(x, x * relative, where).over(paper))
    return rules.within(found, **rules.ABOUT)


def transverse(evidence: Evidence) -> Finding:
    """Whether the median |B| knows nothing of c_t, in samples that differ in c_t alone."""
    found = []
    for pair in evidence.pairs(_all_but_c_t):
        B, U_S = (evidence.values((name, "median_abs"), pair) for name in ("B", "U_S"))
        change, beside = (abs(two.over(one.estimate).estimate - 1) for one, two in (B, U_S))
        found.append(Measured(change, 0.0, f"c_t changed at {pair[0].where}").over(beside))
    return rules.none(found, needs="two points that differ in c_t alone, not free of stress")


def _all_but_c_t(place: Place) -> str | None:
    """All that a place in an isotropic medium is but for c_t, as text.

    The strain of a box that is free of stress knows of c_t.
    """
    if place.model is None or not isinstance(place.model.medium, Medium):
        return None
    if place.boundary == "stress_free":
        return None
    sections = deepcopy(place.model.resolved)
    del sections["medium"]["c_t"]
    return json.dumps(sections, sort_keys=True)


def sum_of_fourth_powers(field: str, source: str) -> Judge:
    """Whether a typical b is (source)ζ/(ρc_l²) Σ_j 1/R_ij⁴ but for a factor.

    The sum is of terms of one sign at random sites, and its median taken as typical.
    """

    def judge(evidence: Evidence, places: Places) -> Finding:
        found = []
        for place in _dilute(places):
            strengths = place.strength(source) * place.strength("zeta")
            paper = strengths / place.stiffness * _MEDIAN_SUM * place.density ** (4 / 3)
            found += evidence.values((field, TYPICAL), (place,), paper)
        return rules.within(found, **rules.ABOUT)

    return of_series(judge)


def undecidable(_: Evidence) -> Finding:
    """No run of finite samples decides."""
    return rules.missing("the equilibrium of ever larger samples, which no run reaches")
