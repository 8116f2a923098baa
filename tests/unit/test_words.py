"""What the page says of a study, and that results are read without the file that they came from."""

import numpy as np
import pytest
import xarray as xr

from glasspipe.errors import ConfigError
from glasspipe.report.page.configuration import words
from glasspipe.settings.study import study_from
from glasspipe.stages import study_files

AXES = ("axis", "axis2", "axis3")
ORDERS = {"gamma": 2, "eta": 0, "zeta": 3}
CRYSTAL = {"density": 2.33, "c11": 165.0, "c12": 64.0, "c44": 79.0}


def written(folder, **config):
    study_files.write(study_from({"study": "told", "realisations": 2, **config}), folder)
    return study_files.load(folder)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A study of a user's file, read from elsewhere."""
    monkeypatch.chdir(tmp_path)
    tensors = {name: np.ones((2, 2) + (3,) * order) for name, order in ORDERS.items()}
    variables = {
        name: (("realisation", "defect", *AXES[: a.ndim - 2]), a) for name, a in tensors.items()
    }
    place = np.array([[[1.0, 1.0, 1.0], [5.0, 6.0, 7.0]]] * 2)
    variables["position"] = (("realisation", "defect", "axis"), place)
    variables["box"] = (("axis",), np.array([10.0, 11.0, 12.0]))
    xr.Dataset(variables).to_netcdf(tmp_path / "own.nc", engine="h5netcdf")
    config = {"sample": {"source": {"file": "own.nc"}}, "medium": CRYSTAL}
    found = written(tmp_path / "told", **config)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return found, config


def test_defects_of_a_file_are_on_no_lattice(own):
    _, defects, _ = words(own[0])
    medium = "a medium of density 2.33 g/cm³, c11 165 GPa, c12 64 GPa, c44 79 GPa"
    assert defects == (
        f"Defects of the file own.nc in {medium}, in the periodic boxes that come with them,"
        " boundary spherical."
    )


def test_results_are_read_where_the_file_is_not(own):
    found, config = own
    [point] = study_files.load(found.folder.resolve()).points
    assert point.point.sections["sample"] == config["sample"]
    with pytest.raises(ConfigError, match=r"^sample\.source\.file: found 'own\.nc'; allowed: a f"):
        study_from({"study": "told", **config})


@pytest.mark.parametrize(
    ("defects", "said"),
    [
        ({"species": "plaquette"}, "species plaquette, with γ₀ = 1 eV"),
        ({"species": "rotor", "axes": "100"}, "species rotor, axes 100, with γ₀ = 1 eV"),
    ],
)
def test_axes_are_named_where_they_are_drawn(tmp_path, defects, said):
    _, told, _ = words(written(tmp_path, defects={"number": 20, **defects}, medium="KCl"))
    assert said in told
    assert "in KCl, on sites of the lattice fcc (constant 6.585 Å), in periodic boxes of" in told
