"""One run of a study at a time, however the last one ended.

A lock that is a file outlives a run that was killed, and somebody must know that it is dead. So
the operating system keeps this one: it belongs to the process, not to the jobs that it started,
and ends with it. The file only says whose it is.
"""

import errno
import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from pathlib import Path
from typing import IO, Any, ParamSpec, TypeVar

from glasspipe.errors import DataError

P = ParamSpec("P")
R = TypeVar("R")

_NAME = ".lock"
_HELD = (errno.EACCES, errno.EAGAIN)
_NONE = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
_LOOKED_AT = 0.1
"""Seconds, ample, for which somebody who only asks has a lock."""


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Lock the folder of a study; yield False where the file system has no such locks.

    Raises
    ------
    DataError
        If another run has locked it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _NAME).open("a+", encoding="utf-8") as file:
        held = _lock(file, fcntl.LOCK_EX)
        if held is False:
            time.sleep(_LOOKED_AT)
            held = _lock(file, fcntl.LOCK_EX)
        if held is False:
            file.seek(0)
            owner = file.read() or "another process"
            raise DataError(f"{folder}: {owner} runs this study; allowed: one run at a time")
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield held is not None


def is_locked(folder: Path) -> bool:
    """Say whether another process has locked the folder of a study, as far as can be known."""
    try:
        with (folder / _NAME).open("rb") as file:
            return _lock(file, fcntl.LOCK_SH) is False
    except FileNotFoundError:
        return False


def _lock(file: IO[Any], kind: int) -> bool | None:
    """Return whether a file could be locked; None where the file system has no such locks."""
    try:
        fcntl.lockf(file, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD:
            return False
        if error.errno not in _NONE:
            raise
        return None
    return True


def within(
    context: Callable[P, AbstractContextManager[None]], run: Callable[P, R]
) -> Callable[P, R]:
    """Return a function that does the same within a context made of its arguments."""

    @wraps(run)
    def runs(*args: P.args, **kwargs: P.kwargs) -> R:
        with context(*args, **kwargs):
            return run(*args, **kwargs)

    return runs
