"""The command ``glasspipe``: one subcommand a stage, each called by exactly one rule.

Imports are lazy, since a process that only reads a config should not pay for compiled kernels. BLAS
runs on one thread, for a result may not depend on the number of cores.
"""

import argparse
import codecs
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize

from glasspipe import __version__

if TYPE_CHECKING:
    from glasspipe.stages.stage import Stage

for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_variable] = "1"


_ASCII = {
    "Å": "A",
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "ζ": "zeta",
    "η": "eta",
    "ρ": "rho",
    "τ": "tau",
    "ε": "epsilon",
    "Δ": "Delta",
    "χ": "chi",
    "Σ": "Sum",
    "⟨": "<",
    "⟩": ">",
    "→": "->",
    "±": "+-",
    "≤": "<=",
    "≥": ">=",
    "×": "x",
    "−": "-",
    "–": "-",
    "…": "...",
    "√": "sqrt",
    "²": "^2",
    "³": "^3",
    "⁻": "^-",
    "₀": "_0",
    "₂": "_2",
    "µ": "u",
    "∞": "inf",
    "ẑ": "z",
}
"""What is written for a sign that an encoding lacks."""


def _written(error: UnicodeError) -> tuple[str | bytes, int]:
    """Replace what an encoding cannot write, to be used as an error handler of codecs."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    plain = "".join(_ASCII.get(sign, normalize("NFKD", sign)) for sign in signs)
    return plain.encode("ascii", "ignore").decode() or "?", error.end


codecs.register_error("glasspipe", _written)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status.

    A user's mistake (a config or a file that cannot be used) ends in one line and status 2; a
    signal that let the run keep what it did, in status 128 + its number.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # what a terminal cannot show must not end a run
            stream.reconfigure(errors="glasspipe")
    options = _parser().parse_args(arguments)
    from glasspipe.errors import ConfigError, DataError
    from glasspipe.files.checkpoint import StoppedError

    try:
        options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read has enough; what is left must not be flushed at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except StoppedError as stopped:
        with suppress(OSError):  # the same signal may have ended whoever reads this
            print(f"glasspipe {options.command}: {stopped}", file=sys.stderr)
        return 128 + stopped.number
    except (ConfigError, DataError) as error:
        print(f"glasspipe {options.command}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        why = error.strerror or " ".join(str(error).split())  # HDF5's have no strerror
        print(f"glasspipe {options.command}: {name}{why}", file=sys.stderr)
        return 2
    return 0


def _check(options: argparse.Namespace) -> None:
    from glasspipe.settings.study import load_study
    from glasspipe.stages.plan import describe

    print(describe(load_study(options.config)))


def _materials(_: argparse.Namespace) -> None:
    from glasspipe.settings.materials import listing

    print(listing())


def _stage(options: argparse.Namespace) -> None:
    from glasspipe.files.dataset import refuse_overwriting
    from glasspipe.stages import STAGES

    stage = STAGES[options.command]
    part = stage.load_part(options.point)
    inputs = [getattr(options, read.name) for read in stage.reads]
    own = part.model.source_file
    refuse_overwriting(options.output, [options.point, *inputs, *([own] if own else [])])
    chosen = {option.name: getattr(options, option.name) for option in stage.options}
    stage.run(part, *inputs, options.output, **chosen)


def _export(options: argparse.Namespace) -> None:
    from glasspipe.files.dataset import refuse_overwriting
    from glasspipe.files.export import export

    refuse_overwriting(options.output, [options.hamiltonian])
    export(
        options.hamiltonian,
        options.output,
        spins=options.spins,
        form=options.format,
        realisation=options.realisation,
    )


def _aggregate(options: argparse.Namespace) -> None:
    from glasspipe.report import aggregate

    if options.point is None:
        aggregate.study(options.folder)
    else:
        aggregate.point(options.folder, options.point)


def _report(options: argparse.Namespace) -> None:
    from glasspipe.report.summary import report

    report(options.folder)


def _summary(options: argparse.Namespace) -> None:
    from glasspipe.report.summary import summary
    from glasspipe.settings.study import load_study
    from glasspipe.stages.study_files import study_folder

    folder: Path = options.folder
    print(summary(Path(study_folder(load_study(folder))) if folder.is_file() else folder))


def _parser() -> argparse.ArgumentParser:
    from glasspipe.stages import STAGES

    parser = argparse.ArgumentParser(
        prog="glasspipe", description="Parameter studies of quantum glasses."
    )
    parser.add_argument("--version", action="version", version=f"glasspipe {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    check = commands.add_parser("check", help="validate a study; print its points, jobs and cost")
    check.add_argument("config", type=Path, metavar="CONFIG")
    check.set_defaults(run=_check)

    materials = commands.add_parser("materials", help="list media and materials and their sources")
    materials.set_defaults(run=_materials)

    for stage in STAGES.values():
        _stage_parser(commands, stage)
    _export_parser(commands)

    aggregate = _folder_parser(commands, "aggregate", "merge the fields of a study into statistics")
    aggregate.add_argument("--point", metavar="NAME", help="only merge the chunks of this point")
    aggregate.set_defaults(run=_aggregate)
    _folder_parser(commands, "report", "draw figures and write tables").set_defaults(run=_report)
    summary = commands.add_parser("summary", help="print the headline numbers")
    summary.add_argument("folder", type=Path, metavar="STUDY-FOLDER|CONFIG")
    summary.set_defaults(run=_summary)
    return parser


def _stage_parser(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", stage: "Stage"
) -> None:
    parser = commands.add_parser(stage.name, help=stage.about)
    parser.add_argument("point", type=Path, metavar="POINT", help="YAML or JSON of one point")
    for read in stage.reads:
        parser.add_argument(read.name, type=Path, metavar=f"{read.name.upper()}.nc")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    for option in stage.options:
        parser.add_argument(
            f"--{option.name}", type=option.type, default=option.default, help=option.about
        )
    parser.set_defaults(run=_stage)


def _export_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("export", help="write one realisation's Hamiltonian for a solver")
    parser.add_argument("hamiltonian", type=Path, metavar="HAMILTONIAN.nc")
    parser.add_argument(
        "--spins",
        choices=("S", "tau", "both"),
        default="tau",
        help="U, B; J, b (tau); or all",
    )
    parser.add_argument(
        "--format", choices=("bqm", "edges"), default="edges", help="dimod's, or text (edges)"
    )
    parser.add_argument("--realisation", type=int, default=0, help="its number (0)")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    parser.set_defaults(run=_export)


def _folder_parser(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, about: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=about)
    parser.add_argument("folder", type=Path, metavar="STUDY-FOLDER")
    return parser
