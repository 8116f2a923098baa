"""What a study may say: the schema, its defaults, and errors that a reader can act on.

A validator's own message shows the schema's view ("is not valid under any of the given schemas").
Here each error becomes one line: the dotted key, what was found, and what is allowed, the last
put together from the same schema that refused it.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import resources
from math import isfinite
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError, validators

from glasspipe.defects.lattice import LATTICES
from glasspipe.defects.species import SPECIES
from glasspipe.errors import ConfigError

Schema = Mapping[str, Any]


@cache
def schema() -> Schema:
    """Return the schema of a study file (not to be modified)."""
    text = resources.files("glasspipe.settings").joinpath("config.schema.yaml").read_text("utf-8")
    found = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    about = "; ".join(f"`{name}`: {species.about}" for name, species in SPECIES.items())
    for key in ("defects.species", "defects.mixture.any.species"):
        of_species: Any = find(found, key)
        of_species.update(description=f"{about}.", enum=list(SPECIES))
    of_lattices: Any = find(found, "lattice.type")
    of_lattices.update(enum=list(LATTICES))
    return found


def leaves(node: Schema, prefix: str = "") -> Iterator[tuple[str, Schema]]:
    """Yield each key below ``node`` that holds a value: its dotted name and its schema."""
    for name, child in _properties(node).items():
        key = f"{prefix}{name}"
        if not is_section(child):
            yield key, child
        yield from leaves(child, f"{key}.")


def is_section(node: Schema) -> bool:
    """Say whether a key only groups others."""
    return node.get("type") == "object" and bool(_properties(node))


def find(node: Schema, key: str) -> Schema | None:
    """Return the schema of the dotted ``key`` below ``node``, or None if there can be none."""
    for name in key.split("."):
        extra = (branch.get("additionalProperties") for branch in _branches(node))
        free = next((schema for schema in extra if isinstance(schema, Mapping)), None)
        found = _properties(node).get(name, free)
        if found is None:
            return None
        node = found
    return node


def complete(node: Schema, value: Any) -> Any:
    """Return a copy of a valid ``value`` with defaults filled in and numbers of one form.

    Where the schema says ``number``, 1 and 1.0 (and 0.0 and -0.0) become one. A key that has no
    default is left out unless it is given.
    """
    form = _form(node, value)
    if form is None:
        raise TypeError(f"{value!r} was not validated")
    branch = _branches(node)[form]
    if branch["type"] == "number":
        return float(value) + 0.0
    if branch["type"] == "integer":
        return int(value)
    if "properties" in branch:
        given = {
            name: value.get(name, _default(child)) for name, child in _properties(branch).items()
        }
        return {
            name: complete(branch["properties"][name], item)
            for name, item in given.items()
            if item is not None
        }
    if isinstance(branch.get("additionalProperties"), Mapping):
        return {
            name: complete(branch["additionalProperties"], item) for name, item in value.items()
        }
    return value


def _default(node: Schema) -> Any:
    groups = node.get("type") == "object" and "required" not in node
    return node.get("default", {} if groups else None)


def validate(node: Schema, value: Any, key: str = "") -> None:
    """Check ``value``, which stands at the dotted ``key``, against the schema ``node``.

    Raises
    ------
    ConfigError
        If the value is not allowed.
    """
    error = next(_VALIDATOR(node).iter_errors(value), None)
    if error is not None:
        raise ConfigError(_line(_cause(error), key))


def nearest(name: object, names: list[str]) -> str:
    """Say which of ``names`` was probably meant by ``name``, or else list them all."""
    close = get_close_matches(str(name), names, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(close)}?" if close else f"allowed: {', '.join(names)}"


def allowed(node: Schema) -> str:
    """Describe in words the values that ``node`` allows."""
    if "allowed" in node:
        return node["allowed"]
    if "oneOf" in node:
        return " or ".join(allowed(branch) for branch in node["oneOf"])
    if "enum" in node:
        return ", ".join(f'"{item}"' if item.isdigit() else item for item in node["enum"])
    if node["type"] == "object":
        return f"a mapping with the keys {', '.join(node['properties'])}"
    signs = {
        "exclusiveMinimum": ">",
        "minimum": "≥",
        "exclusiveMaximum": "<",
        "maximum": "≤",
    }
    bounds = [f"{sign} {node[word]}" for word, sign in signs.items() if word in node]
    article = "an integer" if node["type"] == "integer" else "a number"
    return " ".join([article, " and ".join(bounds)]).strip()


def _is_finite_number(_: object, value: object) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    except OverflowError:
        return False


def _is_integer(checker: object, value: object) -> bool:
    return _is_finite_number(checker, value) and value % 1 == 0  # type: ignore[operator]


_VALIDATOR = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"number": _is_finite_number, "integer": _is_integer}
    ),
)


def _branches(node: Schema) -> list[Schema]:
    return node.get("oneOf", [node])


def _form(node: Schema, value: Any) -> int | None:
    """Return which form of a choice ``value`` has, or comes closest to by its type and keys."""
    is_type = _VALIDATOR.TYPE_CHECKER.is_type
    keys = set(value) if isinstance(value, Mapping) else set()
    has = {
        number: len(keys & set(branch.get("required", ()))) / len(branch.get("required", "?"))
        for number, branch in enumerate(_branches(node))
        if is_type(value, branch["type"])
    }
    return max(has, key=lambda number: has[number], default=None)


def _properties(node: Schema) -> dict[str, Schema]:
    return {
        name: child
        for branch in _branches(node)
        for name, child in branch.get("properties", {}).items()
    }


def _cause(error: ValidationError) -> ValidationError:
    """Return the error inside a mapping that made a choice of forms fail, or the choice itself."""
    node: Any = error.schema
    form = _form(node, error.instance) if error.context else None
    for inner in error.context or []:
        itself = inner.validator in ("additionalProperties", "required") or (
            "propertyNames" in inner.relative_schema_path
        )
        if inner.relative_schema_path[0] == form and (inner.relative_path or itself):
            return _cause(inner)
    return error


def _line(error: ValidationError, key: str) -> str:
    node: Any = error.schema
    found: Any = error.instance
    path = [*filter(None, [key]), *map(str, error.absolute_path)]
    if error.validator == "additionalProperties":
        name = next(name for name in found if name not in node["properties"])
        hint = nearest(name, list(node["properties"]))
        return f"{'.'.join([*path, str(name)])}: unknown key; {hint}"
    if error.validator == "required":
        name = next(name for name in node["required"] if name not in found)
        return f"{'.'.join([*path, name])}: missing; {_allowed_line(node['properties'][name])}"
    where = ".".join(path) or "config"
    return f"{where}: found {_shown(found)}{_remedy(node, found)}; {_allowed_line(node)}"


def _allowed_line(node: Schema) -> str:
    unit = f" ({node['unit']})" if "unit" in node else ""
    return f"allowed: {allowed(node)}{unit}"


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    text = repr(value)
    text = text if len(text) <= 60 else f"{text[:57]}..."
    return f"the text {text}" if isinstance(value, str) else text


def _remedy(node: Schema, found: object) -> str:
    """Say what to write where YAML read a number as text, or text as a number or a date."""
    types = {branch["type"] for branch in _branches(node)}
    if isinstance(found, str) and types & {"number", "integer"}:
        number = _yaml_number(found)
        return f", write {number}" if number else ""
    if not isinstance(found, str | bool | None) and _VALIDATOR(node).is_valid(str(found)):
        return f', write "{found}"'
    return ""


def _first_digit(found: re.Match[str]) -> str:
    """Write the sign of a number, and a 0 before a point that nothing precedes."""
    return found[1] if found[1] is not None else f"{found[2]}0"


def _yaml_number(text: str) -> str | None:
    """Write a text that looks like a number so that YAML reads it as one."""
    try:
        if not isfinite(float(text)):
            return None
    except ValueError:
        return None
    mantissa, e, exponent = text.strip().lower().replace("_", "").partition("e")
    mantissa = re.sub(r"^([-+]?)0*(?=\d)|^([-+]?)(?=\.)", _first_digit, mantissa)
    if not e:
        return mantissa
    point = "" if "." in mantissa else ".0"
    sign = "" if exponent[0] in "+-" else "+"
    return f"{mantissa}{point}e{sign}{exponent}"
