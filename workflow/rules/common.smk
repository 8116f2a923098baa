import logging
import sys
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from shlex import quote

from snakemake.logging import logger
from snakemake_interface_logger_plugins.common import LogEvent

from glasspipe.errors import ConfigError, DataError, line_of
from glasspipe.files.lock import locked, within
from glasspipe.files.provenance import code_hash
from glasspipe.report.contents import figures_of, tables_of
from glasspipe.report.style import style_of
from glasspipe.settings.names import hash_of
from glasspipe.settings.reading import read_mapping
from glasspipe.settings.study import study_from
from glasspipe.stages import forecast, progress, stages_of, study_files
from glasspipe.stages.work import CHUNK_NAME, PART_NAME, chunks, works

# A job runs the glasspipe of the environment that runs Snakemake, activated or not.
BIN = Path(sys.executable).parent
shell.prefix('set -euo pipefail; PATH={BIN:q}:"$PATH"; ')

# What the jobs of a run share. Those of a cluster share nothing: each has one, or what --set-threads
# says, which the Snakemake in the job is told as well.
HERE = workflow.is_main_process and workflow.resource_settings.nodes is None
CORES = (HERE and workflow.resource_settings.cores) or 1

SNAKEMAKE_MB = 400  # of the two Snakemakes around a command in a cluster's job

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
    except (ConfigError, DataError, OSError) as error:
        sys.exit(f"glasspipe: {line_of(error)}")


@contextmanager
def alone(executor_plugin, **_):
    """Lock the study while jobs run, write what they read of it before, and tidy up if all is well.

    Whatever else is done with a config, a dry run above all, writes nothing. Snakemake's own lock is
    left out, since it outlives a run that was killed, where there is one that does not.
    """
    writes = workflow.is_main_process and not executor_plugin.common_settings.dryrun_exec
    with ExitStack() as held:
        if writes:
            with mistakes_in_one_line():
                if held.enter_context(locked(Path(FOLDER))):
                    workflow.execution_settings.lock = False
                study_files.write(STUDY, FOLDER)
                study_files.settle_times(FOLDER)
        yield
        if writes:
            study_files.remove_unfinished(FOLDER)


@contextmanager
def undisturbed(dryrun=False, **_):
    """Lock the study while its files are deleted."""
    with ExitStack() as held:
        if not dryrun:
            with mistakes_in_one_line():
                held.enter_context(locked(Path(FOLDER)))
        yield


def environment(wildcards):
    """Return that no rule has an environment of its own, on whatever machine.

    Planning needs glasspipe where Snakemake runs, and jobs must be made by what planned them.
    """
    return None


def forget(jobs):
    """Remove what earlier runs say of jobs that are to be run, or they would pass for done."""
    if workflow.touch:
        return
    with mistakes_in_one_line():
        for job in jobs:
            for file in filter(None, (job.params.get("record"), *job.log)):
                Path(file).unlink(missing_ok=True)


class Failures(logging.Handler):
    """Keep which jobs fail, even where they were killed and cannot say it themselves."""

    def emit(self, record):
        if getattr(record, "event", None) == LogEvent.JOB_ERROR:
            with suppress(OSError):  # the disk may be what has failed
                progress.note_failure(Path(FOLDER), map(Path, record.log))


def tell_how_it_went():
    """Print the time and memory of every stage beside the forecast, and the logs of failed jobs."""
    with mistakes_in_one_line():
        planned = list(forecast.loads(STUDY))
    logger.info(progress.look(STUDY.name, planned, Path(FOLDER), runs=False).summary)


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
    """Return the params function for the arguments of a stage's command beside its output."""

    def arguments(wildcards, input):
        point = f"{FOLDER}/{WORK[stage.name][wildcards.part].point_file}"
        paths = [point, *(str(input[read.name]) for read in stage.reads)]
        numbers = CHUNKS[wildcards.chunk]
        chosen = [] if stage.reads else ["--first", numbers.start, "--count", len(numbers)]
        return " ".join(quote(str(word)) for word in (*paths, *chosen))

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


def load_of(stage, wildcards):
    """Return what a stage's job has to do."""
    return WORK[stage.name][wildcards.part].load(len(CHUNKS[wildcards.chunk]))


def memory_for(load):
    """Return the resource function for the memory of jobs, more with each attempt."""
    return lambda wildcards, attempt: (SNAKEMAKE_MB + attempt * forecast.megabytes(load(wildcards)))


def threads_for(load):
    """Return the threads function of jobs, which share the cores of the run."""
    return lambda wildcards: forecast.threads(STUDY, load(wildcards), CORES)


def time_for(load):
    """Return the resource function for the time of jobs, more with each attempt."""
    return lambda wildcards, attempt: attempt * forecast.minutes(load(wildcards))


def record_of(stage):
    """Return the params function for the record of what a stage's jobs took."""
    return lambda wildcards: (
        f"{FOLDER}/{WORK[stage.name][wildcards.part].record_file(wildcards.chunk)}"
    )


def record(rule):
    """Return the params function for the record of the jobs that follow the stages."""
    return lambda wildcards: f"{FOLDER}/{forecast.record_file(rule, *wildcards)}"


def files_of_point(wildcards):
    """Return what is merged of a point, chunk by chunk."""
    files = study_files.merged_files(STUDY, POINTS[wildcards.point])
    return [f"{FOLDER}/{file}" for file in files]


def folder(wildcards):
    """Return the folder of the study."""
    return FOLDER
