"""How well spins were frozen, and what they show on the way: numbers from the traces alone.

Nothing here knows the ground state, so quality is what can be seen from inside: whether the run
began hot and ended cold, how much the final quench still found to gain, whether replicas agree. The
limits were set by runs known to be poor or good (`docs/freezing.md`); each is exceeded by a run
with a tenth of the sweeps, or ended at four times the temperature.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Data = Mapping[str, NDArray[Any]]

OVERLAP_BINS = 40
"""Equal bins of the overlap q from −1 to 1."""

SMALL = 0.05
"""Share of the local fields that count as small."""

LOG_BINS = 6
"""Bins of tempered sweeps: the last half, the quarter before it, the eighth before that, …"""


def fluctuation(energies: Array) -> Array:
    """Return the variance of the energy from its sweeps at each temperature.

    ½⟨(E_t − E_{t+k})²⟩, the mean of k half of the sweeps and one more: unbiased where sweeps so far
    apart are independent, or alternate as those of hot spins do, which turn in every sweep. The
    variance about their own mean is too small by twice the correlation time over their number.

    Parameters
    ----------
    energies : array, shape (..., sweeps)
        In sequence.

    Returns
    -------
    array, shape (...)
        In the unit of the energies, squared; NaN of a single sweep.
    """
    sweeps = energies.shape[-1]
    lags = [lag for lag in (sweeps // 2, sweeps // 2 + 1) if 0 < lag < sweeps]
    if not lags:
        return np.full(energies.shape[:-1], np.nan)
    apart = [energies[..., lag:] - energies[..., : sweeps - lag] for lag in lags]
    return np.mean([np.mean(each**2, axis=-1) / 2 for each in apart], axis=0)


def traces(energies: Array) -> dict[str, Array]:
    """Return the mean energy at each temperature of an anneal and its variance.

    An anneal starts from random spins: at the first temperature the later half of sweeps counts.

    Parameters
    ----------
    energies : array, shape (replicas, steps, sweeps)
        Total energies after each sweep, eV.

    Returns
    -------
    dict of str to array, shape (replicas, steps)
        ``trace_energy`` in eV and ``trace_energy_variance`` in eV².
    """
    late = energies[:, 0, energies.shape[2] // 2 :]
    mean, variance = energies.mean(axis=2), fluctuation(energies)
    mean[:, 0], variance[:, 0] = late.mean(axis=1), fluctuation(late)
    return {"trace_energy": mean, "trace_energy_variance": variance}


def specific_heat(variance: Array, T: Array, size: int) -> Array:
    """Return C/N = (⟨E²⟩ − ⟨E⟩²)/(N T²) at each temperature, from the energy's fluctuations.

    What changes more slowly than the sweeps at a temperature last is missing, so that C is too low
    where the spins freeze; `heat_slope` has it.

    Parameters
    ----------
    variance : array, shape (replicas, steps)
        Of the total energy at each temperature, from :func:`fluctuation`, eV².
    T : array, shape (steps,)
        Temperatures k_B T, eV.
    size : int
        Number of spins.

    Returns
    -------
    array, shape (steps,)
        In units of k_B, mean over the replicas; NaN where T is 0.
    """
    return variance.mean(axis=0) / (size * np.where(T > 0, T, np.nan) ** 2)


def heat_slope(energy: Array, T: Array) -> Array:
    """Return C/N = d(E/N)/dT along an anneal, what a calorimeter would measure.

    In equilibrium it is the specific heat of the fluctuations.

    Parameters
    ----------
    energy : array, shape (..., steps)
        Mean energy per spin, eV.
    T : array, shape (steps,)
        Falling temperatures k_B T, eV, all positive.

    Returns
    -------
    array, shape (..., steps)
        In units of k_B.
    """
    return np.gradient(energy, T, axis=-1)


@dataclass(frozen=True)
class Criterion:
    """A limit that a well frozen sample keeps.

    Parameters
    ----------
    name : str
        What is measured.
    least, most : float
        Its limits.
    advice : str
        What to do about it.
    """

    name: str
    advice: str
    least: float = -np.inf
    most: float = np.inf

    def complaint(self, value: float) -> str:
        """Return what is wrong, or nothing."""
        if value < self.least:
            return f"{self.name} is {value:.2g}, below {self.least:g}: {self.advice}"
        if value > self.most:
            return f"{self.name} is {value:.2g}, above {self.most:g}: {self.advice}"
        return ""


CRITERIA = {
    "acceptance_start": Criterion("acceptance at t_start", "raise freeze.t_start", least=0.6),
    "acceptance_end": Criterion("acceptance at t_end", "lower freeze.t_end", most=0.03),
    "quench_gain": Criterion("share of the energy won by the quench", "more sweeps", most=0.015),
    "replica_spread": Criterion("spread of the replicas' energies", "more sweeps", most=0.007),
    "swap_rate_reached": Criterion(
        "lowest rate of exchanges over freeze.swap_rate", "more freeze.steps, or sweeps", least=0.5
    ),
    "round_trips": Criterion("fewest round trips of a set of states", "more sweeps", least=1.0),
    "drift": Criterion("drift of the energies while measured", "more sweeps", least=-0.001),
}
"""What is asked of a run, by the name of the measure; energies are in units of the frozen one."""

ERRORS = ("anneal_error", "field_error", "staleness")
"""Known errors of fields where U is not stored, see `glasspipe.spins.nearfar.Accuracy`."""


def measures(data: Data, *, swap_rate: float = np.nan) -> dict[str, Array]:
    """Return what :data:`CRITERIA` judge, and the lowest swap rate itself, for each realisation.

    Parameters
    ----------
    data : mapping of str to array
        Variables of a frozen file, the first axis being the realisations: ``T``, ``energy``,
        ``acceptance``, ``trace_energy``, ``replica_energy``; from tempering ``swap_rate``,
        ``round_trips`` and ``log_energy``; :data:`ERRORS` where U is not stored.
    swap_rate : float
        What the swap rate was to be.

    Returns
    -------
    dict of str to array, shape (realisations,)
        Only what there is: the replicas' disagreement needs two, and only where U is not stored are
        its errors known, ``anneal_error``, ``field_error`` and ``staleness``.
    """
    found = {name: data[name] for name in ERRORS if name in data}
    unit = np.where(data["T"][:, 0] > 0, np.abs(data["energy"]), np.nan)
    acceptance, replicas = data["acceptance"].mean(axis=1), data["replica_energy"]
    for name, value in (("start", acceptance[:, 0]), ("end", acceptance[:, -1])):
        found[f"acceptance_{name}"] = np.where(np.isfinite(unit), value, np.nan)
    if replicas.shape[1] > 1:
        found["replica_spread"] = replicas.std(axis=1, ddof=1) / unit
    if "swap_rate" in data:
        lowest = np.where(np.isfinite(unit), data["swap_rate"].mean(axis=1).min(axis=1), np.nan)
        trips = np.where(np.isfinite(unit), data["round_trips"].min(axis=1), np.nan)
        found |= {"swap_rate": lowest, "swap_rate_reached": lowest / swap_rate}
        found["round_trips"] = trips
        late, earlier = data["log_energy"][:, :, 0], data["log_energy"][:, :, 1]
        found["drift"] = (late - earlier).mean(axis=(1, 2)) / unit
    else:
        found["quench_gain"] = (data["trace_energy"][:, :, -1] - replicas).mean(axis=1) / unit
    return found


def complaints(means: Mapping[str, float]) -> list[str]:
    """Return what is poor about a run, given its measures' means over realisations."""
    judged = {name: value for name, value in means.items() if name in CRITERIA}
    return [line for name, value in judged.items() if (line := CRITERIA[name].complaint(value))]


def overlap_in_field(B: Array, T: Array) -> Array:
    """Return (1/N) Σ_i tanh²(B_i/T), the overlap of spins without couplings in the same fields.

    A random field gives replicas something in common at any temperature; freezing is what they
    have in common beyond that.

    Parameters
    ----------
    B : array, shape (N,)
        Random fields, eV (29).
    T : array, shape (steps,)
        Temperatures, eV, positive.

    Returns
    -------
    array, shape (steps,)
    """
    return np.array([np.mean(np.tanh(B / t) ** 2) for t in T])


def heat_in_fields(h: Array, T: Array) -> Array:
    """Return C/N = (1/N) Σ_i (h_i/T)² sech²(h_i/T) of spins that turn in fields of their own.

    With the final local fields it is the heat of the frozen spins as if they were decoupled: what a
    maximum of the specific heat shows beyond it is due to their interactions.

    Parameters
    ----------
    h : array, shape (N,)
        Fields, eV.
    T : array, shape (steps,)
        Temperatures, eV, positive.

    Returns
    -------
    array, shape (steps,)
        In units of k_B.
    """
    return np.array(
        [np.mean((h / t) ** 2 / np.cosh(np.minimum(np.abs(h / t), 300)) ** 2) for t in T]
    )


def crossing(T: Array, curves: Array, level: float = 0.5) -> Array:
    """Return the temperatures where curves first reach a level on cooling.

    Parameters
    ----------
    T : array, shape (steps,)
        Falling temperatures.
    curves : array, shape (..., steps)
        What rises on cooling.
    level : float
        What it is to reach.

    Returns
    -------
    array, shape (...)
        Interpolated in ln T; NaN where the level is never reached, or reached at the start.
    """
    above = curves >= level
    after = np.clip(above.argmax(axis=-1), 1, None)
    high, low = _take(curves, after), _take(curves, after - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.clip((level - low) / (high - low), 0, 1)
    log_T, last = np.log(T), after - 1
    found = np.exp(log_T[last] + share * np.diff(log_T)[last])
    return np.where(above.any(axis=-1) & ~above[..., 0], found, np.nan)


def _take(curves: Array, at: NDArray[np.int64]) -> Array:
    """Return the value (...) of each curve (..., steps) at a step of its own (...)."""
    return np.take_along_axis(curves, at[..., None], axis=-1)[..., 0]


def peak(T: Array, curves: Array, window: int = 5) -> Array:
    """Return the temperatures of the maxima of curves, smoothed over ``window`` steps.

    The maximum is that of the parabola in ln T through the largest mean and its neighbours.

    Parameters
    ----------
    T : array, shape (steps,)
        Falling temperatures.
    curves : array, shape (..., steps)
        Curves.
    window : int
        Steps, odd, of the running mean.

    Returns
    -------
    array, shape (...)
        NaN where the largest value is at an end: there may be more beyond.
    """
    if curves.shape[-1] < window + 2:
        return np.full(curves.shape[:-1], np.nan)
    views = np.lib.stride_tricks.sliding_window_view(curves, window, axis=-1)
    smooth = views.mean(axis=-1)
    log_T = np.lib.stride_tricks.sliding_window_view(np.log(T), window).mean(axis=-1)
    best = smooth.argmax(axis=-1)
    inside = (best > 0) & (best < smooth.shape[-1] - 1)
    middle = np.clip(best, 1, smooth.shape[-1] - 2)
    x, y = (
        [log_T[middle + n] - log_T[middle] for n in (-1, 1)],
        [_take(smooth, middle + n) - _take(smooth, middle) for n in (-1, 1)],
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = (y[0] * x[1] ** 2 - y[1] * x[0] ** 2) / (2 * (y[0] * x[1] - y[1] * x[0]))
    return np.exp(np.where(inside, log_T[middle] + np.nan_to_num(shift), np.nan))


def gap_exponent(h: Array, share: float = SMALL) -> float:
    """Return θ of P(|h|) ∝ |h|^θ, of the smallest local fields.

    Of the k smallest |h|, the fraction ``share`` of all, 1 + θ = (k − 2)/Σ ln(h_k/|h|), summed over
    those below the largest, h_k: unbiased. A density without a gap has θ = 0.

    Parameters
    ----------
    h : array
        Local fields in one unit.
    share : float
        Which fraction of them is small.

    Returns
    -------
    float
        NaN if there are fewer than ten, fields vanish, or all are equal.
    """
    magnitude = np.abs(h).ravel()
    number = int(share * magnitude.size)
    small = np.sort(np.partition(magnitude, number)[:number])
    if len(small) < 10 or not 0 < small[0] < small[-1]:
        return float("nan")
    return float((len(small) - 2) / np.log(small[-1] / small[:-1]).sum() - 1)
