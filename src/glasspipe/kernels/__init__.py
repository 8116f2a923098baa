"""Every compiled loop of glasspipe: plain arrays in, results into arrays given.

Numba reads the following when it is first imported.

LLVM prefers vectors of 256 bits on processors that have 512. The loops over rows of U are 5 to 12 %
faster with all of them, and no bit of a result changes.

Whether the compiled form of a function is out of date Numba tells from the function's own file, and
not from those of the functions that it calls. So compiled forms are kept apart by all the sources.
"""

import os
from hashlib import sha256
from pathlib import Path

import llvmlite.binding

_HERE = Path(__file__).parent
_HOST = llvmlite.binding.get_host_cpu_features().flatten()
os.environ.setdefault("NUMBA_CPU_NAME", llvmlite.binding.get_host_cpu_name())
os.environ.setdefault("NUMBA_CPU_FEATURES", f"{_HOST},-prefer-256-bit")


def cache_folder(sources: Path) -> Path:
    """Return where the compiled forms of a folder of sources, as they are now, are kept."""
    digest = sha256()
    for path in sorted(sources.glob("*.py")):
        digest.update(f"{path.name}\0".encode())
        digest.update(sha256(path.read_bytes()).digest())
    return sources / "__pycache__" / digest.hexdigest()[:16]


if os.access(_HERE, os.W_OK):
    os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_folder(_HERE)))
