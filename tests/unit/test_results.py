import json
import sqlite3
from functools import partial

import numpy as np
import pandas as pd
import pytest
import synthetic
import xarray as xr

from glasspipe.errors import DataError
from glasspipe.files import results

THIRD = 1 / 3


def summary_table(**columns):
    table = {
        "point": ["a", "b"],
        "x": [0.01, 0.02],
        "quantity": ["B", "B"],
        "statistic": ["std", "std"],
        "estimate": [THIRD * 1e-7, 2.0],
        "stderr": [0.1, np.nan],
        "theory": [np.nan, 1e300],
        "theory_kind": ["", "exact"],
    }
    return pd.DataFrame({**columns, **table})


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ([1, 2.5], [1, 2.5]),
        (["111", "isotropic"], ["111", "isotropic"]),
        (["auto", 5], ["auto", "5"]),
        (["KBr", {"density": 2.0}], ["KBr", '{"density": 2.0}']),
        ([True, False], ["true", "false"]),
        ([], []),
    ],
)
def test_values_of_a_swept_key_become_all_numbers_or_all_text(given, plain):
    assert results.plain(given) == plain


def test_a_summary_reads_back_to_the_last_bit(tmp_path):
    table = summary_table(**{"defects.gamma": [0.1, 0.3], "defects.axes": ["111", "100"]})
    results.write_summary(tmp_path, table)
    read = results.read_summary(tmp_path)
    pd.testing.assert_frame_equal(read, table, check_exact=True, check_dtype=False)
    assert read["defects.axes"].tolist() == ["111", "100"]
    text = (tmp_path / "summary.csv").read_text()
    assert repr(THIRD * 1e-7) in text
    assert results.swept_keys(read, results.SUMMARY_COLUMNS) == ["defects.gamma", "defects.axes"]


def test_swept_values_of_several_types_are_stored_as_text(tmp_path):
    table = summary_table(medium=["KBr", {"density": 2.0, "c_l": 3, "c_t": 1}])
    results.write_summary(tmp_path, table)
    assert json.loads(results.read_summary(tmp_path)["medium"][1])["density"] == 2.0


def test_fits_read_back(tmp_path):
    row = dict.fromkeys(results.FITS_COLUMNS, THIRD) | {"quantity": "B", "range": "x <= 0.03"}
    table = pd.DataFrame([{"defects.species": "rotor", **row}])
    results.write_summary(tmp_path, summary_table(**{"defects.species": "rotor"}))
    results.write_fits(tmp_path, table)
    pd.testing.assert_frame_equal(results.read_fits(tmp_path), table, check_dtype=False)


def test_no_fits_are_a_table_without_rows(tmp_path):
    results.write_fits(tmp_path, pd.DataFrame(columns=results.FITS_COLUMNS))
    assert len(results.read_fits(tmp_path)) == 0


def test_the_bytes_of_all_files_depend_on_the_data_only(tmp_path):
    for name in ("one", "two"):
        synthetic.write(tmp_path / name, {synthetic.X: [0.01, 0.1]}, samples=200)
    files = sorted(path.name for path in (tmp_path / "one").iterdir() if path.name != "study.json")
    assert files == [
        *("distributions.nc", "fits.csv", "freezing.nc", "low_energy.nc"),
        *("summary.csv", "summary.parquet", "traces.nc"),
    ]
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_netcdf_keeps_dotted_keys_and_names(tmp_path):
    synthetic.write(tmp_path, {synthetic.X: [0.01, 0.1]}, samples=200)
    data = results.read_merged(tmp_path, results.DISTRIBUTIONS)
    assert data[synthetic.X].values.tolist() == [0.01, 0.1]
    assert data["point"].values.tolist() == ["p0", "p1"]
    assert results.read_merged(tmp_path, results.TRACES)["T"].dims == ("point", "step")


@pytest.mark.parametrize("column", ["theory", "theory_kind", "point"])
def test_a_table_that_lacks_a_column_is_not_written(tmp_path, column):
    with pytest.raises(ValueError, match=f"no column '{column}'"):
        results.write_summary(tmp_path, summary_table().drop(columns=column))
    assert not list(tmp_path.iterdir())


READERS = {
    "summary.parquet": results.read_summary,
    "fits.csv": results.read_fits,
    "distributions.nc": partial(results.read_merged, name=results.DISTRIBUTIONS),
    "traces.nc": partial(results.read_merged, name=results.TRACES),
    "freezing.nc": partial(results.read_merged, name=results.FREEZING),
    "low_energy.nc": partial(results.read_merged, name=results.LOW_ENERGY),
}


@pytest.mark.parametrize("name", READERS)
def test_a_missing_file_is_named(tmp_path, name):
    with pytest.raises(DataError, match=f"{name}: no such file"):
        READERS[name](tmp_path)


@pytest.mark.parametrize("name", READERS)
def test_a_file_that_holds_something_else_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"a,b\n1,2\n")
    with pytest.raises(DataError, match=name) as caught:
        READERS[name](tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", READERS)
def test_a_truncated_file_is_refused(tmp_path, name):
    synthetic.write(tmp_path, {synthetic.X: [0.01]}, samples=200)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 20])
    with pytest.raises(DataError, match=name):
        READERS[name](tmp_path)


def test_a_dataset_that_lacks_a_variable_is_refused(tmp_path):
    results.write_merged(tmp_path, results.TRACES, xr.Dataset({"T": ("step", [1.0])}))
    with pytest.raises(DataError, match="no variable 'energy'"):
        results.read_merged(tmp_path, results.TRACES)


@pytest.mark.parametrize(
    ("names", "plain"),
    [
        (["x", "defects.concentration"], ["x", "defects_concentration"]),
        (["B/U_S (eV)", "B stderr (eV)"], ["B_over_U_S_eV", "B_stderr_eV"]),
        (["median |h|/D", "E/N (eV)"], ["median_abs_h_over_D", "E_over_N_eV"]),
        (["defects.mixture.a b.share", "defects.mixture.a.b.share"], None),
        (["defects.mixture.100.share", "100", "défaut", "$"], None),
    ],
)
def test_names_of_columns_need_no_quotes(names, plain):
    found = list(results.plain_names(names).values())
    assert plain is None or found == plain
    assert len(set(found)) == len(names)
    frame = pd.DataFrame({name: [1.0, 3.0] for name in found})
    for name in found:
        assert len(frame.query(f"{name} < 2")) == 1
    with sqlite3.connect(":memory:") as database:
        frame.to_sql("found", database)
        for name in found:
            chosen = database.execute(f"SELECT COUNT(*) FROM found WHERE {name} < 2")
            assert chosen.fetchone() == (1,)


def test_files_have_plain_names_and_what_is_read_has_the_keys(tmp_path):
    table = summary_table().assign(**{"defects.gamma": 1.0})
    fits = pd.DataFrame([dict.fromkeys(results.FITS_COLUMNS, 1.0) | {"defects.gamma": 1.0}])
    results.write_summary(tmp_path, table)
    results.write_fits(tmp_path, fits)
    for found in (
        pd.read_parquet(tmp_path / results.SUMMARY),
        pd.read_csv(tmp_path / results.SUMMARY_TEXT),
        pd.read_csv(tmp_path / results.FITS),
    ):
        assert "defects_gamma" in found
        assert not [name for name in found if "." in name]
    assert list(results.read_summary(tmp_path)) == list(table)
    assert list(results.read_fits(tmp_path)) == list(fits)
    assert results.read_summary(tmp_path).attrs == table.attrs


def test_a_bit_of_what_a_summary_says_of_itself(tmp_path):
    """Parquet's own checksums are those of numbers alone."""
    synthetic.write(tmp_path, samples=200)
    path = tmp_path / results.SUMMARY
    whole, known = path.read_bytes(), results.read_summary(tmp_path)
    end = len(whole) - 8
    length = int.from_bytes(whole[end : end + 4], "little")
    silent = 0
    for place in range(end - length, end, 7):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            found = results.read_summary(tmp_path)
        except DataError:
            continue
        silent += 1
        pd.testing.assert_frame_equal(found, known)
        assert found.attrs == known.attrs
    assert silent < 0.5 * length / 7
    path.write_bytes(whole)


def test_the_text_of_a_summary_is_checked_with_it(tmp_path):
    synthetic.write(tmp_path, samples=200)
    results.check_tables(tmp_path)
    path = tmp_path / results.SUMMARY_TEXT
    path.write_text(path.read_text("utf-8").replace("1", "2", 1), "utf-8")
    with pytest.raises(DataError, match=r"summary\.csv: it is not what was written"):
        results.check_tables(tmp_path)
