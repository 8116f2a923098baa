import sys
from contextlib import contextmanager
from pathlib import Path

from snakemake.logging import logger

from glasspipe.files import layout
from glasspipe.errors import ConfigError
from glasspipe.settings.config import POINT_NAME, study_from
from glasspipe.errors import DataError
from glasspipe.files.provenance import code_hash
from glasspipe.settings.reading import read_mapping

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


def chunk_of(stage, earlier):
    """Return the input function for what a stage reads of an earlier one."""

    def file(wildcards):
        part = PARTS[stage][wildcards.part].of(earlier)
        return f"{FOLDER}/{part.chunk_file(wildcards.chunk)}"

    return file


def files_of_point(wildcards):
    """Return what is merged of a point, chunk by chunk."""
    files = layout.merged_files(STUDY, POINTS[wildcards.point].point)
    return [f"{FOLDER}/{file}" for stage in files.values() for file in stage]


def folder(wildcards, input):
    """Return the folder of the study."""
    return str(Path(input.study).parent)


def source_of(wildcards):
    """Return the user's own file from which a sample is read, if it is."""
    return PARTS["sample"][wildcards.part].sources


def largest_first(wildcards):
    """Return a priority below 1 that grows with the box, so that no core ends up with one alone."""
    return 1 - 1 / PARTS["sample"][wildcards.part].defects


def memory(stage):
    """Return the resource function for the memory of a stage's jobs."""
    return lambda wildcards: PARTS[stage][wildcards.part].megabytes


def minutes(stage):
    """Return the resource function for the time of a stage's jobs."""
    return lambda wildcards: PARTS[stage][wildcards.part].minutes
