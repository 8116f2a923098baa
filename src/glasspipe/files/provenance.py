"""Which source files a result depends on.

A workflow that compares times of files would not notice that the code behind them has changed, and
one that compares the whole package would repeat everything for a new colour in a figure. What a
stage depends on is what its module imports, directly or not, so the imports are read to find it.
How configs are read and files are found changes no number: of those floors the modules that a stage
itself imports count, and not what stands behind them. A module of an observable says how it is
measured and how it is drawn, and a drawing changes no number either: for the statistics only what
measuring uses of it counts. A template that lies beside a module of the report counts with it.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

import glasspipe

_PACKAGE = Path(glasspipe.__file__).parent
_FOLLOWED = (
    *("kernels", "elastic", "defects", "system", "spins", "theory", "report"),
    *("units", "statistics", "threads"),
)
"""Packages and modules whose imports count in turn."""
_READ = ("files", "settings")
"""Packages of which only what is imported itself counts."""
_SHARED = (
    "glasspipe.stages.values",
    "glasspipe.files.user_defects",
    "glasspipe.files.foreign",
)
"""What stages have in common, and what makes numbers of a user's file: their imports count, too.
What stages are to one another, and what they cost, is no result."""

_OBSERVABLE = "glasspipe.report.observables."
_MEASURING = {"glasspipe.report.aggregate": ("measure", "fits")}
"""The modules for which only so much of an observable counts, and what uses of it."""

_IMPORT = re.compile(r"^[ \t]*(?:from ([\w.]+) import (\([^)]*\)|.+)|import (.+))$", re.MULTILINE)
"""A statement that imports: the module and its names, or modules alone."""


@cache
def code_hash(module: str) -> str:
    """Return a hash of the source that the results of a module depend on."""
    digest = sha256()
    sources = _sources(module)
    templates = {path for source in sources.values() for path in source.parent.glob("*.j2")}
    read = [(path, _counted(name, path, module)) for name, path in sources.items()]
    for path, content in [*read, *((path, path.read_bytes()) for path in sorted(templates))]:
        digest.update(f"{path.relative_to(_PACKAGE)}\0".encode())
        digest.update(sha256(content).digest())
    return digest.hexdigest()[:16]


def source_files(module: str) -> list[Path]:
    """Return the source files of which at least a part counts, sorted.

    Parameters
    ----------
    module : str
        A module that writes results, such as ``glasspipe.stages.freeze``.
    """
    return list(_sources(module).values())


def _sources(module: str) -> dict[str, Path]:
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            followed = _imports(name, module) if _is_followed(name, module) else ()
            waiting += filter(_counts, followed)
    paths = {name: _file(name) for name in found}
    known = sorted((path, name) for name, path in paths.items() if path is not None)
    return {name: path for path, name in known}


def _statements(path: Path, module: str, root: str) -> list[ast.stmt]:
    """Return the statements of a module that count for a root."""
    body = ast.parse(path.read_bytes()).body
    if not _counts_partly(module, root):
        return body
    return _reached([one for statement in body for one in _single(statement)], _MEASURING[root])


def _single(statement: ast.stmt) -> list[ast.stmt]:
    """Return an import of several names as imports of one each, anything else as it is."""
    if not isinstance(statement, ast.ImportFrom):
        return [statement]
    return [ast.ImportFrom(statement.module, [name], statement.level) for name in statement.names]


def _counts_partly(module: str, root: str) -> bool:
    return module.startswith(_OBSERVABLE) and root in _MEASURING


def _counted(module: str, path: Path, root: str) -> bytes:
    if _counts_partly(module, root):
        return ast.unparse(ast.Module(_statements(path, module, root), [])).encode()
    return path.read_bytes()


def _reached(body: list[ast.stmt], names: Iterable[str]) -> list[ast.stmt]:
    """Return the statements that define names, and what those use in turn."""
    defining = {name: statement for statement in body for name in _defined(statement)}
    found: set[ast.stmt] = set()
    waiting = list(names)
    while waiting:
        statement = defining.get(waiting.pop())
        if statement is not None and statement not in found:
            found.add(statement)
            waiting += _used(statement)
    return [statement for statement in body if statement in found]


def _used(statement: ast.stmt) -> set[str]:
    """Return the names that a statement takes from its module, none of its own variables."""
    nodes = list(ast.walk(statement))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    own = {node.arg for node in nodes if isinstance(node, ast.arg)}
    if isinstance(statement, ast.FunctionDef):
        own |= {node.id for node in names if isinstance(node.ctx, ast.Store)}
    return {node.id for node in names} - own


def _defined(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement at the top of a module defines."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names)
    else:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id


def _is_followed(name: str, root: str) -> bool:
    return name == root or name in _SHARED or _floor(name) in _FOLLOWED


def _counts(name: str) -> bool:
    return name in _SHARED or _floor(name) in (*_FOLLOWED, *_READ)


def _floor(module: str) -> str:
    package, _, rest = module.partition(".")
    return rest.partition(".")[0] if package == "glasspipe" else ""


def _imports(module: str, root: str) -> Iterable[str]:
    """Return the modules of the package that a module imports, as far as they count for a root."""
    path = _file(module)
    if path is None:
        return ()
    if _counts_partly(module, root):
        return list(_imported(_statements(path, module, root)))
    return _all_imports(path.read_text("utf-8"))


@cache
def _all_imports(source: str) -> list[str]:
    """Return what a module imports, found by pattern: to parse them all takes a job 0.2 s."""
    found = []
    for module, names, plain in _IMPORT.findall(source):
        listed = [
            name.split()[0] for name in (names.strip("()") or plain).split(",") if name.split()
        ]
        found += [module, *(f"{module}.{name}" for name in listed)] if module else listed
    return found


def _imported(statements: list[ast.stmt]) -> Iterator[str]:
    for node in ast.walk(ast.Module(statements, [])):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _file(module: str) -> Path | None:
    """Return the source file of a module, or None if it is none of the package's."""
    package, *names = module.split(".")
    if package != "glasspipe":
        return None
    path = _PACKAGE.joinpath(*names)
    return next((p for p in (path / "__init__.py", path.with_suffix(".py")) if p.is_file()), None)
