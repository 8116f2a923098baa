"""Data files: complete or absent, and only for the point that they were made for."""

import subprocess
from types import SimpleNamespace

import h5netcdf
import h5py
import numpy as np
import pytest
from workbench import part, stages

from glasspipe.errors import ConfigError, DataError
from glasspipe.files import dataset
from glasspipe.files.variables import REALISATION
from glasspipe.settings.point import point_from
from glasspipe.stages import STAGES

POINT = {
    "defects": {"concentration": 0.05, "number": 20, "species": "rotor"},
    "realisations": 3,
    "freeze": {"sweeps": 20, "steps": 10, "replicas": 2},
}
TERMS = {"E": 1.0e-3, "epsilon": 1.0e-6, "static_dipole": "mean"}
TEMPERING = {"method": "tempering", "sweeps": 100, "steps": 5, "replicas": 2}


def with_(**sections):
    return point_from({**POINT, **sections})


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    point = point_from(POINT)
    paths = {
        name: folder / f"{name}.nc" for name in ("r", "rt", "h", "f", "b", "t", "hi", "fi", "bi")
    }
    stages.sample(point, paths["r"])
    stages.sample(with_(defects={**POINT["defects"], **TERMS}), paths["rt"])
    stages.couplings(point, paths["r"], paths["h"])
    stages.freeze(point, paths["h"], paths["f"])
    stages.fields(point, paths["r"], paths["f"], paths["b"])
    stages.freeze(with_(freeze=TEMPERING), paths["h"], paths["t"])
    implicit = with_(couplings={"store": "implicit"})
    stages.couplings(implicit, paths["r"], paths["hi"])
    stages.freeze(implicit, paths["hi"], paths["fi"])
    stages.fields(implicit, paths["r"], paths["fi"], paths["bi"])
    return paths


def variables_of(stage):
    return {"realisation": REALISATION, **STAGES[stage].variables}


INSTALLED = '{"url": "https://a.b/c", "vcs_info": {"vcs": "git", "commit_id": "0123456789abcdef"}}'


@pytest.mark.parametrize(
    ("recorded", "tracked", "revision"),
    [
        (INSTALLED, False, "0123456789ab"),
        ('{"url": "file:///a", "dir_info": {}}', False, "unknown"),
        (None, False, "unknown"),
        (None, True, "of-git"),
    ],
)
def test_the_revision_is_that_of_the_code(tmp_path, monkeypatch, recorded, tracked, revision):
    """And not that of a repository around the environment that it is installed in."""
    package = tmp_path / "env" / "glasspipe"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    git = ["git", "-C", tmp_path, "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    if tracked:
        subprocess.run([*git, "add", "env"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "some"], check=True)
    subprocess.run([*git, "tag", "-a", "of-git", "-m", "some"], check=True)
    monkeypatch.setattr(dataset.glasspipe, "__file__", str(package / "__init__.py"))
    found = SimpleNamespace(read_text=lambda _: recorded)
    monkeypatch.setattr(dataset.metadata, "distribution", lambda _: found)
    assert dataset.git_revision.__wrapped__() == revision


@pytest.mark.parametrize(
    ("key", "stage"),
    [
        ("r", "sample"),
        ("rt", "sample"),
        ("h", "couplings"),
        ("hi", "couplings"),
        ("t", "freeze"),
        ("fi", "freeze"),
        ("b", "fields"),
        ("bi", "fields"),
    ],
)
def test_variables_are_described(files, key, stage):
    with h5netcdf.File(files[key]) as file:
        assert {"stage", "point", "point_hash", "versions", "git_revision"} <= set(file.attrs)
        for name, variable in file.variables.items():
            about = variables_of(stage)[name]
            assert variable.dimensions == tuple(about.dimensions.split())
            assert {variable.attrs[a] for a in ("units", "long_name", "reference")} == {
                about.units,
                about.long_name,
                about.reference,
            }
        assert list(file.variables["realisation"]) == [0, 1, 2]


def test_every_variable_is_in_some_file(files):
    found = set()
    for path in files.values():
        with h5netcdf.File(path) as file:
            found |= {(file.attrs["stage"], name) for name in file.variables}
    stages_here = {stage for stage, _ in found}
    described = {(stage, name) for stage in stages_here for name in variables_of(stage)}
    assert found == described


def test_annealing_exchanges_nothing(files):
    with dataset.opened(files["f"]) as annealed, dataset.opened(files["t"]) as tempered:
        assert "overlap_count" in annealed
        assert "swap_rate" not in annealed
        assert (tempered.whole("swap_rate") > 0).any()
        for frozen in (annealed, tempered):
            assert (frozen.whole("unstable") == 0).all()
            heat = frozen.whole("specific_heat")[:, 0]
            assert (heat[np.isfinite(heat)] > 0).all()


def test_the_files_agree_with_each_other(files):
    """h_i = Σ_j U_ij S_j + B_i, E = ½ Σ (h + B) S, b = b^γ + b^η, and rotors' frozen ζ."""
    with (
        dataset.opened(files["h"]) as hamiltonian,
        dataset.opened(files["f"]) as frozen,
        dataset.opened(files["r"]) as sampled,
        dataset.opened(files["b"]) as fields,
    ):
        i, j = hamiltonian.whole("i"), hamiltonian.whole("j")
        for row in range(3):
            pairs, B = hamiltonian.row(row, "U", "B")
            S, h, energy = frozen.row(row, "S", "h", "energy")
            U = np.zeros((len(B), len(B)))
            U[i, j] = U[j, i] = pairs
            np.testing.assert_allclose(h, U @ S + B, rtol=1e-10, atol=1e-16)
            assert energy == pytest.approx(0.5 * (h + B) @ S, rel=1e-12)
            assert (S * h <= 0).all()
            plus, minus = sampled.row(row, "zeta", "zeta_minus")
            (zeta,) = fields.row(row, "zeta")
            np.testing.assert_array_equal(zeta[S > 0], plus[S > 0])
            np.testing.assert_array_equal(zeta[S < 0], minus[S < 0])


def test_a_chunk_holds_what_the_whole_holds(files, tmp_path):
    point = point_from(POINT)
    stages.sample(point, tmp_path / "r.nc", first=1, count=2)
    stages.couplings(point, tmp_path / "r.nc", tmp_path / "h.nc")
    with dataset.opened(files["h"]) as whole, dataset.opened(tmp_path / "h.nc") as part:
        assert part.realisations == [1, 2]
        np.testing.assert_array_equal(whole.whole("U")[1:], part.whole("U"))


def test_temperatures_found_by_themselves_do_not_depend_on_chunks(files, tmp_path):
    point = with_(freeze={"method": "tempering", "sweeps": 700, "replicas": 2})
    stages.freeze(point, files["h"], tmp_path / "whole.nc")
    stages.sample(point, tmp_path / "r.nc", first=2, count=1)
    stages.couplings(point, tmp_path / "r.nc", tmp_path / "h.nc")
    stages.freeze(point, tmp_path / "h.nc", tmp_path / "part.nc")
    with (
        dataset.opened(tmp_path / "whole.nc") as whole,
        dataset.opened(tmp_path / "part.nc") as part,
    ):
        assert part.size("step") == point.model.freeze["steps"]
        for name in ("S", "T", "trace_energy", "swap_rate", "round_trips"):
            np.testing.assert_array_equal(whole.whole(name)[2:], part.whole(name))


def test_a_file_of_defects_says_how_many_temperatures(files):
    freeze = {"method": "tempering", "sweeps": 700}
    source = {"source": {"file": str(files["r"])}}
    nominal = {**POINT["defects"], "number": 5000}
    point = with_(freeze=freeze, sample=source, defects=nominal)
    assert point.model.freeze["steps"] == with_(freeze=freeze).model.freeze["steps"]


def test_float32_couplings(tmp_path):
    point = with_(couplings={"store": "float32"})
    stages.sample(point, tmp_path / "r.nc")
    stages.couplings(point, tmp_path / "r.nc", tmp_path / "h.nc")
    with dataset.opened(tmp_path / "h.nc") as hamiltonian:
        assert hamiltonian.whole("U").dtype == np.float32
        assert hamiltonian.whole("B").dtype == np.float64


def test_points_that_differ_elsewhere_share_their_disorder(files, tmp_path):
    point = with_(medium="KCl", boundary="clamped")
    stages.sample(point, tmp_path / "r.nc")
    with dataset.opened(files["r"]) as one, dataset.opened(tmp_path / "r.nc") as other:
        np.testing.assert_array_equal(one.whole("position"), other.whole("position"))


class TestRefusals:
    def refuse(self, message, run, *arguments):
        *_, output = arguments
        with pytest.raises(DataError, match=message) as caught:
            run(*arguments)
        assert "\n" not in str(caught.value)
        assert not list(output.parent.glob(f"*{output.name}*"))

    def test_another_stage(self, files, tmp_path):
        message = "a file of the stage 'couplings'; one of 'sample' is needed"
        self.refuse(message, stages.couplings, point_from(POINT), files["h"], tmp_path / "o.nc")

    def test_another_point(self, files, tmp_path):
        message = "made for another point; defects.concentration is 0.05 there and 0.06 here"
        point = with_(defects={**POINT["defects"], "concentration": 0.06})
        self.refuse(message, stages.couplings, point, files["r"], tmp_path / "o.nc")

    def test_other_realisations(self, files, tmp_path):
        point = point_from(POINT)
        stages.sample(point, tmp_path / "r.nc", first=1, count=2)
        message = "f.nc: holds the realisations 0 to 2; .*r.nc holds 1 to 2"
        self.refuse(message, stages.fields, point, tmp_path / "r.nc", files["f"], tmp_path / "o.nc")

    @pytest.mark.parametrize("kept", [10_000, 3])
    def test_truncated(self, files, tmp_path, kept):
        (tmp_path / "h.nc").write_bytes(files["h"].read_bytes()[:kept])
        self.refuse(
            "h.nc: truncated, changed or not written by glasspipe",
            stages.freeze,
            point_from(POINT),
            tmp_path / "h.nc",
            tmp_path / "o.nc",
        )

    def test_not_netcdf(self, tmp_path):
        (tmp_path / "h.nc").write_text("U = 1\n" * 1000)
        message = "h.nc: truncated, changed or not written by glasspipe"
        self.refuse(message, stages.freeze, point_from(POINT), tmp_path / "h.nc", tmp_path / "o.nc")

    def test_absent(self, tmp_path):
        message = "h.nc: no such file"
        self.refuse(message, stages.freeze, point_from(POINT), tmp_path / "h.nc", tmp_path / "o.nc")

    @pytest.mark.parametrize(("first", "count"), [(-1, 2), (0, 0), (1, 3), (3, 1)])
    def test_realisations_that_are_not_there(self, tmp_path, first, count):
        message = f"--first and --count: found {first} and {count}; .* realisations 0 to 2$"
        with pytest.raises(ConfigError, match=message):
            stages.sample(point_from(POINT), tmp_path / "r.nc", first=first, count=count)
        assert list(tmp_path.iterdir()) == []


def test_an_interrupted_file_leaves_nothing(tmp_path):
    def interrupted():
        with dataset.create(
            tmp_path / "f.nc",
            part(point_from(POINT), "sample"),
            variables={"eta": STAGES["sample"].variables["eta"]},
            sizes={"defect": 2},
            realisations=[0],
        ) as writer:
            writer.put(0, {"eta": [1.0, 2.0]})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not list(tmp_path.iterdir())


BAD = [
    (
        "gamma",
        (1, 3, 0, 1),
        9.0,
        r"realisation 1, defect 3: gamma is \[\[.*9\.0.*\]\]; gamma_ab = gamma_ba within 1e-09 ",
    ),
    ("zeta", (0, 2, 0, 0, 1), 9.0, r"defect 2: zeta is .*9\.0.*; zeta_abc = zeta_acb within "),
    ("eta", (1, 4), np.nan, "realisation 1, defect 4: eta is nan; what is finite is allowed"),
    (
        "position",
        (0, 1, 2),
        20.0,
        r"defect 1: position is \[.*, 20\.0\]; 0 ≤ position < box, \[20\.0, 20\.0, 20\.0\], is all",
    ),
    ("position", (0, 1, 2), -1e-9, r"defect 1: position is \[.*, -1e-09\]; 0 ≤ position < box"),
    (
        "position",
        (0, [1, 4]),
        1.0,
        r"defects 1 and 4: position is the same, \[1\.0, 1\.0, 1\.0\] and .*; at least 0\.001 Å",
    ),
    (
        "position",
        (0, [1, 4], 0),
        [0.0, np.nextafter(20.0, 0)],
        r"defects 1 and 4: position is the same, \[0\.0, .* and \[19\.9999.*in the periodic box",
    ),
    ("box", 0, -1.0, r"box is \[-1.0, 20.0, 20.0\]; three positive edges"),
]
STRANGE = {
    "text": np.full((2, 5), "a"),
    "bytes": np.full((2, 5), b"1"),
    "complex": np.ones((2, 5), complex),
    "bool": np.ones((2, 5), bool),
}
SITES = [
    ("many", "is many; an integer is allowed"),
    (0, "is 0; at least 5, the number of defects, is allowed"),
    (-5, "is -5; at least 5, the number of defects, is allowed"),
    (4, "is 4; at least 5, the number of defects, is allowed"),
    (7.5, "is 7.5; an integer is allowed"),
    (np.nan, "is nan; an integer is allowed"),
    ([10, 20], r"is \[10 20\]; an integer is allowed"),
]


class TestUsersDefects:
    """``sample.source.file``: as good as a sampled file, and held to the same rules."""

    def write(self, path, *, sites=None, strange=None, **changed):
        rng = np.random.default_rng(3)
        gamma = rng.normal(size=(2, 5, 3, 3))
        zeta = rng.normal(size=(2, 5, 3, 3, 3))
        values = {
            "position": rng.random((2, 5, 3)) * 20,
            "box": np.full(3, 20.0),
            "gamma": gamma + gamma.transpose(0, 1, 3, 2),
            "eta": np.ones((2, 5)),
            "zeta": zeta + zeta.transpose(0, 1, 2, 4, 3),
        }
        # a defect's neighbour across the face of the box has the same other coordinates
        values["position"][0, 4, 1:] = values["position"][0, 1, 1:]
        for name, (index, value) in changed.items():
            values[name][index] = value
        values |= strange or {}
        dimensions = ("realisation", "defect", "axis", "axis2", "axis3")
        strange_types = any(value.dtype.kind in "bc" for value in values.values())
        with h5netcdf.File(path, "w", **{"invalid_netcdf": True} if strange_types else {}) as file:
            file.dimensions = {"realisation": 2, "defect": 5, "axis": 3, "axis2": 3, "axis3": 3}
            for name, value in values.items():
                names = ("axis",) if name == "box" else dimensions[: value.ndim]
                data = value.astype(object) if value.dtype.kind == "U" else value
                dtype = h5py.string_dtype() if value.dtype.kind == "U" else value.dtype
                file.create_variable(name, names, data=data, dtype=dtype)
            if sites is not None:
                file.attrs["sites"] = sites
        return values

    def point(self, path, realisations=2):
        return with_(sample={"source": {"file": str(path)}}, realisations=realisations)

    def test_all_stages(self, tmp_path):
        values = self.write(tmp_path / "mine.nc")
        point = self.point(tmp_path / "mine.nc")
        r, h, f, b = (tmp_path / name for name in ("r.nc", "h.nc", "f.nc", "b.nc"))
        stages.sample(point, r)
        stages.couplings(point, r, h)
        stages.freeze(point, h, f)
        stages.fields(point, r, f, b)
        with dataset.opened(r) as sampled, dataset.opened(b) as fields:
            np.testing.assert_array_equal(sampled.whole("position"), values["position"])
            assert "site" not in sampled
            assert sampled.attributes["defects"] == 5
            assert np.all(fields.whole("b_eta") != 0)

    @pytest.mark.parametrize(("name", "index", "value", "message"), BAD)
    def test_bad_defects(self, tmp_path, name, index, value, message):
        self.write(tmp_path / "mine.nc", **{name: (index, value)})
        with pytest.raises(DataError, match=message):
            stages.sample(self.point(tmp_path / "mine.nc"), tmp_path / "r.nc")
        assert [path.name for path in tmp_path.iterdir()] == ["mine.nc"]

    @pytest.mark.parametrize("name", ["eta", "D", "box"])
    @pytest.mark.parametrize("kind", STRANGE)
    @pytest.mark.filterwarnings("ignore:You are writing invalid netcdf")
    def test_what_is_no_number(self, tmp_path, kind, name):
        value = STRANGE[kind] if name != "box" else STRANGE[kind][0, :3]
        self.write(tmp_path / "mine.nc", strange={name: value})
        with pytest.raises(DataError, match=f"{name} holds no real numbers; only those are allowe"):
            stages.sample(self.point(tmp_path / "mine.nc"), tmp_path / "r.nc")

    def test_numbers_of_any_real_type(self, tmp_path):
        values = self.write(tmp_path / "mine.nc", strange={"eta": np.ones((2, 5), "i2")}, sites=9)
        stages.sample(self.point(tmp_path / "mine.nc"), tmp_path / "r.nc")
        with dataset.opened(tmp_path / "r.nc") as sampled:
            np.testing.assert_array_equal(sampled.whole("eta"), values["eta"])
            assert sampled.attributes["sites"] == 9

    @pytest.mark.parametrize(("sites", "message"), SITES)
    def test_numbers_of_sites_that_cannot_be(self, tmp_path, sites, message):
        self.write(tmp_path / "mine.nc", sites=sites)
        with pytest.raises(DataError, match=f"the attribute sites {message}"):
            stages.sample(self.point(tmp_path / "mine.nc"), tmp_path / "r.nc")

    @pytest.mark.parametrize("sites", [5, 5.0, np.int64(9), [9]])
    def test_numbers_of_sites(self, tmp_path, sites):
        self.write(tmp_path / "mine.nc", sites=sites)
        stages.sample(self.point(tmp_path / "mine.nc"), tmp_path / "r.nc")
        with dataset.opened(tmp_path / "r.nc") as sampled:
            assert sampled.attributes["sites"] == np.ravel(sites)[0]

    def test_amplitudes_that_are_absent_are_drawn_from_the_config(self, tmp_path):
        self.write(tmp_path / "mine.nc", strange={"D": np.full((2, 5), 0.25)})
        spread = {"distribution": "uniform", "parameters": {"loc": 1.0, "scale": 2.0}}
        data = self.point(tmp_path / "mine.nc").sections
        point = with_(**{**data, "defects": {**data["defects"], "D": 9.0, "Delta": spread}})
        stages.sample(point, tmp_path / "r.nc")
        with dataset.opened(tmp_path / "r.nc") as sampled:
            assert (sampled.whole("D") == 0.25).all()
            drawn = sampled.whole("Delta")
        assert ((drawn > 1) & (drawn < 3)).all()
        assert len(np.unique(drawn)) == 10

    def test_sites_on_a_mesh_are_not_kept(self, tmp_path):
        """Nothing reads them, so nothing could tell whether they are those of the positions."""
        self.write(tmp_path / "mine.nc", strange={"site": np.full((2, 5, 3), -7)})
        stages.sample(self.point(tmp_path / "mine.nc"), tmp_path / "r.nc")
        with dataset.opened(tmp_path / "r.nc") as sampled:
            assert "site" not in sampled

    @pytest.mark.parametrize(
        ("factor", "config", "message"),
        [
            (1e307, {}, "defect 0: B is .* eV; at most 1e"),
            (1e300, {}, r"r\.nc: realisation 0, defect 0: B is .* eV; at most 1e\+30 in modulus"),
            (1e150, {}, "defect 0: B is .* eV; at most 1e"),
            (1e20, {}, r"realisation 0, defects 0 and 1: U is .*e\+3. eV; at most 1e\+30 in mod"),
            (1e20, {"couplings": {"store": "float32"}}, "defects 0 and 1: U is "),
            (1e20, {"couplings": {"store": "implicit"}}, r"defect 0: gamma is .* at most 1e\+15 "),
        ],
    )
    def test_couplings_that_are_too_large(self, tmp_path, factor, config, message):
        values = self.write(tmp_path / "mine.nc")
        self.write(tmp_path / "mine.nc", strange={"gamma": factor * values["gamma"]})
        point = with_(**{**self.point(tmp_path / "mine.nc").sections, **config})
        stages.sample(point, tmp_path / "r.nc")
        with pytest.raises(DataError, match=message):
            stages.couplings(point, tmp_path / "r.nc", tmp_path / "h.nc")
        assert not (tmp_path / "h.nc").exists()

    def test_fields_that_are_too_large(self, tmp_path):
        values = self.write(tmp_path / "mine.nc")
        self.write(tmp_path / "mine.nc", strange={"zeta": 1e300 * values["zeta"]})
        point = self.point(tmp_path / "mine.nc")
        r, h, f, b = (tmp_path / name for name in ("r.nc", "h.nc", "f.nc", "b.nc"))
        stages.sample(point, r)
        stages.couplings(point, r, h)
        stages.freeze(point, h, f)
        with pytest.raises(DataError, match=r"realisation 0, defect 0: b_gamma is .* eV; at most"):
            stages.fields(point, r, f, b)

    def test_the_largest_couplings_freeze(self, tmp_path):
        values = self.write(tmp_path / "mine.nc")
        self.write(tmp_path / "mine.nc", strange={"gamma": 1e13 * values["gamma"]})
        point = self.point(tmp_path / "mine.nc")
        stages.sample(point, tmp_path / "r.nc")
        stages.couplings(point, tmp_path / "r.nc", tmp_path / "h.nc")
        stages.freeze(point, tmp_path / "h.nc", tmp_path / "f.nc")
        with dataset.opened(tmp_path / "f.nc") as frozen:
            assert (np.abs(frozen.whole("energy")) > 1e20).all()

    def test_more_realisations_than_there_are(self, tmp_path):
        self.write(tmp_path / "mine.nc")
        with pytest.raises(DataError, match="holds 2 realisations; number 4 is wanted"):
            stages.sample(self.point(tmp_path / "mine.nc", 5), tmp_path / "r.nc")
