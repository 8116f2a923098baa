"""Which source files a stage's results depend on.

A workflow that compares times of files would not notice that the code behind them has changed, and
one that compares the whole package would repeat everything for a new colour in a figure. What a
stage depends on is what its module imports, directly or not, so the imports are read to find it.
"""

import ast
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

import glasspipe

_PACKAGE = Path(glasspipe.__file__).parent
_MODULES = {
    "sample": "glasspipe.defects.realisation",
    "couplings": "glasspipe.system.couplings",
    "freeze": "glasspipe.stages.freezing",
    "fields": "glasspipe.system.fields",
    "hamiltonian": "glasspipe.system.hamiltonian",
    "aggregate": "glasspipe.report.aggregate",
    "report": "glasspipe.report.summary",
}
_DISPATCHER = "glasspipe.stages.run"
"""Imports a stage's modules in the function of its name; what it imports at its top, all use."""


@cache
def code_hash(stage: str) -> str:
    """Return a hash of the source files that the results of a stage depend on."""
    digest = sha256()
    for path in sources(stage):
        digest.update(f"{path.relative_to(_PACKAGE)}\0".encode())
        digest.update(sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def sources(stage: str) -> list[Path]:
    """Return those source files, sorted.

    Parameters
    ----------
    stage : str
        A subcommand that is a rule; its module has the same name.
    """
    found: set[str] = set()
    waiting = [_DISPATCHER, _MODULES[stage]]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += _imports(module, stage)
    return sorted(filter(None, map(_file, found)))


def _imports(module: str, stage: str) -> Iterator[str]:
    """Yield the modules of the package that a module imports for a stage."""
    path = _file(module)
    if path is None:
        return
    tree = ast.parse(path.read_bytes())
    for node in _of_stage(tree, stage) if module == _DISPATCHER else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _of_stage(tree: ast.Module, stage: str) -> Iterator[ast.AST]:
    """Yield what stands at the top of a module, and what is in the function of a stage."""
    for node in tree.body:
        yield node
        if isinstance(node, ast.FunctionDef) and node.name == stage:
            yield from ast.walk(node)


def _file(module: str) -> Path | None:
    """Return the source file of a module, or None if it is none of the package's."""
    package, *names = module.split(".")
    if package != "glasspipe":
        return None
    path = _PACKAGE.joinpath(*names)
    return next((p for p in (path / "__init__.py", path.with_suffix(".py")) if p.is_file()), None)
