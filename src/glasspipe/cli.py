"""The command ``glasspipe``: one subcommand a stage, each called by exactly one rule.

Imports are lazy, since a process that only reads a config should not pay for compiled kernels. BLAS
runs on one thread, for a result may not depend on the number of cores.
"""

import argparse
import codecs
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize

from glasspipe import __version__

if TYPE_CHECKING:
    from glasspipe.settings.study import Study
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


_STUDY = "STUDY-FOLDER|CONFIG"


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
    signal that let the run keep what it did, in status 128 + its number; a comparison of studies
    that differ, in 1.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # what a terminal cannot show must not end a run
            stream.reconfigure(errors="glasspipe")
    options = _parser().parse_args(arguments)
    from glasspipe.errors import ConfigError, DataError, line_of
    from glasspipe.files.checkpoint import StoppedError
    from glasspipe.files.record import recording

    try:
        with recording(getattr(options, "record", None)):
            status = options.run(options) or 0
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read has enough; what is left must not be flushed at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except StoppedError as stopped:
        with suppress(OSError):  # the same signal may have ended whoever reads this
            print(f"glasspipe {options.command}: {stopped}", file=sys.stderr)
        return 128 + stopped.number
    except (ConfigError, DataError, OSError) as error:
        print(f"glasspipe {options.command}: {line_of(error)}", file=sys.stderr)
        return 2
    return status


def _check(options: argparse.Namespace) -> None:
    from glasspipe.settings.study import load_study
    from glasspipe.stages.plan import describe

    print(describe(load_study(options.config)))


def _init(options: argparse.Namespace) -> None:
    from glasspipe.files.template import write_template

    made = write_template(options.folder)
    print(
        f"{options.folder}: {', '.join(made)}; in it, `snakemake --cores 2` runs config/config.yaml"
    )


def _materials(_: argparse.Namespace) -> None:
    from glasspipe.settings.materials import listing

    print(listing())


def _stage(options: argparse.Namespace) -> None:
    from glasspipe.files.dataset import refuse_overwriting
    from glasspipe.stages import STAGES
    from glasspipe.threads import threads

    stage = STAGES[options.command]
    part = stage.load_part(options.point)
    inputs = [getattr(options, read.name) for read in stage.reads]
    own = part.model.source_file
    refuse_overwriting(options.output, [options.point, *inputs, *([own] if own else [])])
    chosen = {option.name: getattr(options, option.name) for option in stage.options}
    with threads(options.threads):
        stage.run(part, *inputs, options.output, **chosen)


def _export(options: argparse.Namespace) -> None:
    from glasspipe.files import export as hamiltonian
    from glasspipe.files.dataset import refuse_overwriting
    from glasspipe.report import export as frozen

    refuse_overwriting(options.output, [options.source])
    chosen = {"form": options.format, "realisation": options.realisation}
    if options.format in frozen.FORMATS:
        frozen.export(options.source, options.output, point=options.point, **chosen)
    else:
        hamiltonian.export(options.source, options.output, spins=options.spins, **chosen)


def _aggregate(options: argparse.Namespace) -> None:
    from glasspipe.report import aggregate

    if options.point is None:
        aggregate.study(options.folder)
    else:
        aggregate.point(options.folder, options.point)


def _report(options: argparse.Namespace) -> None:
    from glasspipe.report.writing import report

    report(options.folder)


def _summary(options: argparse.Namespace) -> None:
    from glasspipe.report.summary import summary

    print(summary(_results_folder(options.folder)))


def _table(options: argparse.Namespace) -> None:
    from glasspipe.report.selection import FORMATS, select
    from glasspipe.report.study import open_study

    summary = open_study(_results_folder(options.folder)).results.summary
    chosen = select(summary, options.columns, rows=options.rows, where=options.where)
    text = FORMATS[options.format](chosen, errors=options.errors, theory=options.theory)
    print(text, end="")


def _info(options: argparse.Namespace) -> None:
    from glasspipe.report.info import info

    print(info(options.file))


def _crate(options: argparse.Namespace) -> None:
    from glasspipe.report.crate import METADATA, write_crate

    folder = _results_folder(options.folder)
    number = write_crate(folder, licence=options.licence)
    print(f"{folder / METADATA}: {number} results")


def _reproduce(options: argparse.Namespace) -> int:
    from glasspipe.files.dataset import refuse_overwriting, replacing
    from glasspipe.report.reproduction import recipe, remade

    how = recipe(options.file)
    if options.output is not None:
        refuse_overwriting(options.output, [options.file])
        with replacing(options.output) as temporary:
            temporary.write_text(how.text(options.output.name), "utf-8")
    elif not options.run_it:
        print(how.text("CONFIG"), end="")
    if not options.run_it:
        return 0
    same, verdict = remade(options.file, how)
    print(verdict)
    return int(not same)


def _compare(options: argparse.Namespace) -> int:
    from glasspipe.report.comparison import compare, told
    from glasspipe.report.study import open_study

    one, two = (
        open_study(_results_folder(path)).results for path in (options.folder, options.other)
    )
    found = compare(one, two, significance=options.significance)
    print(told(found))
    return int(len(found.different) > 0)


def _watch(options: argparse.Namespace) -> int:
    from glasspipe.stages.watching import watch

    try:
        watch(*_study_and_folder(options.folder), sys.stdout)
    except KeyboardInterrupt:  # whoever looked has seen enough
        return 128 + signal.SIGINT
    return 0


def _calibrate(options: argparse.Namespace) -> None:
    from glasspipe.stages.calibration import calibrate

    path, jobs = calibrate(map(_results_folder, options.folders))
    print(f"{path}: rates of this machine, fitted to {len(jobs)} jobs")


def _clean(options: argparse.Namespace) -> None:
    from contextlib import nullcontext

    from glasspipe.errors import DataError
    from glasspipe.files.lock import locked
    from glasspipe.stages.leftovers import leftovers, remove, size_of

    study, folder = _study_and_folder(options.folder)
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; the study was not run here")
    with locked(folder) if options.delete else nullcontext():
        found = leftovers(study, folder)
        megabytes = sum(map(size_of, found)) / 1e6
        for path in found:
            print(path)
        if options.delete:
            remove(found)
    done = "removed" if options.delete else "to be removed by --delete"
    print(f"{len(found)} left over, {megabytes:.3g} MB {done}" if found else "nothing left over")


def _results_folder(path: Path) -> Path:
    """Return the folder of a study, given that or its config."""
    from glasspipe.settings.study import load_study
    from glasspipe.stages.study_files import study_folder

    return Path(study_folder(load_study(path))) if path.is_file() else path


def _study_and_folder(path: Path) -> tuple["Study", Path]:
    """Return a study and its folder, given its config, or that folder as it was run."""
    from glasspipe.settings.study import load_study
    from glasspipe.stages.study_files import load, study_folder

    if not path.is_file():
        return load(path).study, path
    study = load_study(path)
    return study, Path(study_folder(study))


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

    init = commands.add_parser("init", help="write a folder to run studies in")
    init.add_argument("folder", type=Path, metavar="FOLDER", help="new or empty")
    init.set_defaults(run=_init)

    materials = commands.add_parser("materials", help="list media and materials and their sources")
    materials.set_defaults(run=_materials)

    for stage in STAGES.values():
        _stage_parser(commands, stage)
    _export_parser(commands)

    aggregate = _folder_parser(commands, "aggregate", "merge the fields of a study into statistics")
    aggregate.add_argument("--point", metavar="NAME", help="only merge the chunks of this point")
    aggregate.set_defaults(run=_aggregate)
    report = _folder_parser(commands, "report", "draw figures and write tables")
    report.set_defaults(run=_report)
    for each in (aggregate, report):
        _record_option(each)
    summary = commands.add_parser("summary", help="print the headline numbers")
    summary.add_argument("folder", type=Path, metavar=_STUDY)
    summary.set_defaults(run=_summary)
    _table_parser(commands)
    watch = commands.add_parser("watch", help="show how far a study is, and what its jobs took")
    watch.add_argument("folder", type=Path, metavar=_STUDY)
    watch.set_defaults(run=_watch)
    calibrate = commands.add_parser("calibrate", help="fit the forecast to studies that were run")
    calibrate.add_argument("folders", type=Path, nargs="+", metavar=_STUDY)
    calibrate.set_defaults(run=_calibrate)
    clean = commands.add_parser("clean", help="list what belongs to no point of a study any more")
    clean.add_argument("folder", type=Path, metavar=_STUDY)
    clean.add_argument("--delete", action="store_true", help="remove it")
    clean.set_defaults(run=_clean)
    info = commands.add_parser("info", help="say what a file is and what made it")
    info.add_argument("file", type=Path, metavar="FILE")
    info.set_defaults(run=_info)
    _reproduce_parser(commands)
    crate = commands.add_parser("crate", help="describe a finished study for an archive: RO-Crate")
    crate.add_argument("folder", type=Path, metavar=_STUDY)
    crate.add_argument("--licence", metavar="TEXT", help="under which the results may be used")
    crate.set_defaults(run=_crate)
    compare = commands.add_parser("compare", help="say what differs between two studies")
    compare.add_argument("folder", type=Path, metavar=_STUDY)
    compare.add_argument("other", type=Path, metavar=_STUDY)
    compare.add_argument(
        "--significance", type=float, default=0.01, help="chance of a false alarm (0.01)"
    )
    compare.set_defaults(run=_compare)
    return parser


def _reproduce_parser(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    reproduce = commands.add_parser("reproduce", help="say what makes a file anew, and make it")
    reproduce.add_argument("file", type=Path, metavar="FILE")
    reproduce.add_argument("-o", "--output", type=Path, metavar="CONFIG", help="write it there")
    reproduce.add_argument(
        "--run", action="store_true", dest="run_it", help="make the file anew and compare"
    )
    reproduce.set_defaults(run=_reproduce)


def _table_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    table = commands.add_parser("table", help="print points and statistics of one's own choice")
    table.add_argument("folder", type=Path, metavar=_STUDY)
    table.add_argument(
        "--columns", nargs="+", required=True, metavar="QUANTITY:STATISTIC", help="such as B:std"
    )
    table.add_argument(
        "--rows", nargs="+", default=[], metavar="KEY", help="point, x or swept keys (those)"
    )
    table.add_argument(
        "--where", nargs="+", default=[], metavar="KEY=VALUE", help="or != < <= > >=; all must hold"
    )
    table.add_argument("--errors", action="store_true", help="standard errors, too")
    table.add_argument("--theory", action="store_true", help="theory and its kind, too")
    table.add_argument("--format", choices=("csv", "latex", "markdown"), default="csv")
    table.set_defaults(run=_table)


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
    parser.add_argument(
        "--threads", type=_positive, default=1, metavar="N", help="that share the computing (1)"
    )
    _record_option(parser)
    parser.set_defaults(run=_stage)


def _positive(text: str) -> int:
    """Return a number of things, of which there is one at least."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"found {text}; allowed: 1 or more")
    return int(text)


def _record_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--record", type=Path, metavar="FILE", help="write what the job took: time and memory"
    )


def _export_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "export",
        help="write one realisation: its Hamiltonian, or what froze",
    )
    parser.add_argument(
        "source",
        type=Path,
        metavar="SOURCE",
        help="HAMILTONIAN.nc (bqm, edges), or the folder of a study (extxyz, vtk)",
    )
    parser.add_argument("--point", metavar="POINT", help="of a study, by name (its first)")
    parser.add_argument(
        "--spins",
        choices=("S", "tau", "both"),
        default="tau",
        help="U, B; J, b (tau); or all",
    )
    parser.add_argument(
        "--format",
        choices=("bqm", "edges", "extxyz", "vtk"),
        default="edges",
        help="dimod's, or text (edges); for OVITO, or for ParaView",
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
