"""How far a study has come: its jobs by stage, what they took, and the time that is left.

All is read from the study's folder, so that it does not matter who runs it, and where. A run begins
by removing the records and logs of what it will make; from then on a job that has a record is done,
or has failed where that is what it says, and one that has a log alone was begun.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from glasspipe.files.record import Record, has_failed, read_record, record_failure
from glasspipe.stages.plan import aligned, counted, duration, size
from glasspipe.stages.rates import Load, rates
from glasspipe.stages.work import LOGS, RECORDS

_HEAD = ("stage", "jobs", "CPU", "forecast", "memory", "forecast", "left")
_SHOWN_LOGS = 20


@dataclass(frozen=True)
class Job:
    """A job of a study, as its files tell.

    Parameters
    ----------
    load : Load
        What it has to do.
    record : Record or None
        What it took; None until it is done.
    log : Path
        What it said.
    begun : bool
        Whether it was begun and is not done: it runs, or nobody has seen it end.
    failed : bool
        Whether it has failed.
    """

    load: Load
    record: Record | None
    log: Path
    begun: bool
    failed: bool

    @property
    def seconds(self) -> float:
        """Forecast of its CPU time."""
        return rates()[self.load.rule].seconds(self.load)

    @property
    def megabytes(self) -> float:
        """Forecast of its memory."""
        return rates()[self.load.rule].megabytes(self.load)


@dataclass(frozen=True)
class Progress:
    """How far the jobs of a study have come.

    Parameters
    ----------
    name : str
        Of the study.
    jobs : tuple of Job
        All of them, in the order of their stages.
    runs : bool
        Whether a run of the study lives.
    """

    name: str
    jobs: tuple[Job, ...]
    runs: bool

    @cached_property
    def done(self) -> list[Job]:
        """What is done."""
        return [job for job in self.jobs if job.record is not None]

    @cached_property
    def begun(self) -> list[Job]:
        """What was begun and is not done."""
        return [job for job in self.jobs if job.begun]

    @cached_property
    def failed(self) -> list[Job]:
        """What has failed."""
        return [job for job in self.jobs if job.failed]

    @cached_property
    def stages(self) -> dict[str, list[Job]]:
        """The jobs of each stage."""
        found: dict[str, list[Job]] = {}
        for job in self.jobs:
            found.setdefault(job.load.rule, []).append(job)
        return found

    @cached_property
    def seconds_left(self) -> dict[str, float]:
        """Time that each stage still takes, jobs that run counted whole.

        The forecast of what is not done is multiplied by what the finished jobs of the stage, or of
        all where it has none, took over theirs, and divided by the number of jobs that run at once.
        """
        at_once = max(1, len(self.begun)) if self.runs else 1
        all_over = _pace(self.jobs) or 1.0
        return {
            name: sum(job.seconds for job in jobs if job.record is None)
            * (_pace(jobs) or all_over)
            / at_once
            for name, jobs in self.stages.items()
        }

    @property
    def line(self) -> str:
        """How far it is, in one line."""
        text = f"study {self.name}: {len(self.done)} of {counted(len(self.jobs), 'job')} done"
        if len(self.done) == len(self.jobs):
            return text
        text += f", {len(self.failed)} failed" if self.failed else ""
        left = duration(sum(self.seconds_left.values()))
        if self.runs:
            return f"{text}, {len(self.begun)} begun, about {left} left"
        return f"{text}, nothing runs, about {left} of one core left"

    @property
    def table(self) -> str:
        """A row a stage and one of all: jobs, and time and memory beside their forecast."""
        rows = [_row(name, jobs, self.seconds_left[name]) for name, jobs in self.stages.items()]
        whole = _row("all", self.jobs, sum(self.seconds_left.values()))
        return aligned([_HEAD, *rows, whole])

    @property
    def unfinished(self) -> str:
        """The log of each job that failed, or has begun and does not run, with its last line."""
        kinds = {"failed": self.failed, "stopped": [] if self.runs else self.begun}
        return "\n".join(line for kind, jobs in kinds.items() for line in _told(kind, jobs))

    @property
    def summary(self) -> str:
        """What is to be known when a run has ended."""
        return "\n\n".join(filter(None, [self.line, self.table, self.unfinished]))


def look(name: str, planned: Sequence[tuple[str, Load]], folder: Path, *, runs: bool) -> Progress:
    """Return how far a study has come.

    Parameters
    ----------
    name : str
        Of the study.
    planned : sequence of (str, Load)
        Its jobs, as :func:`~glasspipe.stages.forecast.loads` yields them.
    folder : Path
        The study's folder, which need not be there yet.
    runs : bool
        Whether a run of it lives.
    """
    jobs = []
    for file, load in planned:
        log = folder / _log_file(file)
        record = read_record(folder / file)
        failed = record is None and has_failed(folder / file)
        begun = record is None and not failed and log.is_file()
        jobs.append(Job(load, record, log, begun, failed))
    return Progress(name, tuple(jobs), runs)


def note_failure(folder: Path, logs: Iterable[Path]) -> None:
    """Keep that a job failed, if one of its logs is in the study's folder."""
    for log in logs:
        if log.is_relative_to(folder / LOGS):
            record = log.relative_to(folder / LOGS).with_suffix(".json")
            record_failure(folder / RECORDS / record)


def _log_file(record: str) -> str:
    """Return the log of a job, by its record."""
    return f"{LOGS}{record.removeprefix(RECORDS).removesuffix('.json')}.log"


def _told(kind: str, jobs: Sequence[Job]) -> list[str]:
    lines = [f"{job.load.rule}: {job.log}: {_last_line(job.log)}" for job in jobs]
    hidden = len(lines) - _SHOWN_LOGS
    more = [f"… and {hidden} more"] if hidden > 0 else []
    return [f"{kind}:", *lines[:_SHOWN_LOGS], *more] if lines else []


def _pace(jobs: Sequence[Job]) -> float:
    """Return what finished jobs took over their forecast; 0 if there are none."""
    done = [(job.record.wall_s, job.seconds) for job in jobs if job.record is not None]
    taken, forecast = map(sum, zip(*done, strict=True)) if done else (0.0, 1.0)
    return taken / forecast


def _row(name: str, jobs: Sequence[Job], left: float) -> tuple[str, ...]:
    done = [(job, job.record) for job in jobs if job.record is not None]
    taken = (
        duration(sum(record.cpu_s for _, record in done)),
        duration(sum(job.seconds for job, _ in done)),
        size(1e6 * max((record.rss_mb for _, record in done), default=0.0)),
        size(1e6 * max((job.megabytes for job, _ in done), default=0.0)),
    )
    return (
        name,
        f"{len(done)}/{len(jobs)}",
        *(taken if done else [""] * len(taken)),
        duration(left) if left else "",
    )


def _last_line(path: Path) -> str:
    """Return the last line of a log."""
    try:
        lines = path.read_text("utf-8", errors="replace").split("\n")
    except OSError as error:
        return error.strerror or str(error)
    return next(filter(None, map(str.strip, reversed(lines))), "(it says nothing)")
