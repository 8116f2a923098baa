"""Which source files a result depends on.

A workflow that compares times of files would not notice that the code behind them has changed, and
one that compares the whole package would repeat everything for a new colour in a figure. What a
stage depends on is what its module imports, directly or not, so the imports are read to find it.
How configs are read and files are found changes no number: of those floors the modules that a stage
itself imports count, and not what stands behind them.
"""

import ast
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

import glasspipe

_PACKAGE = Path(glasspipe.__file__).parent
_FOLLOWED = (
    *("kernels", "elastic", "defects", "system", "spins", "theory", "report"),
    *("units", "statistics"),
)
"""Packages and modules whose imports count in turn."""
_READ = ("files", "settings")
"""Packages of which only what is imported itself counts."""
_SHARED = "glasspipe.stages.values"
"""What stages have in common. What they are to one another, and what they cost, is no result."""


@cache
def code_hash(module: str) -> str:
    """Return a hash of the source files that the results of a module depend on."""
    digest = sha256()
    for path in source_files(module):
        digest.update(f"{path.relative_to(_PACKAGE)}\0".encode())
        digest.update(sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def source_files(module: str) -> list[Path]:
    """Return those source files, sorted.

    Parameters
    ----------
    module : str
        A module that writes results, such as ``glasspipe.stages.freeze``.
    """
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += filter(_counts, _imports(name) if _is_followed(name, module) else ())
    return sorted(filter(None, map(_file, found)))


def _is_followed(name: str, root: str) -> bool:
    return name in (root, _SHARED) or _floor(name) in _FOLLOWED


def _counts(name: str) -> bool:
    return name == _SHARED or _floor(name) in (*_FOLLOWED, *_READ)


def _floor(module: str) -> str:
    package, _, rest = module.partition(".")
    return rest.partition(".")[0] if package == "glasspipe" else ""


def _imports(module: str) -> Iterator[str]:
    """Yield the modules of the package that a module imports."""
    path = _file(module)
    if path is None:
        return
    for node in ast.walk(ast.parse(path.read_bytes())):
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
