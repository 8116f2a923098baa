"""The dictionary of the files in docs/data.md, written from what stages and observables declare.

`python -m glasspipe.report.data_docs docs/data.md` rewrites what stands between its marks there.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from glasspipe.files.variables import REALISATION, Variable
from glasspipe.report.observables import OBSERVABLES
from glasspipe.stages import STAGES
from glasspipe.stages.stage import Stage

_COMMAND = "python -m glasspipe.report.data_docs docs/data.md"
BEGIN, END = f"<!-- Written by `{_COMMAND}`. -->\n", "<!-- End of what it writes. -->\n"


def dictionary() -> str:
    """Return the tables of the variables of every stage's file and of the study's own."""
    sections = []
    for stage in STAGES.values():
        temporary = ", deleted as soon as they have been used" if stage.temporary else ""
        title = f"### `{stage.name}`\n\nFiles of the stage that {_reads(stage)}{temporary}."
        sections.append(_section(title, {"realisation": REALISATION, **stage.variables}))
    for file in dict.fromkeys(one.file for one in OBSERVABLES if one.file):
        title = f"### `{file}`\n\nA file of the study's results."
        mine = [one for one in OBSERVABLES if one.file == file]
        held = {name: about for one in mine for name, about in one.coordinates.items()} | {
            name: about.along(f"point {about.dimensions}".strip())
            for one in mine
            for name, about in one.variables.items()
        }
        sections.append(_section(title, held))
    return "\n\n".join(sections) + "\n"


def _reads(stage: Stage) -> str:
    names = " and ".join(f"`{read.name}`" for read in stage.reads)
    return f"reads those of {names}" if names else "begins a study"


def _section(title: str, variables: Mapping[str, Variable]) -> str:
    head = ["| variable (dimensions) | unit | meaning | from | where |", "|---|---|---|---|---|"]
    rows = (f"| {' | '.join(_cells(name, about))} |" for name, about in variables.items())
    return "\n".join([title, "", *head, *rows])


def _cells(name: str, about: Variable) -> tuple[str, ...]:
    dimensions = ", ".join(about.dimensions.split())
    found = f"`{name}({dimensions})`", about.units, about.long_name, about.reference, about.where
    return tuple(cell.replace("|", "\\|") for cell in found)


def main(path: Path) -> None:
    """Rewrite the dictionary in a file that holds the marks."""
    head, begin, rest = path.read_text("utf-8").partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{path}: lacks the lines {BEGIN.strip()} and {END.strip()}")
    path.write_text(f"{head}{BEGIN}\n{dictionary()}\n{END}{tail}", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
