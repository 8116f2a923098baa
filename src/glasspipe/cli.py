"""The command ``glasspipe``: one subcommand a stage, each called by exactly one rule.

Imports are lazy, since a process that only reads a config should not pay for compiled kernels. BLAS
runs on one thread, for a result may not depend on the number of cores.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glasspipe.stages.stage import Stage

for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_variable] = "1"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status.

    A user's mistake (a config or a file that cannot be used) ends in one line and status 2; a
    signal that let the run keep what it did, in status 128 + its number.
    """
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
    from glasspipe.stages import STAGES

    stage = STAGES[options.command]
    stage.run(
        stage.load_part(options.point),
        *(getattr(options, read.name) for read in stage.reads),
        options.output,
        **{option.name: getattr(options, option.name) for option in stage.options},
    )


def _export(options: argparse.Namespace) -> None:
    from glasspipe.files.export import export

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

    print(summary(options.folder))


def _parser() -> argparse.ArgumentParser:
    from glasspipe.stages import STAGES

    parser = argparse.ArgumentParser(
        prog="glasspipe", description="Parameter studies of quantum glasses."
    )
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
    _folder_parser(commands, "summary", "print the headline numbers").set_defaults(run=_summary)
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
    parser.add_argument("--spins", choices=("S", "tau"), default="tau", help="U, B or J, b (tau)")
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
