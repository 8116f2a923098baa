"""What a realisation costs with U stored and without, and what the forecast chooses.

    python benchmarks/engines.py [--sizes 500 1000 2000 4000] [--medium KBr] [--concentration 0.01]

Whole stages, files included, of one realisation of the default study's defects: couplings, freeze
(1000 sweeps) and fields, in a process that has run them before. ``auto`` is what the forecast
chooses, and what that costs over the cheaper of the two. One process, one thread; seconds of CPU.
"""

import argparse
import os
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

from time import process_time

from glasspipe.settings.point import Point
from glasspipe.settings.study import study_from
from glasspipe.stages import STAGES

STORES = ("float64", "implicit")


def point_of(number: int, store: str, options: argparse.Namespace) -> Point:
    """A point of one realisation."""
    defects = {"number": number, "concentration": options.concentration}
    about = {"study": "engines", "medium": options.medium, "realisations": 1}
    study = study_from({**about, "defects": defects, "couplings": {"store": store}})
    return study.points[0]


def seconds_of(point: Point) -> list[float]:
    """Seconds of couplings, freeze and fields."""
    with TemporaryDirectory() as folder:
        files = {name: Path(folder) / f"{name}.nc" for name in STAGES}
        found = []
        for name in ("sample", "couplings", "freeze", "fields"):
            stage, start = STAGES[name], process_time()
            read = [files[each.name] for each in stage.reads]
            stage.run(stage.part(point), *read, files[name])
            found.append(process_time() - start)
    return found[1:]


def row(number: int, options: argparse.Namespace) -> str:
    """The row of one size."""
    measured = {store: seconds_of(point_of(number, store, options)) for store in STORES}
    model = point_of(number, "auto", options).model
    totals = {store: sum(found) for store, found in measured.items()}
    cells = [f"{value:.2f}" for store in STORES for value in (*measured[store], totals[store])]
    excess = totals[model.store] / min(totals.values()) - 1
    chosen = "stored" if model.store != "implicit" else "without"
    return f"| {model.defects} | {' | '.join(cells)} | {chosen}, {excess:+.0%} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="*", default=[500, 1000, 2000, 4000])
    parser.add_argument("--medium", choices=("KBr", "KBr_cubic"), default="KBr")
    parser.add_argument("--concentration", type=float, default=0.01)
    options = parser.parse_args()
    row(100, options)  # compiles
    print(
        "| N | couplings, U stored | freeze | fields | sum | couplings, without U | freeze | fields"
        " | sum | auto |\n" + "|---" * 10 + "|"
    )
    for number in options.sizes:
        print(row(number, options), flush=True)


if __name__ == "__main__":
    main()
