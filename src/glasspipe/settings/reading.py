"""Reading a user's YAML or JSON, which may be anything.

YAML lets a later key replace an earlier one of the same name in silence; here that is an error. So
are the values that old YAML reads as nobody means them: 0123 as 83, 20:26 as 1226, off as false.
JSON is not quite YAML: 1e-05 is a number in one and a text in the other, so JSON is tried first.
"""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from glasspipe.errors import ConfigError


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a file that holds one mapping.

    Raises
    ------
    ConfigError
        If the file cannot be read, is neither YAML nor JSON, repeats a key, or holds no mapping.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not a text file (UTF-8)") from None
    value = _parse(text, path)
    if not isinstance(value, dict):
        found = "nothing" if value is None else f"a {type(value).__name__}"
        raise ConfigError(f"{path}: found {found}; allowed: a mapping of keys to values")
    return value


def _parse(text: str, path: Path) -> Any:
    try:
        try:
            return json.loads(text, object_pairs_hook=_unique)
        except json.JSONDecodeError:
            return _bounded(yaml.load(text, _Loader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: {_problem(error)}") from None


def _bounded(value: Any) -> Any:
    """Refuse what a few lines of aliases make endless."""
    waiting, seen = [value], 0
    while waiting:
        found = waiting.pop()
        seen += 1
        if seen > _MOST_VALUES:
            raise ValueError(f"more than {_MOST_VALUES} values, those of aliases included")
        if isinstance(found, dict | list):
            waiting += found.values() if isinstance(found, dict) else found
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a mapping of the items of a JSON object."""
    mapping: dict[str, Any] = {}
    for key, value in pairs:
        if key in mapping:
            raise ValueError(f"the key {key!r} is there twice")
        mapping[key] = value
    return mapping


_PLAIN = re.compile(
    r"[-+]?(0|[1-9][0-9]*)(\.[0-9]*)?([eE][-+]?[0-9]+)?|[-+]?\.[0-9]+.*|[-+]?\.\D+|(?i:true|false)"
)
"""Values that everybody reads alike, and infinity and nan, which the schema refuses."""


_MOST_VALUES = 1_000_000


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, except that keys are not repeated and values are as they look."""

    def construct_yaml_bool(self, node: yaml.ScalarNode) -> bool:
        return _as_it_looks(node, super().construct_yaml_bool(node))

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        return _as_it_looks(node, super().construct_yaml_int(node))

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        return _as_it_looks(node, super().construct_yaml_float(node))

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: list[Any] = []
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value!r} is there twice", problem_mark=key.start_mark
                )
            seen.append(key.value)
        return node


_Loader.add_constructor("tag:yaml.org,2002:bool", _Loader.construct_yaml_bool)
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)


def _as_it_looks(node: yaml.ScalarNode, value: Any) -> Any:
    """Refuse a notation of old YAML, such as octal or base 60 for numbers, or yes for true."""
    if _PLAIN.fullmatch(node.value):
        return value
    digits, known = node.value.replace("_", "").lstrip("+"), json.dumps(value)
    meant = digits.lstrip("0") if digits.isdigit() else f'{known} or, for a text, "{node.value}"'
    raise yaml.MarkedYAMLError(
        problem=f"found {node.value}, which YAML takes for {known}; write {meant}",
        problem_mark=node.start_mark,
    )


def _problem(error: Exception) -> str:
    """Describe in one line why a text could not be parsed."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        before = f"{error.context} " if str(error.problem).startswith("but ") else ""
        return f"line {error.problem_mark.line + 1}: {before}{error.problem}"
    return " ".join(str(error).split())
