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
    from glasspipe.settings.config import load_study
    from glasspipe.stages.plan import describe

    print(describe(load_study(options.config)))


def _materials(_: argparse.Namespace) -> None:
    from glasspipe.settings.materials import listing

    print(listing())


def _sample(options: argparse.Namespace) -> None:
    from glasspipe.settings.config import load_point
    from glasspipe.stages import run as stages

    stages.sample(
        load_point(options.point), options.output, first=options.first, count=options.count
    )


def _freeze(options: argparse.Namespace) -> None:
    from glasspipe.settings.config import load_point
    from glasspipe.stages import run as stages

    point = load_point(options.point)
    stages.freeze(point, options.couplings, options.output, checkpoint=options.checkpoint)


def _stage(options: argparse.Namespace) -> None:
    from glasspipe.settings.config import load_point
    from glasspipe.stages import run as stages

    run = getattr(stages, options.command)
    run(
        load_point(options.point),
        *(getattr(options, name) for name in options.inputs),
        options.output,
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
    parser = argparse.ArgumentParser(
        prog="glasspipe", description="Parameter studies of quantum glasses."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    check = commands.add_parser("check", help="validate a study; print its points, jobs and cost")
    check.add_argument("config", type=Path, metavar="CONFIG")
    check.set_defaults(run=_check)

    materials = commands.add_parser("materials", help="list media and materials and their sources")
    materials.set_defaults(run=_materials)

    sample = _stage_parser(commands, "sample", "draw realisations of the disorder", ())
    sample.add_argument("--first", type=int, default=0, help="first realisation (0)")
    sample.add_argument("--count", type=int, help="number of realisations (all)")
    sample.set_defaults(run=_sample)
    _stage_parser(commands, "couplings", "compute U_ij and B_i", ("realisations",))
    freeze = _stage_parser(commands, "freeze", "freeze S", ("couplings",))
    freeze.add_argument(
        "--checkpoint",
        type=float,
        default=180.0,
        metavar="SECONDS",
        help="keep what has been done, to go on from there after an interruption (180)",
    )
    freeze.set_defaults(run=_freeze)
    _stage_parser(commands, "fields", "compute b_i and J_ij", ("realisations", "frozen"))

    inputs = ("realisations", "couplings", "frozen")
    _stage_parser(commands, "hamiltonian", "write U, B and J, b for other programs", inputs)
    _export_parser(commands)

    aggregate = _folder_parser(commands, "aggregate", "merge the fields of a study into statistics")
    aggregate.add_argument("--point", metavar="NAME", help="only merge the chunks of this point")
    aggregate.set_defaults(run=_aggregate)
    _folder_parser(commands, "report", "draw figures and write tables").set_defaults(run=_report)
    _folder_parser(commands, "summary", "print the headline numbers").set_defaults(run=_summary)
    return parser


def _stage_parser(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    about: str,
    inputs: tuple[str, ...],
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=about)
    parser.add_argument("point", type=Path, metavar="POINT", help="YAML or JSON of one point")
    for label in inputs:
        parser.add_argument(label, type=Path, metavar=f"{label.upper()}.nc")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    parser.set_defaults(run=_stage, inputs=inputs)
    return parser


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
