"""How a long run is shown: a bar on a terminal, a line now and then in a log, nothing if short."""

import sys
import time
from dataclasses import dataclass, field
from typing import TextIO

_FIRST_LINE = 60.0
_NEXT_LINE = 600.0
_REDRAWN = 0.2
_BAR = 24
_CLEAR = "\r\x1b[K"


@dataclass
class Display:
    """Shows how far a run has come.

    Parameters
    ----------
    name : str
        What is run.
    total : int
        How many realisations there are.
    stream : text file
        Where to.
    """

    name: str
    total: int
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    _next: float = 0.0
    _drawn: bool = False

    def __post_init__(self) -> None:
        """Begin to wait."""
        self._terminal = self.stream.isatty()
        self._next = time.monotonic() + (_REDRAWN if self._terminal else _FIRST_LINE)

    def show(self, row: int, share: float, energy: float, acceptance: float) -> None:
        """Show ``share`` of a realisation, energy per spin (eV) and acceptance, if it is time."""
        if time.monotonic() < self._next:
            return
        done = (row + share) / self.total
        numbers = (
            f"realisation {row + 1} of {self.total}, {100 * done:.0f} %:"
            f" E/N = {energy:.6g} eV, acceptance {acceptance:.3f}"
        )
        if self._terminal:
            filled = int(_BAR * done)
            bar = "#" * filled + "." * (_BAR - filled)
            self._write(f"{_CLEAR}{self.name} [{bar}] {numbers}")
            self._drawn = True
        else:
            self._write(f"glasspipe {self.name}: {numbers}\n")
        self._next = time.monotonic() + (_REDRAWN if self._terminal else _NEXT_LINE)

    def line(self, text: str) -> None:
        """Show a line that stays, if there is any text."""
        if text:
            self.clear()
            self._write(f"glasspipe {self.name}: {text}\n")

    def clear(self) -> None:
        """Remove the bar."""
        if self._drawn:
            self._write(_CLEAR)
            self._drawn = False

    def _write(self, text: str) -> None:
        try:
            self.stream.write(text)
            self.stream.flush()
        except OSError:  # whoever read the log is gone, which is no reason to stop
            self._next = float("inf")
