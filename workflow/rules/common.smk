import sys
from contextlib import contextmanager
from pathlib import Path
from shlex import quote

from snakemake.logging import logger

from glasspipe.errors import ConfigError, DataError
from glasspipe.files.provenance import code_hash
from glasspipe.report.contents import figures_of, tables_of
from glasspipe.settings.reading import read_mapping
from glasspipe.settings.study import study_from
from glasspipe.stages import stages_of, study_files
from glasspipe.stages.work import CHUNK_NAME, PART_NAME, chunks, works

# A job runs the glasspipe of the environment that runs Snakemake, activated or not.
BIN = Path(sys.executable).parent
shell.prefix('set -euo pipefail; PATH={BIN:q}:"$PATH"; ')

# One line a job on the terminal; the log file has these too.
CHATTER = ("Select jobs", "Execute ", "Finished jobid")
for handler in logger.handlers:
    if handler.name == "DefaultStreamHandler":
        handler.addFilter(lambda record: not str(record.msg).startswith(CHATTER))


@contextmanager
def mistakes_in_one_line():
    """End the run with one line where the user made a mistake."""
    try:
        yield
    except (ConfigError, DataError) as error:
        sys.exit(f"glasspipe: {error}")


def inputs_of(stage):
    """Return the input function for what a stage reads of earlier ones, and the user's own file."""

    def files(wildcards):
        work = WORK[stage.name][wildcards.part]
        found = {
            read.name: f"{FOLDER}/{work.upstream(read).chunk_file(wildcards.chunk)}"
            for read in stage.reads
        }
        return found if stage.reads else {"source": work.source_files}

    return files


def arguments_of(stage):
    """Return the params function for the arguments of a stage's command beside point and output."""

    def arguments(wildcards, input):
        if stage.reads:
            return " ".join(quote(str(input[read.name])) for read in stage.reads)
        numbers = CHUNKS[wildcards.chunk]
        return f"--first {numbers.start} --count {len(numbers)}"

    return arguments


def maybe_temporary(stage, file):
    """Mark the file of a stage that is deleted as soon as it has been used."""
    return temp(file) if stage.temporary else file


def priority_of(stage):
    """Return the priority of a stage: the later the higher, and the first one's by its size."""
    if stage.reads:
        return [found.name for found in stages_of(STUDY)].index(stage.name)
    # below 1 and growing with the box, so that no core ends up with a large one alone
    return lambda wildcards: 1 - 1 / WORK[stage.name][wildcards.part].defects


def asked_of(stage, what):
    """Return the resource function for the memory or the time of a stage's jobs."""
    return lambda wildcards: getattr(WORK[stage.name][wildcards.part], what)


def files_of_point(wildcards):
    """Return what is merged of a point, chunk by chunk."""
    files = study_files.merged_files(STUDY, POINTS[wildcards.point])
    return [f"{FOLDER}/{file}" for file in files]


def memory_of_merging(wildcards):
    """Return the memory to ask for to merge a point."""
    point = POINTS[wildcards.point]
    return WORK["sample"][stages_of(STUDY)[0].part(point).name].merge_megabytes


def folder(wildcards, input):
    """Return the folder of the study."""
    return str(Path(input.study).parent)
