"""What the report of a study has: known from its config, before it runs.

A figure that a study cannot decide would be drawn empty; it is left out, and the summary says what
would have to vary for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Page:
    """A figure or a table.

    Parameters
    ----------
    name : str
        Of its files.
    needs : tuple of str
        Keys of which one must be swept for it; none if it is always there.
    replicas : int
        Replicas that some point must have.
    """

    name: str
    needs: tuple[str, ...] = ()
    replicas: int = 1

    def missing(self, config: Mapping[str, Any]) -> str:
        """Return what a study would need for it, empty if it has that."""
        varied = {key for key, how in config["sweep"].items() if len(how.get("values", "..")) > 1}
        if self.needs and not varied & set(self.needs):
            return f"a sweep of {' or '.join(self.needs)}"
        swept = config["sweep"].get("freeze.replicas", {"values": [config["freeze"]["replicas"]]})
        several = max(swept.get("values", [self.replicas])) >= self.replicas
        return "" if several else f"freeze.replicas of {self.replicas} or more"


_STRENGTHS = ("defects.gamma", "defects.eta", "defects.zeta")

FIGURES = (
    Page("typical_and_width"),
    Page("fields_against_x"),
    Page("distribution_B"),
    Page("distribution_b_tau"),
    Page("energy_temperature"),
    Page("freezing"),
    Page("freezing_temperature"),
    Page("overlap_distribution", replicas=2),
    Page("random_field"),
    Page("energy_sweeps", needs=("freeze.sweeps",)),
    Page("couplings_distance"),
    Page("tau_ratios", needs=_STRENGTHS),
    Page("free_spins"),
    Page("levels"),
)
TABLES = (
    Page("summary"),
    Page("fields"),
    Page("fits"),
    Page("freezing"),
    Page("sweeps", needs=("freeze.sweeps",)),
    Page("strengths"),
    Page("tunnelling"),
)


def figures_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the figures of a study, given its complete config."""
    return tuple(page.name for page in FIGURES if not page.missing(config))


def tables_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the tables of a study, given its complete config."""
    return tuple(page.name for page in TABLES if not page.missing(config))


def undecided(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the figures that a study does not have, and what each would need."""
    found = {page.name: page.missing(config) for page in FIGURES}
    return {name: needs for name, needs in found.items() if needs}
