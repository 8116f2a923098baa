"""A folder of the tables of theory, each in a sealed file of its own."""

import os
import pickle
import re
import shutil
import time
from contextlib import suppress
from dataclasses import is_dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from glasspipe.errors import DataError
from glasspipe.files.dataset import sealing, versions
from glasspipe.files.provenance import code_hash
from glasspipe.files.seal import check_seal

VARIABLE = "GLASSPIPE_TABLES"
"""Environment variable that names the folder of tables of all versions of the code."""

MAKERS = ("glasspipe.theory.field_law", "glasspipe.theory.pair_distances")
"""Modules that, with those that they import, make all tables."""
_OLD = 30 * 86400.0
"""Seconds after which tables of other code, to which nothing was added, are removed."""
_MADE_BY = {
    "numpy": ("ndarray", "dtype", "_reconstruct", "_frombuffer", "scalar"),
    "scipy": ("CubicSpline", "asarray"),
}
"""What arrays and splines in a file are made by."""
_NAME = re.compile(r"[0-9a-f]{16}")
"""Of a folder of tables; whatever else is there is somebody else's."""


class _Unpickler(pickle.Unpickler):
    """Reads arrays, splines and our dataclasses: others may have written the file."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what a file names, if it may be there."""
        library = module.partition(".")[0]
        if name in _MADE_BY.get(library, ()) or library == "glasspipe":
            found = super().find_class(module, name)
            if library != "glasspipe" or is_dataclass(found):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a table")


class TableFolder:
    """Tables of one version of the code, found by their keys; a store of `theory.tables`.

    What cannot be read or is damaged is not there, and what cannot be written is not kept: tables
    save time and nothing else.

    Parameters
    ----------
    path : Path
        The folder, which need not be there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def get(self, key: str) -> object | None:
        """Return the table of a key, None where there is none."""
        path = self._file(key)
        try:
            check_seal(path, needed=True)
            with path.open("rb") as file:
                found: object = _Unpickler(file).load()
        except (OSError, DataError, pickle.UnpicklingError, EOFError):
            return None
        return found

    def put(self, key: str, table: object) -> None:
        """Keep the table of a key."""
        with suppress(OSError):
            if not self.path.is_dir():
                self._remove_old()
            with sealing(self._file(key)) as temporary:
                temporary.write_bytes(pickle.dumps(table, pickle.HIGHEST_PROTOCOL))

    def _file(self, key: str) -> Path:
        return self.path / sha256(key.encode()).hexdigest()[:32]

    def _remove_old(self) -> None:
        """Remove what other versions of the code have not used for long."""
        for other in self.path.parent.glob("*"):
            if _NAME.fullmatch(other.name) and time.time() - other.stat().st_mtime > _OLD:
                shutil.rmtree(other, ignore_errors=True)


@cache
def tables() -> TableFolder:
    """Return the user's tables of theory as the code is now."""
    users = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "glasspipe/tables"
    made_by = sha256(f"{[*map(code_hash, MAKERS)]}{versions()}".encode())
    return TableFolder(Path(os.environ.get(VARIABLE) or users) / made_by.hexdigest()[:16])
