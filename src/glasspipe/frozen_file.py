"""What a frozen file holds, which depends on the method and the number of replicas."""

from collections.abc import Mapping
from typing import Any

from glasspipe.diagnostics import LOG_BINS, OVERLAP_BINS

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


def names(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the variables of the file, given the section ``freeze`` of a point."""
    overlaps = (*OVERLAPS, "overlap_count") if settings["replicas"] > 1 else ()
    return (*_EVERY, *overlaps, *(_TEMPERED if settings["method"] == "tempering" else ()))


def sizes(settings: Mapping[str, Any]) -> dict[str, int]:
    """Return the sizes of its dimensions, realisations and defects apart."""
    found = {"step": settings["steps"], "replica": settings["replicas"]}
    if settings["replicas"] > 1:
        found["overlap_bin"] = OVERLAP_BINS
    if settings["method"] == "tempering":
        found |= {"gap": settings["steps"] - 1, "log_bin": LOG_BINS}
    return found
