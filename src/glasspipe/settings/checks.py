"""What a point may not combine: values that are allowed one by one but not together.

Each check raises one line: the key, what was found with what, and what is allowed.
"""

from collections.abc import Callable
from math import sqrt

from glasspipe.defects.component import exact_numbers
from glasspipe.defects.lattice import smallest_size
from glasspipe.elastic.medium import check_compliance
from glasspipe.errors import ConfigError
from glasspipe.settings.engines import LARGEST_DENSE, MOST_DENSE, fits
from glasspipe.settings.model import ONLY_STORED, Model

_ROUNDING = 1e-9
_LARGEST_SIZE = 100_000
_MOST_STEPS = 1_000_000


def _check_medium(model: Model) -> None:
    model.interaction  # noqa: B018 (its constructor and the medium's check)
    if model.boundary == "stress_free":
        check_compliance(model.medium)
    if not model.medium.is_mild:
        from glasspipe.elastic.crystal import check_anisotropy  # compiled: not for every config

        check_anisotropy(model.medium)


def _check_box(model: Model) -> None:
    lattice, defects = model.lattice, model.sections["defects"]
    if lattice.size > _LARGEST_SIZE:
        raise ConfigError(
            f"lattice.size: auto needs {lattice.size} cells along an edge for"
            f" {defects['number']} defects at concentration {defects['concentration']};"
            f" allowed: at most {_LARGEST_SIZE}"
        )
    if model.source_file is None and model.defects < 2:
        enough = smallest_size(lattice.type, defects["concentration"], 2)
        raise ConfigError(
            f"defects.concentration: found {defects['concentration']} with lattice.size"
            f" {lattice.size}, which puts {model.defects} defects on {lattice.sites} sites;"
            f" allowed: at least 2 defects, that is lattice.size ≥ {enough}"
        )


def _check_cutoff(model: Model) -> None:
    lattice = model.lattice
    nearest_image = model.boundary == "minimum_image" and model.source_file is None
    if nearest_image and lattice.edge / 2 <= lattice.neighbour_distance * (1 + 1e-12):
        raise ConfigError(
            f"lattice.size: found {lattice.size} with boundary minimum_image, whose cutoff"
            f" {lattice.edge / 2:.6g} Å does not exceed the nearest-neighbour distance"
            f" {lattice.neighbour_distance:.6g} Å; allowed: lattice.size ≥ {lattice.size + 1}"
        )


def _check_components(model: Model) -> None:
    shares = [component.share for component in model.components]
    if abs(sum(shares) - 1) > _ROUNDING:
        raise ConfigError(
            f"defects.mixture: found shares that add up to {sum(shares):.12g}; allowed: 1"
        )
    lattice = model.lattice
    type_, sublattices = model.sections["lattice"]["type"], [c.sublattice for c in model.components]
    if type_ != "rock_salt" and set(sublattices) != {"anion"}:
        number = sublattices.index("cation")
        names = model.sections["defects"]["mixture"]
        where = "" if names == "none" else f"mixture.{sorted(names)[number]}."
        raise ConfigError(
            f"defects.{where}sublattice: found cation with lattice.type {type_}, all of whose sites"
            " are alike; allowed: anion (the default), or lattice.type rock_salt"
        )
    if lattice.type == "rock_salt":
        _check_sublattices(model)


def _check_sublattices(model: Model) -> None:
    """Refuse more defects on a sublattice of rock salt than sites, if drawn up to 6σ more."""
    components, x = model.components, model.sections["defects"]["concentration"]
    numbers, sites = exact_numbers(model.defects, components), model.lattice.sites // 2
    for name in ("anion", "cation"):
        mine = [k for k, component in enumerate(components) if component.sublattice == name]
        share, wanted = sum(components[k].share for k in mine), sum(numbers[k] for k in mine)
        most, allowed = float(wanted), f"at most {0.5 / max(share, 0.5):.6g}"
        if model.stoichiometry == "random":
            most += 6 * sqrt(wanted * max(1 - share, 0.0))
            allowed = f"well below {0.5 / max(share, 0.5):.6g}, or stoichiometry exact up to that"
        if most > sites:
            raise ConfigError(
                f"defects.concentration: found {x}, which puts about {wanted} defects on"
                f" {sites} {name} sites; allowed: {allowed}"
            )


def _check_freeze(model: Model) -> None:
    freeze = model.sections["freeze"]
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
    sweeps, steps = model.freeze["sweeps"], model.freeze["steps"]
    if steps > _MOST_STEPS:
        raise ConfigError(
            f"freeze.swap_rate: found {model.freeze['swap_rate']}, which needs {steps}"
            f" temperatures; allowed: at most {_MOST_STEPS}"
        )
    if sweeps % steps:
        raise ConfigError(
            f"freeze.sweeps: found {sweeps} with freeze.steps {steps};"
            f" allowed: a multiple of steps, such as {-(-sweeps // steps) * steps}"
        )


def _check_store(model: Model) -> None:
    asked, needs = model.sections["couplings"]["store"], model.never_implicit
    if asked == "implicit" and needs:
        raise ConfigError(
            f"couplings.store: found implicit with {needs}, for which U must be stored;"
            " allowed: auto, float64, float32"
        )
    if model.store != "implicit":
        return
    number = model.defects_given
    if model.freeze["method"] == "tempering" and not fits(number):
        raise ConfigError(
            f"freeze.method: found tempering with couplings.store {asked} and {number} defects,"
            f" whose U would be made in more than {LARGEST_DENSE / 1e9:g} GB; allowed: annealing,"
            f" at most {MOST_DENSE} defects, or couplings.store float64 or float32"
        )
    for section, key, allowed in ONLY_STORED:
        found = model.sections.get(section, {}).get(key, allowed)
        if found != allowed:
            many = " of so many defects" if asked == "auto" else ""
            raise ConfigError(
                f"{section}.{key}: found {found} with couplings.store {asked}, which stores no U"
                f"{many}; allowed: {allowed}, or couplings.store float64 or float32"
            )


def _check_static_dipole(model: Model) -> None:
    if not any(component.static_dipole != "none" for component in model.components):
        return
    if model.sections["formula"] == "as_printed":
        raise ConfigError(
            "formula: found as_printed with defects.static_dipole mean, whose couplings the paper"
            " does not print; allowed: derived, or static_dipole none"
        )
    if model.source_file is not None:
        raise ConfigError(
            "defects.static_dipole: found mean with sample.source.file, whose defects have what its"
            " variable static says; allowed: none"
        )


_CHECKS: tuple[tuple[Callable[[Model], None], tuple[str, ...]], ...] = (
    (_check_medium, ("medium", "boundary", "formula")),
    (_check_box, ("lattice", "defects", "sample")),
    (_check_cutoff, ("lattice", "defects", "sample", "boundary")),
    (_check_components, ("lattice", "defects")),
    (_check_static_dipole, ("defects", "sample", "formula")),
    (_check_freeze, ("freeze",)),
    (_check_store, ("boundary", "formula", "couplings", "freeze", "lattice", "defects", "sample")),
)
"""Every check, and the sections that it looks at."""


def check(model: Model) -> None:
    """Refuse what the sections that are there say together.

    Raises
    ------
    ConfigError
        If they contradict each other.
    """
    for contradiction, sections in _CHECKS:
        if model.sections.keys() >= set(sections):
            try:
                contradiction(model)
            except ValueError as error:  # of physics, which knows no config
                raise ConfigError(str(error)) from None


def check_source(model: Model) -> None:
    """Refuse a file of defects that is not there. What was made of it can be read without.

    Raises
    ------
    ConfigError
        If there is no such file.
    """
    file = model.source_file
    if file is not None and not file.is_file():
        raise ConfigError(
            f"sample.source.file: found {str(file)!r};"
            " allowed: a file that exists, relative to the working directory"
        )
