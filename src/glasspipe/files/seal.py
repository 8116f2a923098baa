"""A file's own checksum, so that no bit of it changes unnoticed.

HDF5 checks what it is asked to check, and that are never scalars, attributes and the tables that
say where everything lies: there a flipped bit is another number, or the end of the process. So the
digest of a whole file stands behind its last byte, where HDF5 does not look, and is compared before
the file is opened.
"""

from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from glasspipe.errors import DataError

_MARK = b"glasspipe blake2b "
_SIZE = len(_MARK) + blake2b().digest_size
_BLOCK = 1 << 20
_SEEN: set[tuple[int, ...]] = set()
"""What this process has found intact: device, inode, size and time of a file."""


def seal(path: Path) -> None:
    """Append its digest to a file that is complete."""
    with path.open("r+b") as file:
        found = _seal(file, path.stat().st_size)
        file.write(found)


def check_seal(path: Path, *, needed: bool) -> None:
    """Compare a file with its seal, once unless it is written again.

    Raises
    ------
    DataError
        If it has changed since it was sealed, or has no seal where one is ``needed``.
    """
    about = path.stat()
    identity = (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns)
    if identity in _SEEN:
        return
    with path.open("rb") as file:
        size = about.st_size - _SIZE
        file.seek(max(size, 0))
        recorded = file.read()
        if recorded.startswith(_MARK):
            file.seek(0)
            if _seal(file, size) != recorded:
                raise DataError(f"{path}: damaged: it is not what was written")
            _SEEN.add(identity)
        elif needed:
            raise DataError(f"{path}: truncated, changed or not written by glasspipe")


def _seal(file: BinaryIO, size: int) -> bytes:
    """Return the seal of the first ``size`` bytes."""
    digest = blake2b()
    while block := file.read(min(size, _BLOCK)):
        digest.update(block)
        size -= len(block)
    return _MARK + digest.digest()
