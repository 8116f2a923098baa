r"""Tables for papers: CSV with every digit in eV, LaTeX with what is significant.

The LaTeX needs the package booktabs and nothing else; a file holds one ``tabular``, to be set with
``\input``. A column of energies has one unit, in its header, so that its numbers can be compared.
"""

from collections.abc import Sequence

from glasspipe.files import results
from glasspipe.report.latex import write_text
from glasspipe.report.observable import Results, Table


def write(found: Results, tables: Sequence[Table]) -> None:
    """Write tables of a study into ``tables/``, as CSV and LaTeX.

    Parameters
    ----------
    found : Results
        The study's aggregate files.
    tables : sequence of Table
        Those wanted, see :mod:`glasspipe.report.contents`.

    Raises
    ------
    DataError
        If one of those files is missing or cannot be used.
    """
    for table in tables:
        stem = found.folder / "tables" / table.name
        results.write_csv(stem.with_suffix(".csv"), table.values(found))
        write_text(stem.with_suffix(".tex"), table.latex(found))
