"""From chunks to the study: what is merged, what is compared, what is fitted."""

import json
import re
import shutil
from io import BytesIO
from itertools import product

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from pyarrow.parquet import read_metadata
from workbench import run

from glasspipe.errors import ConfigError, DataError
from glasspipe.files import dataset, results
from glasspipe.report import aggregate, point_data
from glasspipe.report.expectation import _chosen_by_S, _kinds_of_theory
from glasspipe.report.kinds import EXACT, IN_GAP, NUMBERS, SIGNS
from glasspipe.report.observables.fields import ASYMPTOTIC
from glasspipe.report.summary import summary as told
from glasspipe.report.writing import report
from glasspipe.settings.point import point_from
from glasspipe.stages import study_files
from glasspipe.stages.fields import FIELDS
from glasspipe.stages.sample import SAMPLE
from glasspipe.stages.work import Work

CONFIG = {
    "study": "small",
    "realisations": 6,
    "realisations_per_job": 4,
    "defects": {"number": 30},
    "freeze": {"sweeps": 20, "steps": 10},
    "aggregate": {"bootstrap": 50},
    "sweep": {
        "defects.concentration": {"values": [0.01, 0.03]},
        "medium": {"values": ["KBr", {"density": 2.0, "c_l": 3.0, "c_t": 1.5}]},
    },
}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    return folder, run(folder, CONFIG)


def test_defects_hold_every_defect_once(small):
    folder, study = small
    table = pd.read_parquet(folder / results.DEFECTS)
    assert len(table) == sum(6 * point.model.defects for point in study.points)
    columns = ["realisation", "defect", *(f"position_{axis}" for axis in "xyz"), "S", "B", "h"]
    columns += ["b_gamma", "b_eta", "b", "J_abs", "J_tau", "D", "Delta", "splitting"]
    assert list(table.columns) == ["defects_concentration", "medium", *columns]
    assert set(table["medium"]) == {"KBr", json.dumps(CONFIG["sweep"]["medium"]["values"][1])}
    one = table[(table["defects_concentration"] == 0.03) & (table["medium"] == "KBr")]
    assert sorted(set(one["realisation"])) == list(range(6))
    assert not one.duplicated(["realisation", "defect"]).any()
    point = next(p for p in study.points if p.swept["defects.concentration"] == 0.03)
    chunk = folder / Work.of(FIELDS, point, 0).chunk_file("r000004-000005")
    with dataset.opened(chunk) as fields:
        merged = one[one["realisation"] == 5]["b_gamma"].to_numpy()
        np.testing.assert_array_equal(merged, fields.row(1, "b_gamma")[0])
    sampled = folder / Work.of(SAMPLE, point, 0).chunk_file("r000004-000005")
    five = one[one["realisation"] == 5]
    with dataset.opened(sampled) as drawn:
        position, D, Delta = drawn.row(1, "position", "D", "Delta")
        np.testing.assert_array_equal(five[[f"position_{axis}" for axis in "xyz"]], position)
        np.testing.assert_array_equal(five[["D", "Delta"]].T, [D, Delta])
    splitting = 2 * np.sqrt(five["b"] ** 2 + five["Delta"] ** 2)
    np.testing.assert_allclose(five["splitting"], splitting, rtol=1e-14)


def test_a_point_larger_than_memory_has_the_same_results(copied, monkeypatch):
    """One variable is read at a time, and defects are written group by group."""
    folder, (name, *_) = copied
    points = [*(folder / results.POINTS).iterdir(), *(folder / results.DEFECTS).iterdir()]
    before = {path: path.read_bytes() for path in points}
    monkeypatch.setattr(point_data, "_KEPT_BYTES", 0)
    aggregate.point(folder, name)
    assert {path: path.read_bytes() for path in points} == before
    monkeypatch.setattr(results, "_GROUP", 50)  # neither realisations nor chunks
    aggregate.point(folder, name)
    (path,) = (path for path in before if path.name == f"{name}.parquet")
    assert read_metadata(path).num_row_groups > 3
    assert results.parquet_about(path)["point_hash"]
    pd.testing.assert_frame_equal(pd.read_parquet(path), pd.read_parquet(BytesIO(before[path])))


def test_summary_is_that_of_the_defects(small):
    """The standard deviation is that with the near pairs that are to be expected."""
    folder, study = small
    point = next(
        p for p in study.points if p.swept == {"defects.concentration": 0.03, "medium": "KBr"}
    )
    excess = {name: [] for name in ASYMPTOTIC}
    for chunk in ("r000000-000003", "r000004-000005"):
        with dataset.opened(folder / Work.of(FIELDS, point, 0).chunk_file(chunk)) as fields:
            for name, found in excess.items():
                found.extend(fields.whole(f"{name}_excess"))
    assert np.all(np.ptp(list(excess.values()), axis=1) > 0)
    summary = results.read_summary(folder)
    defects = pd.read_parquet(folder / results.DEFECTS)
    chosen = (summary["defects.concentration"] == 0.03) & (summary["medium"] == "KBr")
    found = summary[chosen].set_index(["quantity", "statistic"])["estimate"]
    rows = (defects["defects_concentration"] == 0.03) & (defects["medium"] == "KBr")
    values = defects[rows]
    for quantity in ("B", "h", "b", "J_tau"):
        X = values[quantity].to_numpy()
        q05, q25, q75, q95 = np.quantile(X, [0.05, 0.25, 0.75, 0.95])
        wanted = {
            "mean": X.mean(),
            "std": np.sqrt(X.var() - np.mean(excess[quantity])),
            "median_abs": np.median(np.abs(X)),
            "quartile_half_width": (q75 - q25) / 2,
            "q05": q05,
            "q95": q95,
        }
        for statistic, value in wanted.items():
            assert found[quantity, statistic] == pytest.approx(value, rel=1e-9, abs=1e-18)
    U_S = (values["h"] - values["B"]).var(ddof=0) - np.mean(excess["U_S"])
    assert found["U_S", "std"] == pytest.approx(np.sqrt(U_S), rel=1e-9)


def test_x_is_the_realised_concentration(small):
    folder, study = small
    summary = results.read_summary(folder)
    for point in study.points:
        found = summary[summary["point"] == point.name]["x"].unique()
        assert found == [point.model.defects / point.model.lattice.sites]


def test_theory_stands_beside_the_estimates(small):
    """Exact widths lie within 5 of their own standard errors; h after freezing has none."""
    summary = results.read_summary(small[0])
    fits = summary["statistic"].str.startswith(("stable_", "limit_"))
    summary = summary[~fits].set_index(["quantity", "statistic"])
    for quantity in ("B", "b_eta", "J_tau"):
        width = summary.loc[(quantity, "std")]
        assert (np.abs(width["estimate"] - width["theory"]) < 5 * width["stderr"]).all()
    assert summary.loc["h"]["theory"].isna().all()
    kinds = {"B": "exact", "b_eta": "exact", "J_tau": "exact", "U_S": "independent signs"}
    kinds |= {"b": "independent signs", "h": "", "levels": "dilute limit, independent signs"}
    for quantity, kind in kinds.items():
        found = summary.loc[quantity]["theory_kind"]
        assert {one.removesuffix(f", {IN_GAP}") for one in found} == {kind}
    flat = summary.loc["J_tau"].query("theory_kind.str.endswith('in a gap')")
    assert set(flat.index) == {"q05", "q95"}
    assert set(flat["defects.concentration"]) == {0.01}


@pytest.mark.parametrize(
    ("stoichiometry", "other", "kind"),
    [("exact", "cation", NUMBERS), ("exact", "anion", EXACT), ("random", "cation", EXACT)],
)
def test_exact_numbers_are_known_on_one_sublattice(stoichiometry, other, kind):
    """Its width is exact there, as `test_stoichiometry.py` has it."""
    mixture = {"A": {"share": 0.4, "eta": 0.3}, "B": {"share": 0.6, "sublattice": other}}
    defects = {"mixture": mixture, "stoichiometry": stoichiometry, "number": 50}
    model = point_from({"lattice": {"type": "rock_salt"}, "defects": defects}).model
    assert _kinds_of_theory(model) == (kind, SIGNS if kind == EXACT else f"{kind}, {SIGNS}")


def test_histograms_count_every_value(small):
    folder, study = small
    data = results.read_merged(folder, results.DISTRIBUTIONS)
    total = data["count"].sum("bin") + data["below"] + data["above"]
    for point in study.points:
        assert (total.sel(point=point.name) == 6 * point.model.defects).all()
    width = np.diff(data["edges"])
    counted = data["count"].sum("bin")
    np.testing.assert_allclose((data["density"] * width).sum("bin"), counted / total)
    known = data["limit_density"].sel(quantity=["B", "b_eta", "J_tau"])
    mass = (known * width).sum("bin")
    np.testing.assert_allclose(mass, 1, atol=1e-4)
    np.testing.assert_allclose(data["alpha"].sel(quantity=["B", "b", "J_tau"]), [1, 0.75, 0.6])


def test_the_law_on_the_lattice_has_nine_tenths_between_its_quantiles(small):
    folder, study = small
    data = results.read_merged(folder, results.DISTRIBUTIONS)
    theory = results.read_summary(folder).set_index(["point", "quantity", "statistic"])["theory"]
    width = np.diff(data["edges"])
    for point, quantity in product(study.points, ("B", "b_eta", "J_tau")):
        one = data.sel(point=point.name, quantity=quantity)
        below = np.concatenate([[0], np.nancumsum(one["lattice_density"] * width)])
        ends = [theory[point.name, quantity, name] / float(one["scale"]) for name in ("q05", "q95")]
        assert np.diff(np.interp(ends, data["edges"], below)) == pytest.approx(0.9, abs=0.01)
    assert data["lattice_density"].sel(quantity="h").isnull().all()


def test_traces_fall(small):
    folder, _ = small
    traces = results.read_merged(folder, results.TRACES)
    assert (traces["T"].diff("step") < 0).all()
    assert traces["energy"].dims == ("point", "step")
    assert len(np.unique(traces["energy"].isel(step=-1))) == traces.sizes["point"]
    assert (traces["energy"].isel(step=-1) < traces["energy"].isel(step=0)).all()


def test_fits_are_made_for_each_series(small):
    folder, _ = small
    fits = results.read_fits(folder)
    assert len(fits) == 2 * 2 * len(ASYMPTOTIC)
    typical = fits[(fits["quantity"] == "B") & (fits["statistic"] == "quartile_half_width")]
    assert (typical["against"] == "x").all()
    assert (typical["points"] == 2).all()  # 0.03 is within half a defect of fit_below
    width = fits[(fits["quantity"] == "B") & (fits["statistic"] == "std")]
    assert (width["against"] == "x(1-x)").all()
    assert (width["points"] == 2).all()
    assert (np.abs(width["exponent"] - width["prediction"]) < 4 * width["stderr"]).all()


def test_a_digit_of_the_fits_does_not_change_unnoticed(small):
    path = small[0] / results.FITS
    before = path.read_text("utf-8")
    path.write_text(before.replace("0.5", "0.6", 1), "utf-8")
    try:
        with pytest.raises(DataError, match=r"fits\.csv: it is not what was written"):
            results.read_fits(path.parent)
    finally:
        path.write_text(before, "utf-8")
    assert len(results.read_fits(path.parent)) > 0


def test_points_that_a_study_no_longer_has_are_removed(tmp_path):
    (tmp_path / results.DEFECTS).mkdir()
    old = tmp_path / results.DEFECTS / "old.parquet"
    old.write_bytes(b"")
    run(tmp_path, {"study": "new", "realisations": 2, "defects": {"number": 20}})
    assert not old.exists()
    assert len(list((tmp_path / results.POINTS).iterdir())) == 1


def test_one_point_and_one_realisation(tmp_path):
    """No sweep, no error bars, no fit, but all the files."""
    run(tmp_path, {"study": "one", "realisations": 1, "defects": {"number": 20}})
    summary = results.read_summary(tmp_path)
    assert summary["stderr"].isna().all()
    assert summary["estimate"].notna().all()
    assert results.read_fits(tmp_path).empty


def test_no_random_field_without_volume_coupling(tmp_path):
    """η = 0: B = 0, which is neither fitted nor divided by."""
    config = {
        **CONFIG,
        "defects": {"number": 20, "eta": 0.0},
        "sweep": {"defects.concentration": {"values": [0.01, 0.02]}},
    }
    run(tmp_path, config)
    summary = results.read_summary(tmp_path).set_index(["quantity", "statistic"])
    assert (summary.loc[("B", "std"), ["estimate", "theory"]] == 0).all(axis=None)
    assert not (results.read_fits(tmp_path)["quantity"] == "B").any()


def test_a_crystal_has_the_same_results(tmp_path):
    """Every stage in a cubic medium: widths, a mean that does not vanish, quantiles and limits."""
    config = {**CONFIG, "study": "crystal", "medium": "KBr_cubic", "boundary": "stress_free"}
    config["sweep"] = {"defects.concentration": {"values": [0.01, 0.03]}}
    run(tmp_path, config)
    summary = results.read_summary(tmp_path).set_index(["quantity", "statistic"])
    for quantity in ("B", "b_eta", "J_tau"):
        width = summary.loc[(quantity, "std")]
        assert (np.abs(width["estimate"] - width["theory"]) < 5 * width["stderr"]).all()
    mean = summary.loc[("B", "mean")]
    assert (mean["theory"] != 0).all()
    assert (np.abs(mean["estimate"] - mean["theory"]) < 5 * mean["stderr"]).all()
    predicted = summary.loc[[name for name in ASYMPTOTIC if name != "h"]]
    no_theory = predicted.index.get_level_values("statistic").str.contains("_distance|_p$")
    assert predicted[~no_theory]["theory"].notna().all()
    assert summary.loc["levels"]["theory"].notna().all()
    known = results.read_merged(tmp_path, results.DISTRIBUTIONS)["limit_density"].sel(
        quantity="J_tau"
    )
    assert np.isfinite(known).all()
    report(tmp_path)
    assert (tmp_path / "tables" / "summary.csv").is_file()
    assert "exponent of B_0 against x" in told(tmp_path)


def test_users_defects_have_only_the_dilute_limit(tmp_path):
    rng = np.random.default_rng(4)
    d = rng.normal(size=(3, 25, 3))
    d /= np.linalg.norm(d, axis=2)[..., None]
    mine = xr.Dataset(
        {
            "position": (("realisation", "defect", "axis"), 100 * rng.random((3, 25, 3))),
            "gamma": (("realisation", "defect", "axis", "axis2"), np.einsum("rna,rnb->rnab", d, d)),
            "eta": (("realisation", "defect"), np.ones((3, 25))),
            "zeta": (
                ("realisation", "defect", "axis", "axis2", "axis3"),
                np.einsum("rna,rnb,rnc->rnabc", d, d, d),
            ),
            "box": ("axis", np.full(3, 100.0)),
        }
    )
    mine.to_netcdf(tmp_path / "mine.nc", engine="h5netcdf")
    source = {"source": {"file": str(tmp_path / "mine.nc")}}
    study = run(tmp_path, {"study": "mine", "realisations": 3, "sample": source})
    summary = results.read_summary(tmp_path).set_index(["quantity", "statistic"])
    assert summary["x"].unique() == pytest.approx(
        25 / 1e6 / study.points[0].model.lattice.site_density
    )
    typical = summary.loc[("B", "quartile_half_width")]
    assert 0.3 < typical["estimate"] / typical["theory"] < 3
    assert np.isnan(summary.loc[("B", "std"), "theory"])
    own = pd.read_parquet(tmp_path / results.DEFECTS)["B"].std(ddof=0)
    assert summary.loc[("B", "std"), "estimate"] == pytest.approx(own, rel=1e-12)
    kinds = summary["theory_kind"]
    assert (kinds["B", "std"], kinds["B", "q95"]) == ("", "dilute limit")
    assert (kinds["J_tau", "q95"], kinds["b", "q95"]) == (
        "dilute limit",
        "dilute limit, independent signs",
    )


@pytest.mark.parametrize(("turned", "chosen"), [(False, []), (True, ["J_tau", "b_eta"])])
def test_fields_that_depend_on_S(turned, chosen):
    found = {field for field, depends in _chosen_by_S(turned).items() if depends}
    assert found == {"U_S", "h", "b_gamma", "b", *chosen}


@pytest.fixture
def copied(small, tmp_path):
    """A copy of the finished study and the names of its points."""
    folder, study = small
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    return tmp_path, [point.name for point in study.points]


@pytest.mark.parametrize("stage", ["sample", "freeze", "fields"])
def test_a_chunk_copied_over_another_is_refused(copied, stage):
    folder, names = copied
    one, other = study_files.load(folder).points[0].files[stage]
    shutil.copyfile(one, other)
    message = f"{other.name}: holds the realisations 0 to 3; 4 to 5 are needed"
    with pytest.raises(DataError, match=message):
        aggregate.point(folder, names[0])


@pytest.mark.parametrize("file", ["points/{}.nc", "defects.parquet/{}.parquet"])
def test_merged_files_of_another_point_and_damaged_ones_are_refused(copied, file):
    folder, names = copied
    one, other = (folder / file.format(name) for name in names[:2])
    content = one.read_bytes()
    for wrong in (other.read_bytes(), content[:-1], b"", content[:-1] + b"x"):
        one.write_bytes(wrong)
        with pytest.raises(DataError, match=re.escape(str(one))) as caught:
            aggregate.study(folder)
        assert "\n" not in str(caught.value)
    one.write_bytes(content)
    aggregate.study(folder)


def test_unknown_point_and_folder(small, tmp_path):
    folder, _ = small
    with pytest.raises(ConfigError, match="point: found 'nowhere'; allowed: "):
        aggregate.point(folder, "nowhere")
    with pytest.raises(ConfigError, match=r"holds no study.json"):
        aggregate.study(tmp_path)


def test_a_point_that_was_not_merged(small, tmp_path):
    _, study = small
    study_files.write(study, tmp_path)
    with pytest.raises(DataError, match="no such file; `glasspipe aggregate` makes it"):
        aggregate.study(tmp_path)
