"""What a frozen file holds, which depends on the method and the number of replicas."""

from collections.abc import Mapping
from typing import Any

from glasspipe.spins.diagnostics import ERRORS, LOG_BINS, OVERLAP_BINS

_EVERY = (
    "S",
    "h",
    "B",
    "energy",
    "T",
    "trace_energy",
    "trace_energy_variance",
    "acceptance",
    "specific_heat",
    "replica_S",
    "replica_energy",
    "unstable",
)
OVERLAPS = ("overlap", "overlap_abs", "overlap_squared")
"""Means of q, |q| and q² at each temperature."""

_TEMPERED = ("swap_rate", "round_trips", "round_trip_time", "log_energy")


_ACCURACY = (*ERRORS, "near_neighbours", "anneal_mesh")


def names(settings: Mapping[str, Any], store: str) -> tuple[str, ...]:
    """Return the variables of the file.

    Parameters
    ----------
    settings : mapping
        The section ``freeze`` of a point.
    store : str
        How its U is stored.
    """
    found: tuple[str, ...] = _EVERY
    if settings["replicas"] > 1:
        found += (*OVERLAPS, "overlap_count")
    if settings["method"] == "tempering":
        found += _TEMPERED
    return found + (_ACCURACY if store == "implicit" else ("U_norm",))


def sizes(settings: Mapping[str, Any]) -> dict[str, int]:
    """Return the sizes of its dimensions, realisations and defects apart."""
    found = {"step": settings["steps"], "replica": settings["replicas"], "axis": 3}
    if settings["replicas"] > 1:
        found["overlap_bin"] = OVERLAP_BINS
    if settings["method"] == "tempering":
        found |= {"gap": settings["steps"] - 1, "log_bin": LOG_BINS}
    return found
