"""What a point may not combine: values that are allowed one by one but not together.

Each check raises one line: the key, what was found with what, and what is allowed.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from glasspipe.defects.lattice import smallest_size
from glasspipe.elastic.medium import CubicMedium, check_compliance
from glasspipe.errors import ConfigError

if TYPE_CHECKING:
    from glasspipe.settings.config import Point

_ROUNDING = 1e-9
_LARGEST_SIZE = 100_000
_MOST_STEPS = 1_000_000


def _check_medium(point: Point) -> None:
    point.interaction  # noqa: B018 (its constructor and the medium's check)
    if point.data["boundary"] == "stress_free":
        check_compliance(point.medium)
    if isinstance(point.medium, CubicMedium) and not point.medium.is_mild:
        from glasspipe.elastic.crystal import check_anisotropy  # compiled: not for every config

        check_anisotropy(point.medium)


def _check_box(point: Point) -> None:
    lattice, defects = point.lattice, point.data["defects"]
    if lattice.size > _LARGEST_SIZE:
        raise ConfigError(
            f"lattice.size: auto needs {lattice.size} cells along an edge for"
            f" {defects['number']} defects at concentration {defects['concentration']};"
            f" allowed: at most {_LARGEST_SIZE}"
        )
    if point.source_file is None and point.defects < 2:
        enough = smallest_size(lattice.type, defects["concentration"], 2)
        raise ConfigError(
            f"defects.concentration: found {defects['concentration']} with lattice.size"
            f" {lattice.size}, which puts {point.defects} defects on {lattice.sites} sites;"
            f" allowed: at least 2 defects, that is lattice.size ≥ {enough}"
        )


def _check_cutoff(point: Point) -> None:
    lattice = point.lattice
    nearest_image = point.data["boundary"] == "minimum_image" and point.source_file is None
    if nearest_image and lattice.edge / 2 <= lattice.neighbour_distance * (1 + 1e-12):
        raise ConfigError(
            f"lattice.size: found {lattice.size} with boundary minimum_image, whose cutoff"
            f" {lattice.edge / 2:.6g} Å does not exceed the nearest-neighbour distance"
            f" {lattice.neighbour_distance:.6g} Å; allowed: lattice.size ≥ {lattice.size + 1}"
        )


def _check_components(point: Point) -> None:
    shares = [component.share for component in point.components]
    if abs(sum(shares) - 1) > _ROUNDING:
        raise ConfigError(
            f"defects.mixture: found shares that add up to {sum(shares):.12g}; allowed: 1"
        )
    lattice, x = point.lattice, point.data["defects"]["concentration"]
    type_, sublattices = point.data["lattice"]["type"], [c.sublattice for c in point.components]
    if type_ != "rock_salt" and set(sublattices) != {"anion"}:
        number = sublattices.index("cation")
        names = point.data["defects"]["mixture"]
        where = "" if names == "none" else f"mixture.{list(names)[number]}."
        raise ConfigError(
            f"defects.{where}sublattice: found cation with lattice.type {type_}, all of whose sites"
            " are alike; allowed: anion (the default), or lattice.type rock_salt"
        )
    if lattice.type == "rock_salt":
        for name in {component.sublattice for component in point.components}:
            share = sum(c.share for c in point.components if c.sublattice == name)
            sites, wanted = lattice.sites // 2, share * x * lattice.sites
            if wanted + 6 * sqrt(wanted * (1 - share)) > sites:
                raise ConfigError(
                    f"defects.concentration: found {x}, which puts about {wanted:.6g} defects on"
                    f" {sites} {name} sites; allowed: well below {0.5 / share:.6g}"
                )


def _check_freeze(point: Point) -> None:
    freeze = point.data["freeze"]
    if freeze["t_end"] >= freeze["t_start"]:
        raise ConfigError(
            f"freeze.t_end: found {freeze['t_end']} with freeze.t_start {freeze['t_start']};"
            " allowed: less than t_start"
        )
    if freeze["method"] == "annealing" and "swap_rate" in freeze:
        raise ConfigError(
            f"freeze.swap_rate: found {freeze['swap_rate']} with freeze.method annealing, which"
            " exchanges nothing; allowed: only with tempering"
        )
    sweeps, steps = point.freeze["sweeps"], point.freeze["steps"]
    if steps > _MOST_STEPS:
        raise ConfigError(
            f"freeze.swap_rate: found {point.freeze['swap_rate']}, which needs {steps}"
            f" temperatures; allowed: at most {_MOST_STEPS}"
        )
    if sweeps % steps:
        raise ConfigError(
            f"freeze.sweeps: found {sweeps} with freeze.steps {steps};"
            f" allowed: a multiple of steps, such as {-(-sweeps // steps) * steps}"
        )


def _check_store(point: Point) -> None:
    asked, needs = point.data["couplings"]["store"], point._never_implicit
    if asked == "implicit" and needs:
        raise ConfigError(
            f"couplings.store: found implicit with {needs}, for which U must be stored;"
            " allowed: auto, float64, float32"
        )
    if point.store != "implicit":
        return
    for section, key, allowed in (
        ("freeze", "method", "annealing"),
        ("hamiltonian", "store", "none"),
    ):
        found = point.data.get(section, {}).get(key, allowed)
        if found != allowed:
            raise ConfigError(
                f"{section}.{key}: found {found} with couplings.store {asked}, which stores no U of"
                f" so many defects; allowed: {allowed}, or couplings.store float64 or float32"
            )


def _check_static_dipole(point: Point) -> None:
    if not any(component.static_dipole != "none" for component in point.components):
        return
    if point.data["formula"] == "as_printed":
        raise ConfigError(
            "formula: found as_printed with defects.static_dipole mean, whose couplings the paper"
            " does not print; allowed: derived, or static_dipole none"
        )
    if point.source_file is not None:
        raise ConfigError(
            "defects.static_dipole: found mean with sample.source.file, whose defects have what its"
            " variable static says; allowed: none"
        )


def _check_source(point: Point) -> None:
    file = point.source_file
    if file is not None and not file.is_file():
        raise ConfigError(
            f"sample.source.file: found {str(file)!r};"
            " allowed: a file that exists, relative to the working directory"
        )


CHECKS = (
    _check_medium,
    _check_box,
    _check_cutoff,
    _check_components,
    _check_static_dipole,
    _check_source,
    _check_freeze,
    _check_store,
)
"""Every check of a point."""
