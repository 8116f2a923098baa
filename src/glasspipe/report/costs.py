"""What the jobs of a study took, beside what was forecast of them."""

from pathlib import Path

import pandas as pd

from glasspipe.errors import DataError
from glasspipe.stages.calibration import taken
from glasspipe.stages.rates import rates

COLUMNS = ("jobs", "wall_s", "cpu_s", "forecast_cpu_s", "max_rss_mb", "forecast_rss_mb")


def costs(folder: Path) -> pd.DataFrame:
    """Return what the jobs of each rule took, in the order in which they run.

    Parameters
    ----------
    folder : Path
        The study's folder.

    Returns
    -------
    DataFrame
        By ``rule``, as ``stage``: the jobs that left a record, their sums of wall and CPU time and
        the forecast of the latter, s; the largest memory of one, and the forecast of the largest,
        MB.

    Raises
    ------
    ConfigError
        If the folder is not a study's.
    DataError
        If no job left a record.
    """
    known = rates()
    rows = [
        (
            load.rule,
            1,
            record.wall_s,
            record.cpu_s,
            known[load.rule].seconds(load),
            record.rss_mb,
            known[load.rule].megabytes(load),
        )
        for load, record in taken(folder)
    ]
    if not rows:
        raise DataError(f"{folder}: no job left a record; allowed: a study that was run")
    how = {name: "max" if name.endswith("_mb") else "sum" for name in COLUMNS}
    table = pd.DataFrame(rows, columns=["stage", *COLUMNS])
    return table.groupby("stage", sort=False).agg(how).reset_index()
