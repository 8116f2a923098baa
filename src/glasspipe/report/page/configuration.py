"""The configuration of a study, in words and as a table."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from glasspipe.defects.species import SPECIES
from glasspipe.settings.model import Model
from glasspipe.settings.schema import leaves, schema
from glasspipe.stages.plan import counted
from glasspipe.stages.study_files import StudyFiles

_FEW = 6
_SWEPT = "(swept)"


def words(study: StudyFiles) -> list[str]:
    """Return sentences on what the study varies, on its defects, and on how S was frozen."""
    config, points = study.config, study.points
    models = [point.point.model for point in points]
    steps = [model.freeze["steps"] for model in models]
    realisations = config["realisations"]
    return [
        f"{counted(len(points), 'point')}{_swept(config['sweep'])};"
        f" {counted(realisations, 'realisation')} of the disorder at each, from the seed"
        f" {_told(config, 'seed')}.",
        f"{_defects(config)} in {_medium(config)}, {_sites(config, models)}, boundary"
        f" {_told(config, 'boundary')}.",
        f"S was frozen by {_told(config, 'freeze.method')} of {_told(config, 'freeze.replicas')}"
        f" replica(s) in {_told(config, 'freeze.sweeps')} sweeps over {_span(steps)} temperatures.",
    ]


def _medium(config: Mapping[str, Any]) -> str:
    """Return what is between the defects, its numbers with their units."""
    medium, about = config["medium"], dict(leaves(schema()))
    if isinstance(medium, str) or _told(config, "medium") == _SWEPT:
        return _told(config, "medium")
    numbers = (
        (key, _text(value), about[f"medium.{key}"].get("unit")) for key, value in medium.items()
    )
    return "a medium of " + ", ".join(" ".join(filter(None, one)) for one in numbers)


def _sites(config: Mapping[str, Any], models: Sequence[Model]) -> str:
    """Return where the defects are; those of a file are on no lattice that could be known."""
    if any(model.source_file is not None for model in models):
        return "in the periodic boxes that come with them"
    return (
        f"on sites of the lattice {_told(config, 'lattice.type')} (constant"
        f" {_told(config, 'lattice.constant')} Å), in periodic boxes of"
        f" {_span([model.lattice.edge for model in models])} Å"
    )


def _defects(config: Mapping[str, Any]) -> str:
    """Return what the defects are."""
    defects, source = config["defects"], _told(config, "sample.source")
    if source == _SWEPT:
        return f"Defects of the source {source}"
    if source != "lattice":
        return f"Defects of the file {config['sample']['source']['file']}"
    if defects["mixture"] != "none":
        return f"Defects of several kinds, {' and '.join(defects['mixture'])},"
    strengths = ", ".join(
        f"{name} = {_told(config, f'defects.{key}')} {unit}"
        for name, key, unit in (("γ₀", "gamma", "eV"), ("η", "eta", "eV"), ("ζ₀", "zeta", "eV Å"))
    )
    species = _told(config, "defects.species")
    drawn = species not in SPECIES or SPECIES[species].axes
    axes = f", axes {_told(config, 'defects.axes')}" if drawn else ""
    return f"Defects of the species {species}{axes}, with {strengths},"


def _swept(sweep: Mapping[str, Any]) -> str:
    """Return what varies and how far."""
    return "".join(f", {key} {_range(how)}" for key, how in sweep.items())


def _range(how: Mapping[str, Any]) -> str:
    values = how.get("values")
    if values is None:
        (kind, grid), *_ = how.items()
        scale = " on a logarithmic scale" if kind == "log" else ""
        return f"from {grid['start']:g} to {grid['stop']:g} in {grid['number']} steps{scale}"
    shown = [_text(value) for value in values]
    if len(shown) > _FEW:
        return f"from {shown[0]} to {shown[-1]} in {len(shown)} values"
    return ", ".join(shown)


def _told(config: Mapping[str, Any], key: str) -> str:
    """Return a value of the config, or that it varies."""
    if any(name == key or name.startswith(f"{key}.") for name in config["sweep"]):
        return _SWEPT
    found: Any = config
    for name in key.split("."):
        found = found.get(name, "") if isinstance(found, Mapping) else ""
    return _text(found)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _span(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"


def table(config: Mapping[str, Any]) -> pd.DataFrame:
    """Return a row for each key: its value, its unit and what it means."""
    about = dict(leaves(schema()))
    rows = [
        {
            "key": key,
            "value": _text(value),
            "unit": about.get(key, {}).get("unit", ""),
            "meaning": about.get(key, {}).get("description", ""),
        }
        for key, value in _leaves(config)
    ]
    return pd.DataFrame(rows)


def _leaves(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value with its dotted key; a sweep of a key is one value."""
    for name, value in config.items():
        key = f"{prefix}{name}"
        nested = isinstance(value, Mapping) and not prefix.startswith("sweep.")
        yield from _leaves(value, f"{key}.") if nested else [(key, value)]
