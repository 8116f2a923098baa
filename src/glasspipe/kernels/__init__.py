"""Every compiled loop of glasspipe: plain arrays in, results into arrays given.

Numba reads the following when it is first imported.

LLVM prefers vectors of 256 bits on processors that have 512. The loops over rows of U are 5 to 12 %
faster with all of them, and no bit of a result changes.

Whether the compiled form of a function is out of date Numba tells from the function's own file, and
not from those of the functions that it calls. So compiled forms are kept apart by all the sources.
"""

import errno
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import llvmlite.binding

_HERE = Path(__file__).parent
_HOST = llvmlite.binding.get_host_cpu_features().flatten()
_FOLDER = "NUMBA_CACHE_DIR"
os.environ.setdefault("NUMBA_CPU_NAME", llvmlite.binding.get_host_cpu_name())
os.environ.setdefault("NUMBA_CPU_FEATURES", f"{_HOST},-prefer-256-bit")


def cache_folder(sources: Path) -> Path:
    """Return where the compiled forms of a folder of sources, as they are now, are kept."""
    digest = sha256()
    for path in sorted(sources.glob("*.py")):
        digest.update(f"{path.name}\0".encode())
        digest.update(sha256(path.read_bytes()).digest())
    return sources / "__pycache__" / digest.hexdigest()[:16]


def _keep_compiled() -> None:
    """Name a folder for compiled forms that can be written.

    Raises
    ------
    OSError
        If there is none.
    """
    own = os.environ.get(_FOLDER)
    here = cache_folder(_HERE)
    users = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    folders = [Path(own)] if own else [here, users / "glasspipe" / here.name]
    for folder in folders:
        if _writable(folder):
            os.environ[_FOLDER] = str(folder)
            return
    why = f"no compiled loop can be written there; set {_FOLDER} to a folder for them"
    raise OSError(errno.EROFS, why, str(folders[-1]))


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _heal() -> None:
    """Let numba compile again what it cannot read of its cache, a truncated file above all."""
    from numba.core import caching

    class Healing(caching.IndexDataCacheFile):
        def _load_index(self) -> Any:
            try:
                return super()._load_index()
            except Exception:  # whatever damaged bytes make of unpickling
                return {}

        def _load_data(self, name: str) -> Any:
            try:
                return super()._load_data(name)
            except Exception as error:
                raise OSError(str(error)) from None  # with which numba compiles

    caching.IndexDataCacheFile = Healing  # type: ignore[misc]


_keep_compiled()
_heal()
