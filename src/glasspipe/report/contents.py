"""What the report of a study has: known from its config, before it runs.

A figure that a study cannot decide would be drawn empty; it is left out, and the summary says what
would have to vary for it.
"""

from collections.abc import Mapping
from typing import Any

from glasspipe.report.observable import Figure, Table
from glasspipe.report.observables import OBSERVABLES

FIGURES = {page.name: page for observable in OBSERVABLES for page in observable.figures}
TABLES = {page.name: page for observable in OBSERVABLES for page in observable.tables}


def figures_of(config: Mapping[str, Any]) -> tuple[Figure, ...]:
    """Return the figures of a study, given its complete config."""
    return tuple(page for page in FIGURES.values() if not page.missing(config))


def tables_of(config: Mapping[str, Any]) -> tuple[Table, ...]:
    """Return the tables of a study, given its complete config."""
    return tuple(page for page in TABLES.values() if not page.missing(config))


def undecided(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the figures that a study does not have, and what each would need."""
    found = {name: page.missing(config) for name, page in FIGURES.items()}
    return {name: needs for name, needs in found.items() if needs}
