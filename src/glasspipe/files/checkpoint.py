"""Long runs are safe: what has been done is kept, and another run goes on from there.

A checkpoint must not be taken for a result, nor for that of another run. So it lies beside the
output under a hidden name with another ending, and it says what it belongs to: the point, the code,
and every byte of the input. One that belongs elsewhere, or cannot be read, is not used. It is moved
into place when it is complete and sealed, and removed once the output is there.
"""

import json
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import file_digest
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasspipe.errors import DataError
from glasspipe.files.dataset import Origin, sealing, versions
from glasspipe.files.provenance import code_hash
from glasspipe.files.seal import check_seal

Arrays = dict[str, NDArray[Any]]

SUFFIX = ".checkpoint"
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StoppedError(Exception):
    """The run was told to stop, and has kept what it did; `number` is the signal."""

    def __init__(self, number: int, path: Path) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}; {path} is where to go on from")
        self.number = number


def path_of(output: Path) -> Path:
    """Return where the checkpoint of an output is."""
    return output.with_name(f".{output.name}{SUFFIX}")


def output_of(path: Path) -> Path:
    """Return the output that a checkpoint is for."""
    return path.with_name(path.name.removeprefix(".").removesuffix(SUFFIX))


@dataclass(frozen=True)
class Owner:
    """What a checkpoint belongs to.

    Parameters
    ----------
    origin : Origin
        What the output is made for.
    module : str
        The module that makes it.
    source : Path
        Its input.
    """

    origin: Origin
    module: str
    source: Path

    @cached_property
    def identity(self) -> str:
        """All that the result depends on; the input is read for it."""
        with self.source.open("rb") as file:
            digest = file_digest(file, "blake2b").hexdigest()
        belongs = [self.origin.hash, code_hash(self.module), versions(), digest]
        return json.dumps(belongs)


@dataclass
class Checkpoint:
    """The rows of an output that are finished, and the state of the one that is being made.

    Parameters
    ----------
    output : Path
        The stage's output.
    owner : Owner
        What it belongs to.
    seconds : float
        Time between one and the next.
    """

    output: Path
    owner: Owner
    seconds: float
    rows: list[Arrays] = field(default_factory=list)
    _last: float = field(default_factory=time.monotonic)
    _signal: int | None = None

    @property
    def path(self) -> Path:
        """Where it is."""
        return path_of(self.output)

    def load(self) -> tuple[Arrays | None, str]:
        """Take up the rows of an earlier run; return the state it was in, and a line about it."""
        if not self.path.is_file():
            return None, ""
        try:
            check_seal(self.path, needed=True)
        except (DataError, OSError):
            return None, f"{self.path}: damaged, not used"
        with self.path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            if file["identity"].item() != self.owner.identity:
                return None, f"{self.path}: of another run, not used"
            arrays = {name: file[name] for name in file.files if name != "identity"}
        number = int(arrays.pop("rows"))
        self.rows = [_below(f"{row}/", arrays) for row in range(number)]
        return _below("state/", arrays) or None, f"goes on from {self.path}"

    def keep(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Write it if it is time, or if the run is to stop.

        Raises
        ------
        StoppedError
            In the latter case.
        """
        if self._signal is None and time.monotonic() - self._last < self.seconds:
            return
        arrays: dict[str, Any] = {f"state/{name}": array for name, array in state.items()}
        for row, values in enumerate(self.rows):
            arrays.update({f"{row}/{name}": array for name, array in values.items()})
        with sealing(self.path) as temporary, temporary.open("wb") as file:
            np.savez(file, identity=self.owner.identity, rows=len(self.rows), **arrays)
        self._last = time.monotonic()
        if self._signal is not None:
            raise StoppedError(self._signal, self.path)

    def remove(self) -> None:
        """Remove it: the output is there."""
        self.path.unlink(missing_ok=True)

    @contextmanager
    def stopping(self) -> Iterator[None]:
        """Stop at the next `keep` when a signal says so; a second signal ends the run at once."""
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may handle signals
            return
        before = {int(number): signal.getsignal(number) for number in _SIGNALS}

        def stop(number: int, _: FrameType | None) -> None:
            self._signal = number
            signal.signal(number, before[number])

        for number in before:
            signal.signal(number, stop)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def remove_stale(folder: Path) -> None:
    """Remove the checkpoints of outputs that are finished, below a folder."""
    for path in folder.rglob(f".*{SUFFIX}"):
        if output_of(path).is_file():
            path.unlink(missing_ok=True)


def _below(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
