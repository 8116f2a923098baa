"""What a job takes, from what it has to do: the rates of a machine.

A job is described by its number of items and by the computing and the memory declared of it. Its
time is ``start + item × items + work × seconds``. Its memory is that of arrays, whatever the
machine, and has a start and a share of each item besides. The table of these rates holds for one
machine and was fitted to jobs that ran there. `costs.yaml` comes with the package; `glasspipe
calibrate` writes a user's own.
"""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from glasspipe.errors import ConfigError
from glasspipe.files.dataset import replacing

VARIABLE = "GLASSPIPE_COSTS"
"""Environment variable that names the file of a user's own rates."""


@dataclass(frozen=True)
class Load:
    """What a job has to do.

    Parameters
    ----------
    rule : str
        Of the job.
    items : int
        Realisations; of aggregation values of a field, or points.
    seconds, bytes : float
        Computing and memory as declared, the start of the process and what each item needs apart.
    threads : int
        How many can share the computing.
    """

    rule: str
    items: int
    seconds: float = 0.0
    bytes: float = 0.0
    threads: int = 1


@dataclass(frozen=True)
class Rate:
    """What the jobs of a rule take.

    Parameters
    ----------
    start, item, work : float
        CPU seconds of the process itself and of an item, and of a declared second.
    start_mb, item_mb : float
        Memory of the process itself and of an item.
    """

    start: float
    item: float
    work: float
    start_mb: float
    item_mb: float

    def seconds(self, load: Load) -> float:
        """CPU time of a job."""
        return self.start + self.work_seconds(load)

    def work_seconds(self, load: Load) -> float:
        """CPU time of a job without that of starting its process."""
        return self.item * load.items + self.work * load.seconds

    def megabytes(self, load: Load) -> float:
        """Peak memory of a job."""
        return self.start_mb + self.item_mb * load.items + load.bytes / 1e6


def own_file() -> Path:
    """Return the file of the user's own rates, which need not be there."""
    if VARIABLE in os.environ:
        return Path(os.environ[VARIABLE])
    return (
        Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "glasspipe/costs.yaml"
    )


@cache
def rates() -> dict[str, Rate]:
    """Return the rates of each rule: the user's own where there are some.

    Raises
    ------
    ConfigError
        If the user's file cannot be used.
    """
    path = own_file()
    return shipped() | (_read(path.read_text("utf-8"), str(path)) if path.is_file() else {})


@cache
def shipped() -> dict[str, Rate]:
    """Return the rates that come with the package, the same on every machine."""
    path = resources.files("glasspipe.stages").joinpath("costs.yaml")
    return _read(path.read_text("utf-8"), path.name)


def write(found: Mapping[str, Rate]) -> Path:
    """Write the user's own rates and return their file."""
    table = {
        name: {key: float(f"{v:.3g}") for key, v in asdict(rate).items()}
        for name, rate in found.items()
    }
    path = own_file()
    with replacing(path) as temporary:
        temporary.write_text(yaml.safe_dump(table, sort_keys=False), "utf-8")
    return path


def _read(text: str, name: str) -> dict[str, Rate]:
    try:
        found = {rule: _rate(about) for rule, about in yaml.safe_load(text).items()}
    except (yaml.YAMLError, AttributeError, TypeError, ValueError):
        raise ConfigError(f"{name}: no table of rates; `glasspipe calibrate` writes one") from None
    return found


def _rate(about: Mapping[str, Any]) -> Rate:
    found = Rate(**{key: float(value) for key, value in about.items()})
    if not all(0 <= value < float("inf") for value in asdict(found).values()):
        raise ValueError
    return found
