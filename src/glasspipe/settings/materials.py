"""Materials: ready settings of a study that its file can override key by key.

A material is resolved when a config is read and leaves no trace but its values, so a study that
writes the same values out has the same results under the same names.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from textwrap import wrap
from typing import Any

import yaml

from glasspipe.elastic.medium import PRESETS, medium_from
from glasspipe.settings.schema import find, schema, validate

_WHOLE = ({"c_l", "c_t"}, {"c11", "c12", "c44"})
"""What makes a medium one's own."""
_WIDTH = 100


@dataclass(frozen=True)
class Material:
    """Settings of a material.

    Parameters
    ----------
    about : str
        What it is.
    settings : mapping
        By dotted key, the ``value`` and its ``source``.
    """

    about: str
    settings: Mapping[str, Mapping[str, Any]]

    @property
    def config(self) -> dict[str, Any]:
        """The settings as sections of a study."""
        sections: dict[str, Any] = {}
        for key, setting in self.settings.items():
            section, _, leaf = key.partition(".")
            if leaf:
                sections.setdefault(section, {})[leaf] = setting["value"]
            else:
                sections[section] = setting["value"]
        return sections


@cache
def materials() -> dict[str, Material]:
    """Return every material by name."""
    text = resources.files("glasspipe.settings").joinpath("materials.yaml").read_text("utf-8")
    return {name: Material(**each) for name, each in yaml.safe_load(text)["materials"].items()}


def resolved(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config with the settings of its material filled in where it has none of its own.

    A medium of which only some numbers are given keeps the others of the material's; one with its
    own velocities or moduli, all of them, keeps the density at most.

    Raises
    ------
    ConfigError
        If there is no such material.
    """
    name = config.get("material", "none")
    validate(schema()["properties"]["material"], name, "material")
    filled = dict(config)
    for section, value in materials()[name].config.items() if name != "none" else ():
        if section not in config:
            filled[section] = value
        elif isinstance(config[section], Mapping):
            base = _kept(value, config[section]) if section == "medium" else value
            filled[section] = {**base, **config[section]}
    return filled


def _kept(medium: str | Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is kept of a material's medium beside what is given."""
    if "preset" in given:
        return {}
    if any(own <= set(given) for own in _WHOLE):
        return {"density": medium_from(medium).density}
    return {"preset": medium} if isinstance(medium, str) else medium


def listing() -> str:
    """Return what `glasspipe materials` prints: every value with its source."""
    lines = ["Media (medium: NAME, or {preset: NAME, KEY: VALUE, …})", ""]
    units = {"density": "g/cm³", "c_l": "km/s", "c_t": "km/s"}
    for name, preset in PRESETS.items():
        values = asdict(preset.medium)
        shown = [f"{key} {value:g} {units.get(key, 'GPa')}" for key, value in values.items()]
        kind = "cubic" if preset.medium.about else "isotropic"
        lines += [f"  {name} ({kind}): {', '.join(shown)}", *_indented(preset.medium.about)]
        lines += _indented(preset.source)
    lines += ["", "Materials (material: NAME; any key beside it overrides one of these)"]
    for name, material in materials().items():
        lines += ["", f"  {name}: {material.about}", *_settings(material)]
    return "\n".join(lines)


def _settings(material: Material) -> Iterator[str]:
    for key, setting in material.settings.items():
        node = find(schema(), key)
        unit = "" if node is None else node.get("unit", "")
        value = setting["value"]
        shown = yaml.safe_dump(value, default_flow_style=True).strip().removesuffix("\n...")
        yield f"    {key:20} {f'{shown} {unit}'.rstrip():28} {setting['source']}"


def _indented(text: str) -> list[str]:
    return wrap(text, _WIDTH, initial_indent="      ", subsequent_indent="      ")
