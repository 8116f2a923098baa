"""The forecast of time and memory: fitted to what jobs took, and what follows from it."""

import json
from dataclasses import asdict, replace

import pytest
import yaml

from glasspipe.cli import main
from glasspipe.errors import ConfigError, DataError
from glasspipe.files.record import Record, read_record, recording
from glasspipe.report.costs import COLUMNS, costs
from glasspipe.settings.study import study_from
from glasspipe.stages import calibration, forecast, rates, stages_of, study_files
from glasspipe.stages.rates import Load, Rate
from glasspipe.stages.work import Work, chunks, defects_of

OLD = Rate(start=1.0, item=0.01, work=1.0, start_mb=100.0, item_mb=0.0)
TRUE = Rate(start=2.0, item=0.05, work=3.0, start_mb=200.0, item_mb=0.0)
LOADS = [Load("freeze", n, s, b) for n, s, b in ((1, 0, 1e6), (1, 50, 9e8), (900, 0, 3e7))]


def study(**config):
    return study_from({"study": "test", **config})


def record(what, rate=TRUE):
    return Record("here", "a processor", "now", 1.0, rate.seconds(what), rate.megabytes(what))


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A user's own file of rates, which is not there yet."""
    path = tmp_path / "own" / "costs.yaml"
    monkeypatch.setenv(rates.VARIABLE, str(path))
    rates.rates.cache_clear()
    yield path
    rates.rates.cache_clear()


def test_rates_are_those_of_the_machine_that_made_the_records():
    found = calibration.fitted([(what, record(what)) for what in LOADS] * 20, OLD)
    assert asdict(found) == pytest.approx(asdict(TRUE), rel=0.02)


def test_what_the_jobs_leave_open_is_as_before():
    what = Load("freeze", 10, 0.0)
    found = calibration.fitted([(what, record(what, OLD))], OLD)
    assert asdict(found) == pytest.approx(asdict(OLD))


@pytest.fixture
def run(tmp_path):
    """The folder of a study that was run, as far as its records say."""
    made = study(realisations=5, realisations_per_job=2, sweep={"seed": {"values": [1, 2]}})
    study_files.write(made, tmp_path / "run")
    for file, what in forecast.loads(made):
        path = tmp_path / "run" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(record(what))))
    return tmp_path / "run"


def test_a_user_has_rates_of_his_own(run, own, capsys):
    text = "{start: 7, item: 0, work: 1, start_mb: 80, item_mb: 0}"
    assert main(["calibrate", str(run)]) == 0
    assert str(own) in capsys.readouterr().out
    rates.rates.cache_clear()
    assert set(yaml.safe_load(own.read_text())) == set(rates.shipped()) - {"hamiltonian"}
    own.write_text(f"freeze: {text}")
    rates.rates.cache_clear()
    assert rates.rates()["freeze"].seconds(Load("freeze", 5, 2.0)) == 9
    assert rates.rates()["sample"] == rates.shipped()["sample"]
    for wrong in ("freeze: 7", "[", "freeze: {start: -1}", f"freeze: {text}".replace("7", "-7")):
        own.write_text(wrong)
        rates.rates.cache_clear()
        with pytest.raises(ConfigError, match="no table of rates"):
            rates.rates()


def test_without_a_variable_the_file_is_in_the_folder_of_settings(monkeypatch, tmp_path):
    monkeypatch.delenv(rates.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert rates.own_file() == tmp_path / "glasspipe" / "costs.yaml"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert rates.own_file() == tmp_path / ".config" / "glasspipe" / "costs.yaml"


@pytest.mark.usefixtures("own")
def test_costs_stand_beside_the_forecast(run):
    table = costs(run).set_index("stage")
    assert list(table.columns) == list(COLUMNS)
    jobs = {"sample": 6, "couplings": 6, "freeze": 6, "fields": 6}
    assert dict(table["jobs"]) == {**jobs, "aggregate_point": 2, "aggregate": 1, "report": 1}
    mine = [what for _, what in forecast.loads(study_files.load(run).study)]
    frozen = [what for what in mine if what.rule == "freeze"]
    assert table.loc["freeze", "wall_s"] == 6
    assert table.loc["freeze", "cpu_s"] == pytest.approx(sum(map(TRUE.seconds, frozen)))
    assert table.loc["freeze", "max_rss_mb"] == max(map(TRUE.megabytes, frozen))
    known = rates.shipped()["freeze"]
    assert table.loc["freeze", "forecast_cpu_s"] == pytest.approx(sum(map(known.seconds, frozen)))


def test_records_that_are_not_there_or_damaged_are_left_out(run):
    every = list(calibration.taken(run))
    files = sorted((run / "benchmarks" / "freeze").rglob("*.json"))
    files[0].unlink()
    files[1].write_text("{")
    assert len(list(calibration.taken(run))) == len(every) - 2
    for file in (run / "benchmarks").rglob("*.json"):
        file.unlink()
    with pytest.raises(DataError, match="no job left a record"):
        costs(run)


def test_a_job_says_what_it_took(tmp_path):
    path = tmp_path / "new" / "job.json"
    with recording(path):
        held = b"1" * 50_000_000
    found = read_record(path)
    assert 0 < found.wall_s < 10
    assert found.cpu_s > 0.1
    assert found.rss_mb > len(held) / 1e6
    failed = tmp_path / "failed.json"
    with pytest.raises(ZeroDivisionError), recording(failed):
        1 / 0  # noqa: B018
    assert not failed.exists()


def test_more_is_asked_for_than_is_forecast():
    what = Load("couplings", 100, 50.0, 2e9)
    rate = rates.rates()["couplings"]
    assert forecast.megabytes(what) >= 1.2 * rate.megabytes(what)
    assert 60 * forecast.minutes(what) >= 5 * rate.seconds(what)


def chain(point):
    """Seconds of one realisation in all stages, processes apart."""
    known, stages = rates.shipped(), [*stages_of(study())]
    mine = [Work.of(stage, point, defects_of(point)).load(1) for stage in stages]
    return sum(known[what.rule].seconds(what) - known[what.rule].start for what in mine)


def test_chunks_cover_the_realisations():
    def cut(**config):
        return list(chunks(study(**config)).values())

    assert cut(realisations=7, realisations_per_job="all") == [range(7)]
    assert cut(realisations=7, realisations_per_job=3) == [range(3), range(3, 6), range(6, 7)]
    assert cut(realisations=7, realisations_per_job=90) == [range(7)]


def test_chunks_take_a_minute_or_two():
    for number in (60, 500, 3000):
        made = study(realisations=100_000, defects={"number": number})
        size = len(chunks(made)["r000000-" + f"{len(next(iter(chunks(made).values()))) - 1:06d}"])
        assert size & (size - 1) == 0
        assert 60 < size * chain(made.points[0]) <= 120 or size == 1
    more = study(realisations=200_000, defects={"number": 60})
    few = study(realisations=100_000, defects={"number": 60})
    assert list(chunks(few))[:-1] == list(chunks(more))[: len(chunks(few)) - 1]


def test_a_small_study_uses_its_cores_and_a_tiny_one_is_not_cut():
    single = study(realisations=200)
    assert 2 <= len(chunks(single)) <= 8
    assert len(chunks(study(realisations=5))) == 1
    sizes = study(realisations=200, sweep={"defects.number": {"values": [500, 2000]}})
    slow = study(realisations=200, defects={"number": 2000})
    assert len(chunks(sizes)) >= len(chunks(slow)) / 2


def test_chunks_do_not_know_the_rates_of_a_machine(own):
    made = chunks(study(realisations=3000))
    own.parent.mkdir()
    slow = {name: asdict(replace(rate, work=100.0)) for name, rate in rates.shipped().items()}
    own.write_text(yaml.safe_dump(slow))
    rates.rates.cache_clear()
    assert rates.rates()["freeze"].work == 100
    assert chunks(study(realisations=3000)) == made


def test_theory_takes_longer_where_defects_are_of_many_kinds():
    def seconds(**config):
        made = study(**config)
        return forecast.merging(made, made.points[0]).seconds

    plain = seconds()
    assert seconds(medium="KBr_cubic") > plain
    assert seconds(defects={"species": "gaussian"}) > seconds(defects={"axes": "isotropic"}) > plain


def shared(cores, **config):
    """Threads of every job, by its rule."""
    made = study(**config)
    found = {}
    for _, what in forecast.loads(made):
        found.setdefault(what.rule, []).append(forecast.threads(made, what, cores))
    return found


MANY = {"defects": {"number": 30_000}, "couplings": {"store": "implicit"}}


def test_a_lone_job_has_all_cores_where_they_help_it():
    found = shared(5, **MANY, realisations=1)
    assert found == {
        "sample": [1],
        **{rule: [5] for rule in ("couplings", "fields")},
        **{rule: [1] for rule in ("freeze", "aggregate_point", "aggregate", "report")},
    }


@pytest.mark.parametrize("store", ["float64", "implicit"])
def test_replicas_share_the_threads_of_an_anneal(store):
    lone = {"realisations": 1, "defects": {"number": 50}, "couplings": {"store": store}}
    assert shared(8, **lone)["freeze"] == [1]
    assert shared(8, **lone, freeze={"replicas": 3})["freeze"] == [3]
    tempered = {"method": "tempering", "replicas": 3}
    assert shared(8, **lone, freeze=tempered)["freeze"] == [1]


@pytest.mark.parametrize(("cores", "each"), [(1, 1), (4, 1), (5, 2), (8, 2), (9, 3)])
def test_jobs_side_by_side_share_the_cores(cores, each):
    found = shared(cores, **MANY, realisations=4, realisations_per_job=1)
    assert found["couplings"] == found["fields"] == [each] * 4


def test_a_job_longer_than_its_share_has_more_threads():
    sizes = {"defects.number": {"values": [100, 200, 200_000]}}
    found = shared(2, couplings={"store": "implicit"}, realisations=1, sweep=sizes)
    assert found["fields"] == [1, 1, 2]
