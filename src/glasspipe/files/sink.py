"""A file that HDF5 can write to the end, whatever the disk does.

Where a write of its own fails, on a full disk above all, HDF5 complains for each of its objects and
ends the process in a crash. So it never learns of a failure: what cannot be written is dropped, and
the failure is raised when HDF5 is done.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any


class Sink(FileIO):
    """A new file, whose first failure is kept and which takes everything from then on."""

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        """Write all of the data, or drop what is left of them."""
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while self.failure is None and len(left):
                left = left[super().write(left) :]
        except OSError as error:
            self.failure = error
        return size

    def truncate(self, size: Any = None) -> int:
        """Set the size, unless that has failed."""
        try:
            return super().truncate(size) if self.failure is None else size or 0
        except OSError as error:
            self.failure = error
            return size or 0


@contextmanager
def sink(path: Path, name: Path) -> Iterator[Sink]:
    """Open a new file at a path; what fails is said of its later name.

    Raises
    ------
    OSError
        If something could not be written.
    """
    with Sink(path, "w+") as file:
        try:
            yield file
        finally:
            if file.failure is not None:
                failure = file.failure
                raise OSError(failure.errno, failure.strerror, str(name)) from None
