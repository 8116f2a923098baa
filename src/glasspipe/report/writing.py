"""The report of a study: figures, tables, claims and the page, from its results."""

from pathlib import Path

from glasspipe.files import results
from glasspipe.report import figures, tables
from glasspipe.report.claims import writing as claims
from glasspipe.report.contents import figures_of, tables_of
from glasspipe.report.observable import Results
from glasspipe.report.page import writing as page


def report(folder: Path) -> None:
    """Draw the figures of a study, write its tables, judge the statements, put all on a page.

    Parameters
    ----------
    folder : Path
        The study's folder, with the files of the aggregate stage; ``figures/``, ``tables/``, the
        claims and ``report.html`` are written in it.

    Raises
    ------
    DataError
        If one of those files is missing or cannot be used.
    """
    found = Results(folder)
    config = found.config
    results.check_tables(folder)
    judged = claims.judge(found)
    claims.write(found, judged)
    figures.write(found, figures_of(config))
    tables.write(found, tables_of(config))
    page.write(found, judged)
