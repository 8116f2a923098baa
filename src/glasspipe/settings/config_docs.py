"""The tables of config/README.md, written from the schema so that they cannot fall behind it.

`python -m glasspipe.settings.config_docs config/README.md` rewrites what follows the mark there.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from glasspipe.settings.schema import Schema, allowed, leaves, schema

_COMMAND = "python -m glasspipe.settings.config_docs config/README.md"
MARK = f"<!-- What follows is written by `{_COMMAND}`. -->\n"

_TYPES = {"string": "text", "object": "mapping", "number": "number", "integer": "integer"}


def schema_markdown() -> str:
    """Return the tables of every key: the single ones first, then a table for each section."""
    single, sections = [], []
    for name, node in schema()["properties"].items():
        below = list(_once(leaves(node, f"{name}.")))
        if not below:
            single.append((name, node))
            continue
        itself = [] if node.get("type") == "object" else [(name, node)]
        table = _table([*itself, *below])
        sections.append(f"## `{name}`\n\n{node['description']}\n\n{table}")
    return "\n\n".join(["## Single keys\n\n" + _table(single), *sections]) + "\n"


def _once(keys: Iterable[tuple[str, Schema]]) -> Iterator[tuple[str, Schema]]:
    """Leave out what the schema says again by an alias."""
    seen: set[int] = set()
    for key, node in keys:
        if id(node) not in seen:
            seen.add(id(node))
            yield key, node


def _table(keys: Iterable[tuple[str, Schema]]) -> str:
    head = ["| key | type | unit | default | allowed | meaning |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *(_row(key, node) for key, node in keys)])


def _row(key: str, node: Schema) -> str:
    branches = node.get("oneOf", [node])
    default = node.get("default")
    cells = [
        f"`{key}`",
        " or ".join(_TYPES[branch["type"]] for branch in branches),
        node.get("unit", ""),
        "" if default is None else f"`{_yaml(default)}`",
        allowed(node),
        node["description"],
    ]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _yaml(default: object) -> str:
    """Write a default as it stands in YAML, where a text of digits needs quotes."""
    if isinstance(default, dict):
        return yaml.safe_dump(default, default_flow_style=True, sort_keys=False).strip()
    text = str(default)
    return f'"{text}"' if isinstance(default, str) and text.isdigit() else text


def main(path: Path) -> None:
    """Rewrite the tables in a file that holds the mark."""
    head, mark, _ = path.read_text("utf-8").partition(MARK)
    if not mark:
        raise SystemExit(f"{path}: lacks the line {MARK.strip()}")
    path.write_text(f"{head}{MARK}\n{schema_markdown()}", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
