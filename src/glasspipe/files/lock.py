"""One run of a study at a time, however the last one ended.

A lock that is a file outlives a run that was killed, and somebody must know that it is dead. So
the operating system keeps this one: it belongs to the process, not to the jobs that it started,
and ends with it. The file only says whose it is.
"""

import errno
import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from glasspipe.errors import DataError

P = ParamSpec("P")
R = TypeVar("R")

_NAME = ".lock"
_HELD = (errno.EACCES, errno.EAGAIN)
_NONE = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


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
        held = True
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _HELD:
                file.seek(0)
                owner = file.read() or "another process"
                raise DataError(
                    f"{folder}: {owner} runs this study; allowed: one run at a time"
                ) from None
            if error.errno not in _NONE:
                raise
            held = False
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield held


def within(
    context: Callable[P, AbstractContextManager[None]], run: Callable[P, R]
) -> Callable[P, R]:
    """Return a function that does the same within a context made of its arguments."""

    @wraps(run)
    def runs(*args: P.args, **kwargs: P.kwargs) -> R:
        with context(*args, **kwargs):
            return run(*args, **kwargs)

    return runs
