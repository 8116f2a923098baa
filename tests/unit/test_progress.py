"""How far a study is, by the records and logs in its folder, whoever runs it."""

import json
import re
from dataclasses import asdict
from io import StringIO

import pytest
import yaml

from glasspipe.cli import main
from glasspipe.files.record import Record, recording
from glasspipe.settings.study import study_from
from glasspipe.stages import forecast, progress, rates, study_files, watching

CONFIG = {
    "study": "watched",
    "realisations": 4,
    "realisations_per_job": 2,
    "sweep": {"seed": {"values": [1, 2]}},
}
STUDY = study_from(CONFIG)
PLANNED = list(forecast.loads(STUDY))
STAGES = {"sample": 4, "couplings": 4, "freeze": 4, "fields": 4}
JOBS = {**STAGES, "aggregate_point": 2, "aggregate": 1, "report": 1}


@pytest.fixture(autouse=True)
def shipped(tmp_path, monkeypatch):
    """The rates of the package, whatever this machine has."""
    monkeypatch.setenv(rates.VARIABLE, str(tmp_path / "none.yaml"))
    rates.rates.cache_clear()
    yield
    rates.rates.cache_clear()


def planned(stage):
    return [(file, load) for file, load in PLANNED if load.rule == stage]


def seconds(stage):
    return rates.shipped()[stage].seconds(planned(stage)[0][1])


def begin(folder, file, text=""):
    log = folder / file.replace("benchmarks/", "logs/").replace(".json", ".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(text)
    return log


def end(folder, file, load, pace=1.0, megabytes=50.0):
    """Leave what a job does that took ``pace`` times its forecast, and half of that of CPU."""
    begin(folder, file, "what it said\n")
    wall = pace * rates.shipped()[load.rule].seconds(load)
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    record = Record("there", "a processor", "now", wall, wall / 2, megabytes)
    (folder / file).write_text(json.dumps(asdict(record)))


def fail(folder, log):
    progress.note_failure(folder, [folder / ".snakemake" / "slurm.log", log])


def look(folder, *, runs=True):
    return progress.look("watched", PLANNED, folder, runs=runs)


def test_before_anything_ran(tmp_path):
    found = look(tmp_path / "none", runs=False)
    assert {name: len(jobs) for name, jobs in found.stages.items()} == JOBS
    assert (found.done, found.begun, found.unfinished) == ([], [], "")
    assert found.line.startswith("study watched: 0 of 20 jobs done, nothing runs, about ")
    for stage, number in JOBS.items():
        assert found.seconds_left[stage] == pytest.approx(
            sum(rates.shipped()[stage].seconds(load) for _, load in planned(stage))
        )
        assert f"0/{number}" in found.table


@pytest.mark.parametrize("runs", [True, False])
def test_the_time_left_follows_what_was_measured_and_what_runs(tmp_path, runs):
    for file, load in planned("sample"):
        end(tmp_path, file, load, pace=2.0)
    end(tmp_path, *planned("couplings")[0], pace=5.0, megabytes=1234.0)
    for file, _ in planned("couplings")[1:]:
        begin(tmp_path, file)
    found = look(tmp_path, runs=runs)
    assert (len(found.done), len(found.begun)) == (5, 3)
    cores = 3 if runs else 1
    sample, couplings = 4 * seconds("sample"), seconds("couplings")
    pace = (2 * sample + 5 * couplings) / (sample + couplings)
    assert found.seconds_left["sample"] == 0
    assert found.seconds_left["couplings"] == pytest.approx(3 * 5 * couplings / cores)
    assert found.seconds_left["freeze"] == pytest.approx(4 * pace * seconds("freeze") / cores)
    rows = {line.split()[0]: line.split() for line in found.table.splitlines()}
    cpu = 5 * couplings / 2
    assert rows["couplings"][1:4] == ["1/4", f"{cpu:.3g}", "s"]
    assert rows["couplings"][6:8] == ["1.23", "GB"]
    assert rows["all"][1] == "5/20"


def test_what_has_no_good_record_is_not_done(tmp_path):
    for file, load in PLANNED:
        end(tmp_path, file, load)
    assert look(tmp_path).line == "study watched: 20 of 20 jobs done"
    assert set(look(tmp_path).seconds_left.values()) == {0}
    (tmp_path / PLANNED[0][0]).write_text("{")
    assert len(look(tmp_path).done) == 19


def test_a_failure_is_told_with_its_log(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "_SHOWN_LOGS", 2)
    files = [file for file, _ in planned("freeze")]
    end(tmp_path, *planned("freeze")[0])
    log = begin(tmp_path, files[1], "a bar\nglasspipe freeze: damaged\n\n")
    begin(tmp_path, files[2])
    begin(tmp_path, files[3])
    told = look(tmp_path, runs=False).unfinished.splitlines()
    assert told[:2] == ["stopped:", f"freeze: {log}: glasspipe freeze: damaged"]
    assert told[2].endswith("(it says nothing)")
    assert told[3:] == ["… and 1 more"]
    assert look(tmp_path, runs=False).summary.endswith("\n".join(told))
    assert look(tmp_path).unfinished == ""
    fail(tmp_path, log)
    told = look(tmp_path, runs=False).unfinished.splitlines()
    assert told[:3] == ["failed:", f"freeze: {log}: glasspipe freeze: damaged", "stopped:"]


def test_what_has_failed_does_not_run_until_it_is_begun_again(tmp_path):
    files = [file for file, _ in planned("sample")]
    logs = [begin(tmp_path, file) for file in files]
    before = look(tmp_path)
    fail(tmp_path, logs[0])
    found = look(tmp_path)
    assert (len(before.begun), len(found.begun), len(found.failed)) == (4, 3, 1)
    assert found.line.startswith("study watched: 0 of 20 jobs done, 1 failed, 3 begun, about ")
    assert found.seconds_left["sample"] == pytest.approx(before.seconds_left["sample"] * 4 / 3)
    with recording(tmp_path / files[0]):
        assert (len(look(tmp_path).begun), len(look(tmp_path).failed)) == (4, 0)
    assert len(look(tmp_path).done) == 1


def test_a_job_of_another_workflow_is_none_of_the_study(tmp_path):
    progress.note_failure(tmp_path / "study", [tmp_path / "theirs" / "logs" / "lines.log"])
    assert list(tmp_path.iterdir()) == []


class Terminal(StringIO):
    """A terminal, as far as a stream is one."""

    def isatty(self):
        return True

    def screen(self):
        """Return the lines that stay."""
        lines = []
        for text in re.split(r"(\x1b\[\d+F\x1b\[J)", self.getvalue()):
            if up := re.match(r"\x1b\[(\d+)F", text):
                assert int(up[1]) == len(lines)  # or another's lines would be lost
                lines = []
            else:
                lines += text.splitlines()
        return lines


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run that does a job between two looks, every second time, and ends after five of them."""
    jobs = iter([PLANNED[0], None, PLANNED[1], None, PLANNED[2]])

    def step(_):
        if job := next(jobs):
            end(tmp_path, *job)
        if job == PLANNED[2]:
            monkeypatch.setattr(watching, "is_locked", lambda _: False)

    monkeypatch.setattr(watching, "is_locked", lambda _: True)
    monkeypatch.setattr(watching.time, "sleep", step)
    return tmp_path


def test_elsewhere_a_line_tells_news_and_a_summary_the_end(run):
    stream = StringIO()
    watching.watch(STUDY, run, stream)
    lines, summary = stream.getvalue().split("\n", 3)[:3], look(run, runs=False).summary
    assert [re.findall(r"\d+ of 20", line) for line in lines] == [
        ["0 of 20"],
        ["1 of 20"],
        ["2 of 20"],
    ]
    assert stream.getvalue() == "\n".join([*lines, summary, ""])
    assert "\x1b" not in stream.getvalue()


def test_on_a_terminal_a_table_is_redrawn(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setenv("LINES", "7")
    stream = Terminal()
    watching.watch(STUDY, run, stream)
    assert stream.getvalue().count("\x1b[J") == 5
    assert stream.screen() == look(run, runs=False).summary.splitlines()
    drawn = stream.getvalue().split("\x1b[J")[0].splitlines()
    assert len(drawn) <= 7
    assert max(map(len, drawn)) < 50


def test_the_command_takes_a_config_or_a_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(CONFIG))
    assert main(["watch", "study.yaml"]) == 0
    before = capsys.readouterr().out
    assert "0 of 20 jobs done" in before
    assert not (tmp_path / "results").exists()
    study_files.write(STUDY, "results/watched")
    assert main(["watch", "results/watched"]) == 0
    assert capsys.readouterr().out == before


def test_who_has_seen_enough_may_go(tmp_path, monkeypatch):
    def leave(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(watching, "watch", leave)
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(CONFIG))
    assert main(["watch", str(tmp_path / "study.yaml")]) == 130
