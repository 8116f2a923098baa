"""A study is watched: a table that is redrawn on a terminal, a line now and then elsewhere."""

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from glasspipe.files.lock import is_locked
from glasspipe.settings.study import Study
from glasspipe.stages.forecast import loads
from glasspipe.stages.progress import Progress, look

_REDRAWN, _NEXT_LINE = 1.0, 10.0
"""Seconds between two looks, for a terminal and elsewhere."""
_PATIENCE = 10
"""Least time between two looks, over that of one, which is long where jobs are many."""


def watch(study: Study, folder: Path, stream: TextIO) -> None:
    """Show how far a study has come until its run ends; once, if none lives.

    Parameters
    ----------
    study : Study
        The study.
    folder : Path
        Its folder, which need not be there yet.
    stream : text file
        Where to.

    Raises
    ------
    ConfigError, DataError
        If defects come from a file that cannot be used.
    """
    planned, screen = list(loads(study)), _Screen(stream)
    while True:
        began = time.monotonic()
        found = look(study.name, planned, folder, runs=is_locked(folder))
        if not found.runs:
            break
        screen.show(found)
        took = time.monotonic() - began
        time.sleep(max(_REDRAWN if screen.terminal else _NEXT_LINE, _PATIENCE * took))
    screen.clear()
    stream.write(f"{found.summary}\n")


@dataclass
class _Screen:
    """Where the progress of a run is shown."""

    stream: TextIO
    terminal: bool = field(init=False)
    _height: int = 0
    _line: str = ""

    def __post_init__(self) -> None:
        self.terminal = self.stream.isatty()

    def show(self, progress: Progress) -> None:
        """Redraw the table, or write a line if there is news."""
        if self.terminal:
            size = shutil.get_terminal_size()
            shown = filter(None, [progress.line, progress.table, progress.unfinished])
            lines = "\n\n".join(shown).splitlines()[: size.lines - 1]
            self.clear()
            self.stream.writelines(f"{line[: size.columns - 1]}\n" for line in lines)
            self._height = len(lines)
        elif progress.line != self._line:
            self.stream.write(f"{progress.line}\n")
            self._line = progress.line
        self.stream.flush()

    def clear(self) -> None:
        """Remove the table."""
        if self._height:
            self.stream.write(f"\x1b[{self._height}F\x1b[J")
            self._height = 0
