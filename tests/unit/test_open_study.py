"""A study opened in Python, and what its files say of what made them."""

import json

import numpy as np
import pandas as pd
import pytest
import synthetic

import glasspipe as gp
from glasspipe.errors import ConfigError, DataError
from glasspipe.files import results
from glasspipe.files.dataset import made_by
from glasspipe.settings.names import hash_of
from glasspipe.stages.study_files import load

SWEEP = {synthetic.X: [1e-3, 1e-2], "defects.gamma": [1.0, 2.0]}


@pytest.fixture
def folder(tmp_path):
    synthetic.write(tmp_path / "study", SWEEP, samples=200)
    return tmp_path / "study"


def test_a_study_is_what_its_files_hold(folder):
    study = gp.open_study(str(folder))
    assert study.config["study"] == "study"
    assert study.points["point"].tolist() == ["p0", "p1", "p2", "p3"]
    assert study.points["defects_gamma"].tolist() == [1.0, 2.0, 1.0, 2.0]
    pd.testing.assert_frame_equal(study.summary, pd.read_parquet(folder / results.SUMMARY))
    pd.testing.assert_frame_equal(study.fits, pd.read_csv(folder / results.FITS))
    assert study.curves("distributions.nc")["count"].dims == ("point", "quantity", "bin")


def test_defects_are_read_as_far_as_they_are_asked_for(folder):
    for number, name in enumerate(["p0", "p1", "p2", "p3", "left over"]):
        table = pd.DataFrame({"defect": np.arange(1000), "B": np.full(1000, float(number))})
        about = {"point_hash": str(number)}
        results.write_defects(folder, name, table.take, rows=1000, about=about)
    names = ["p0", "p1", "p2", "p3"]
    summary = results.read_summary(folder)
    summary.attrs |= results.footers(folder, names)
    results.write_summary(folder, summary)
    defects = gp.open_study(folder).defects
    assert defects.count_rows() == 4000
    assert sorted(set(defects.to_table(columns=["B"])["B"].to_pylist())) == [0.0, 1.0, 2.0, 3.0]
    assert defects.head(3).to_pandas().attrs == {}
    path = folder / results.DEFECTS / "p2.parquet"
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 4] ^= 1
    path.write_bytes(whole)
    with pytest.raises(OSError, match="CRC checksum"):
        defects.to_table()
    end = int.from_bytes(whole[-8:-4], "little") + 8
    for place in np.random.default_rng(1).integers(1, end, 20):
        changed = whole.copy()
        changed[-place] ^= 1 << int(place % 8)
        path.write_bytes(changed)
        with pytest.raises(DataError, match=r"p2\.parquet: it is not what was written; delete"):
            results.open_defects(folder, names)
    path.unlink()
    with pytest.raises(DataError, match=r"p2\.parquet: no such file; `glasspipe aggregate`"):
        _ = gp.open_study(folder).defects


def test_a_folder_without_a_study_or_without_results_says_what_makes_them(tmp_path, folder):
    with pytest.raises(ConfigError, match=r"no study\.json; allowed: .*, which `snakemake .*makes"):
        gp.open_study(tmp_path)
    (folder / results.SUMMARY).unlink()
    with pytest.raises(DataError, match=r"holds no results yet; `snakemake .*` makes them"):
        gp.open_study(folder)


def test_a_file_that_a_study_does_not_have_is_named_with_those_it_has(folder):
    with pytest.raises(DataError, match=r"found the file 'x\.nc'; allowed: distributions\.nc, "):
        gp.open_study(folder).curves("x.nc")


@pytest.mark.parametrize("stale", ["summary", "traces"])
def test_results_of_another_config_are_refused(folder, stale):
    study = gp.open_study(folder)
    about = {**load(folder).about, "config_hash": "another"}
    if stale == "summary":
        table = study.results.summary
        table.attrs = about
        results.write_summary(folder, table)
    else:
        curves = study.curves(results.TRACES)
        results.write_merged(folder, results.TRACES, curves.assign_attrs(about))
    again = gp.open_study(folder)
    with pytest.raises(DataError, match=f"{stale}.*: made for another config of the study"):
        _ = again.summary if stale == "summary" else again.curves(results.TRACES)


def test_what_files_say_of_themselves_does_not_depend_on_how_the_work_was_split(folder):
    study = load(folder)
    about = study.about
    study.config["realisations_per_job"] = 7
    assert study.about == about
    study.config["seed"] = 7
    assert study.about["config_hash"] != about["config_hash"]
    assert hash_of(json.loads(study.about["config"])) == study.about["config_hash"]
    assert made_by().items() <= about.items()


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [(1.2345, 0.0412, "1.23(4)"), (1.31e-5, 2e-7, r"1.31(2)\times10^{-5}"), (2.5, 0.0, "2.5")],
)
def test_a_number_and_its_error(value, error, shown):
    assert gp.compact(value, error) == shown
