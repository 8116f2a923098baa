"""Run as ``glasspipe`` or ``python -m glasspipe``: one process, which ends with its command.

What it imported is never thrown away before it ends, and Python would look through all of it for
cycles, again and again as it is read and once more in the end: a third of a second of each job.
"""

import gc
import sys

_OBJECTS = 50_000
"""Made before Python looks for cycles among the young, 700 by default."""


def run() -> int:
    """Run the command of this process; return its exit status."""
    gc.set_threshold(_OBJECTS)
    from glasspipe.cli import main

    try:
        return main()
    finally:
        gc.freeze()


if __name__ == "__main__":
    sys.exit(run())
