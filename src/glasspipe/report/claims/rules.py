"""Rules that turn measured numbers into verdicts.

A statement is not refuted by a number that differs from it, nor supported by one that might not. So
every rule asks for a number that is, at three standard errors, on one side of a limit that is fixed
beforehand, and says of all else that it is not decided. Where one of several numbers would do, each
must deviate as far as the largest of so many rarely does by chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import copysign, inf, isfinite, nan
from typing import Literal

import numpy as np
from scipy.special import ndtr, ndtri

from glasspipe.statistics import UNLIKELY, as_normal, chance

Verdict = Literal["supported", "refuted", "not decided"]
SUPPORTED: Verdict = "supported"
REFUTED: Verdict = "refuted"
UNDECIDED: Verdict = "not decided"

TOLERANCE = 1 / 6
"""Of an exponent: half of the least distance between two of the paper's, 1/2, 1, 4/3, 5/3, 3, 4."""
FACTOR = 10.0
"""What ~ leaves open, and what ≫ asks for."""
ABOUT = {"lower": 1 / FACTOR, "upper": FACTOR}
"""Limits of a ratio to an estimate."""
DILUTE = 1e-3
"""Largest x for what is said of x ≪ 1."""
EXACT = 1e-6
"""Of a typical field: what counts as none where no chance is in it."""
FEWEST_REALISATIONS = 12
"""Below them the errors, which are those of whole realisations, hold too rarely."""
_FEWEST = 4
"""Points of a power law."""
_LEAST_RANGE = 10.0
"""Of the largest abscissa over the smallest one."""

EXPONENT = (
    "supported: the exponent, less what exact theory says that the range shifts it by, is within"
    " 1/6 of the paper's at 3σ; refuted: outside at 3σ; not decided: fewer than 4 points or a"
    " decade, theory itself further off than 1/6, or without theory a χ² that rejects any power"
    " (p < 0.0027)"
)
_SMALL = f"x ≪ 1 is read as x ≤ {DILUTE}"
ESTIMATE = (
    "~ is read as within a factor of 10: supported: each ratio at 3σ; refuted: one not, at 3σ"
)
DILUTE_ESTIMATE = f"{_SMALL}; {ESTIMATE}"
LARGER = f"{_SMALL}, ≫ as 10 times; supported: each ratio above it at 3σ; refuted: one below at 3σ"
SMALLER = f"{_SMALL}, ≪ as 1/10; supported: each ratio below it at 3σ; refuted: one above at 3σ"
ORDER = f"{_SMALL}; supported: each ratio below 1 at 3σ; refuted: one above at 3σ"
ZERO = (
    "supported: χ² of the means over their errors is likely (p ≥ 0.0027) and each mean is smaller"
    " than the typical field at 3σ; refuted: χ² is not likely"
)
NONE = "supported: at most 1e-6 of what it is compared with, chance having no part; refuted: more"


@dataclass(frozen=True)
class Finding:
    """A verdict and the number that it rests on.

    Parameters
    ----------
    verdict : {"supported", "refuted", "not decided"}
        What the rule says.
    reason : str
        What it rests on or lacks, in words.
    estimate, stderr, prediction : float
        The number, its standard error, and what the statement makes of it; nan if there is none.
    """

    verdict: Verdict
    reason: str
    estimate: float = nan
    stderr: float = nan
    prediction: float = nan


@dataclass(frozen=True)
class Measured:
    """A number with its standard error, and where in the study it was measured."""

    estimate: float
    stderr: float
    where: str = ""

    def over(self, unit: float) -> "Measured":
        """Return it in a unit, nan in a unit of nothing."""
        unit = unit or nan
        return Measured(self.estimate / unit, self.stderr / unit, self.where)

    @property
    def known(self) -> bool:
        """Whether it has both, so that something can be said of it."""
        return isfinite(self.estimate) and isfinite(self.stderr)


@dataclass(frozen=True)
class Exponent:
    """A fitted power.

    Parameters
    ----------
    estimate, stderr : float
        The effective exponent over the range and its standard error.
    theory : float
        That of exact theory at the same points; nan if there is none.
    p_value : float
        Chance of a worse χ² if the data followed a power.
    points : int
        Number of points.
    smallest, largest : float
        Their abscissae.
    """

    estimate: float
    stderr: float
    theory: float
    p_value: float
    points: int
    smallest: float
    largest: float


def sigmas(numbers: int) -> float:
    """Standard errors that the largest of some deviations exceeds as rarely as a single one 3."""
    return float(-ndtri(ndtr(-3.0) / max(numbers, 1)))


def missing(what: str) -> Finding:
    """Return the finding of a study that does not have what a statement needs."""
    return Finding(UNDECIDED, f"needs {what}")


def exponent(fit: Exponent | None, claimed: float) -> Finding:
    """Judge that something follows a power, by :data:`EXPONENT`.

    Parameters
    ----------
    fit : Exponent or None
        What was fitted, if anything.
    claimed : float
        The exponent of the statement, a limit for ever smaller concentrations.
    """
    if fit is None:
        return missing("a power law through at least 4 points")
    shift = fit.theory - claimed if isfinite(fit.theory) else 0.0

    def found(verdict: Verdict, reason: str) -> Finding:
        return Finding(verdict, reason, fit.estimate, fit.stderr, claimed + shift)

    if fit.points < _FEWEST or fit.largest < _LEAST_RANGE * fit.smallest:
        return found(
            UNDECIDED, f"{fit.points} points over a factor {fit.largest / fit.smallest:.3g}"
        )
    if not isfinite(fit.stderr):
        return found(UNDECIDED, "no error, of a single realisation")
    if abs(shift) > TOLERANCE:
        return found(UNDECIDED, f"theory over this range has {fit.theory:.3f}, far from its limit")
    bent = fit.p_value < UNLIKELY
    if bent and not isfinite(fit.theory):
        return found(UNDECIDED, f"no power law over this range (p = {fit.p_value:.1g})")
    lowest, highest = (fit.estimate - shift - claimed + s * 3 * fit.stderr for s in (-1, 1))
    said = "an effective exponent, for no power law fits" if bent else "a power law fits"
    reason = f"{said} (p = {fit.p_value:.2g})"
    if max(-lowest, highest) <= TOLERANCE:
        return found(SUPPORTED, reason)
    return found(REFUTED if lowest > TOLERANCE or highest < -TOLERANCE else UNDECIDED, reason)


def within(ratios: Sequence[Measured], *, lower: float = -inf, upper: float = inf) -> Finding:
    """Judge that ratios lie between limits: :data:`ESTIMATE`, :data:`LARGER`, :data:`ORDER`.

    The number given is the one that speaks most against the statement.

    Parameters
    ----------
    ratios : sequence of Measured
        Positive numbers, or 0 with an error; others are left out.
    lower, upper : float
        The limits.
    """
    known = [m for m in ratios if m.known and (m.estimate > 0 or m.stderr > 0 == m.estimate)]
    if not known:
        return missing("such a ratio with an error at some point")

    def margin(ratio: Measured) -> float:
        """How far inside the limits a ratio is, in standard errors; negative outside."""
        inside = min(ratio.estimate - lower, upper - ratio.estimate)
        return inside / ratio.stderr if ratio.stderr > 0 else copysign(inf, inside)

    worst, number = min(known, key=margin), sigmas(len(known))
    verdict = UNDECIDED
    if abs(margin(worst)) > number:
        verdict = SUPPORTED if margin(worst) > 0 else REFUTED
    limits = [limit for limit in (lower, upper) if isfinite(limit)]
    prediction = limits[0] if len(limits) == 1 else 1.0
    return Finding(verdict, worst.where, worst.estimate, worst.stderr, prediction)


def zero(means: Sequence[Measured], typical: Sequence[float], realisations: int) -> Finding:
    """Judge that means vanish, by :data:`ZERO`.

    Parameters
    ----------
    means : sequence of Measured
        Means of independent samples.
    typical : sequence of float
        Typical sizes of what the means are of, in the same unit and order.
    realisations : int
        Of each sample, two or more.
    """
    each = zip(means, typical, strict=True)
    pairs = [(m, size) for m, size in each if m.known and m.stderr > 0 and size > 0]
    if not pairs:
        return missing("a mean with an error at some point")
    deviations = np.array([m.estimate / m.stderr for m, _ in pairs])
    total = float(np.sum(as_normal(deviations, realisations - 1) ** 2))
    p = chance(total, len(pairs))
    worst, size = max(pairs, key=lambda pair: abs(pair[0].estimate / pair[0].stderr))
    number = sigmas(len(pairs))
    bounded = all(abs(m.estimate) + number * m.stderr < s for m, s in pairs)
    verdict = REFUTED if p < UNLIKELY else SUPPORTED if bounded else UNDECIDED
    reason = f"χ² = {total:.3g} for {len(pairs)} means (p = {p:.2g}); in units of the typical"
    return Finding(
        verdict, f"{reason}, {worst.where}", worst.estimate / size, worst.stderr / size, 0.0
    )


def none(parts: Sequence[Measured], *, needs: str) -> Finding:
    """Judge that something vanishes exactly, by :data:`NONE`.

    Parameters
    ----------
    parts : sequence of Measured
        What there is of it, over what it is compared with; errors do not count.
    needs : str
        What a study without any such part would need.
    """
    known = [part for part in parts if isfinite(part.estimate)]
    if not known:
        return missing(needs)
    worst = max(known, key=lambda part: part.estimate)
    verdict = SUPPORTED if worst.estimate <= EXACT else REFUTED
    return Finding(verdict, worst.where, worst.estimate, 0.0, 0.0)


def joined(findings: Sequence[Finding]) -> Finding:
    """Return what several say together: refuted by one, else supported by one, else undecided."""
    for verdict in (REFUTED, SUPPORTED):
        of_it = [finding for finding in findings if finding.verdict == verdict]
        if of_it:
            return of_it[0]
    return next((f for f in findings if isfinite(f.estimate)), findings[0])
