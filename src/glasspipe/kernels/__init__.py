"""Every compiled loop of glasspipe: plain arrays in, results into arrays given.

Numba reads the following when it is first imported.

LLVM prefers vectors of 256 bits on processors that have 512. The loops over rows of U are 5 to 12 %
faster with all of them, and no bit of a result changes.

Whether the compiled form of a function is out of date Numba tells from the function's own file, and
not from those of the functions that it calls. So compiled forms are kept apart by all the sources.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b, sha256
from pathlib import Path
from typing import IO, Any

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
    """Let numba compile again what is damaged in its cache.

    One flipped bit of machine code is another number, or a crash. So the digest of a file stands
    behind its last byte, where unpickling does not look.
    """
    from numba.core import caching

    class Healing(caching.IndexDataCacheFile):
        @contextmanager
        def _open_for_write(self, filepath: str) -> Iterator[IO[bytes]]:
            with super()._open_for_write(filepath) as file:
                yield file
                file.flush()
                file.write(blake2b(Path(file.name).read_bytes()).digest())

        def _load_index(self) -> Any:
            return super()._load_index() if _intact(Path(self._index_path)) else {}

        def _load_data(self, name: str) -> Any:
            path = self._data_path(name)
            if not _intact(Path(path)):
                raise OSError(f"{path}: damaged")  # with which numba compiles
            return super()._load_data(name)

    caching.IndexDataCacheFile = Healing  # type: ignore[misc]


def _intact(path: Path) -> bool:
    """Say whether a file is there and is what was written."""
    if not path.is_file():
        return False
    content = path.read_bytes()
    size = len(content) - blake2b().digest_size
    return blake2b(content[: max(size, 0)]).digest() == content[max(size, 0) :]


_keep_compiled()
_heal()
