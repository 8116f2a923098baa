"""What a job took: its machine, time and memory, in a file of its own beside the results.

Results are the same bytes whenever and wherever they are made, so none of this may be in them.
"""

import json
import os
import platform
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from glasspipe.files.dataset import replacing

_FAILED = "failed\n"
"""The record of a job that failed."""
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes there, kB elsewhere


@dataclass(frozen=True)
class Record:
    """What a job took.

    Parameters
    ----------
    machine, processor : str
        Name of the computer, and what it has.
    started : str
        When, in UTC.
    wall_s, cpu_s : float
        Seconds, and those of computing, imports included.
    rss_mb : float
        Most memory, MB.
    """

    machine: str
    processor: str
    started: str
    wall_s: float
    cpu_s: float
    rss_mb: float


@contextmanager
def recording(path: Path | None) -> Iterator[None]:
    """Write what this process has taken when the block ends without an error.

    What an earlier attempt has left there is removed at once.
    """
    started, before = time.gmtime(), time.perf_counter()
    if path is not None:
        path.unlink(missing_ok=True)
    yield
    if path is None:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    record = Record(
        platform.node(),
        f"{os.cpu_count()} × {_processor()}",
        time.strftime("%Y-%m-%dT%H:%M:%SZ", started),
        round(time.perf_counter() - before, 3),
        round(used.ru_utime + used.ru_stime, 3),
        round(used.ru_maxrss * _RSS_UNIT / 1e6, 1),
    )
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(asdict(record), ensure_ascii=False) + "\n", "utf-8")


def read_record(path: Path) -> Record | None:
    """Return what a job took; None where that is not known."""
    try:
        return Record(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def record_failure(path: Path) -> None:
    """Write that a job failed, which it may not be able to say itself."""
    with replacing(path) as temporary:
        temporary.write_text(_FAILED, "utf-8")


def has_failed(path: Path) -> bool:
    """Say whether a job has failed, and nobody has begun it again."""
    try:
        return path.read_text("utf-8") == _FAILED
    except (OSError, ValueError):
        return False


def _processor() -> str:
    """Return what a processor calls itself; Linux says it in a file."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
