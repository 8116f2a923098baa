"""What a user's file says of its numbers is heeded, and what is not understood is refused."""

import h5netcdf
import h5py
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from glasspipe.errors import DataError
from glasspipe.files.user_defects import user_defects

SIZES = {"realisation": 2, "defect": 5, "axis": 3, "axis2": 3, "axis3": 3}
NAMES = tuple(SIZES)


@pytest.fixture
def values():
    rng = np.random.default_rng(3)
    gamma, zeta = rng.normal(size=(2, 5, 3, 3)), rng.normal(size=(2, 5, 3, 3, 3))
    return {
        "position": rng.random((2, 5, 3)) * 20,
        "box": np.full(3, 20.0),
        "gamma": gamma + gamma.transpose(0, 1, 3, 2),
        "eta": np.round(rng.normal(size=(2, 5)), 3),
        "zeta": zeta + zeta.transpose(0, 1, 2, 4, 3),
    }


@pytest.fixture
def write(tmp_path, values):
    """Write a file; ``changed`` has, by name, the numbers, dimensions or attributes that differ."""

    def write(changed):
        path = tmp_path / "mine.nc"
        with h5netcdf.File(path, "w", invalid_netcdf=False) as file:
            file.dimensions = {**SIZES, "sample": 2, "atom": 5, "xyz": 3, "abc": 3, "other": 3}
            for name, data in values.items():
                about = dict(changed.get(name, {}))
                data = about.pop("data", data)
                names = ("axis",) if name == "box" else NAMES[: data.ndim]
                names = about.pop("dimensions", names)
                fill = about.pop("_FillValue", None)
                made = file.create_variable(name, names, data=data, fillvalue=fill)
                made.attrs.update(about)
        return path

    return write


def read(path):
    with user_defects(path) as defects:
        found = [defects.realisation(number) for number in range(defects.realisations)]
        return {"box": defects.box, **{n: np.stack([row[n] for row in found]) for n in found[0]}}


def test_packed_numbers_are_unpacked(write, values):
    packed = np.round((values["eta"] - 0.5) / 1e-3).astype("i2")
    path = write({"eta": {"data": packed, "scale_factor": 1e-3, "add_offset": 0.5}})
    assert_allclose(read(path)["eta"], values["eta"], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "units", "factor"),
    [
        ("position", "nm", 10.0),
        ("position", "angstrom", 1.0),
        ("position", "Å", 1.0),
        ("eta", "meV", 1e-3),
        ("eta", "K", 8.617333262e-5),
        ("eta", np.bytes_("K"), 8.617333262e-5),  # as NetCDF's own library writes one letter
        ("eta", "J", 1 / 1.602176634e-19),
        ("gamma", "ueV", 1e-6),
        ("zeta", "eV nm", 10.0),
        ("zeta", "meV*angstrom", 1e-3),
        ("zeta", "hartree bohr", 27.211386 * 0.529177211),
    ],
)
def test_units_are_converted(write, values, name, units, factor):
    found = read(write({name: {"data": values[name] / factor, "units": units}}))
    assert_allclose(found[name], values[name], rtol=1e-7)


def test_a_box_has_a_unit_too(write):
    assert_allclose(read(write({"box": {"data": np.full(3, 2.0), "units": "nm"}}))["box"], 20.0)


def test_named_dimensions_stand_in_any_order(write, values):
    turned = {"data": values["eta"].T, "dimensions": ("defect", "realisation")}
    order = (2, 1, 0)
    moved = {
        "data": values["position"].transpose(order),
        "dimensions": tuple(NAMES[place] for place in order),
    }
    swapped = {
        "data": values["zeta"].transpose(0, 1, 4, 2, 3),
        "dimensions": ("realisation", "defect", "axis3", "axis", "axis2"),
    }
    found = read(write({"eta": turned, "position": moved, "zeta": swapped}))
    for name in ("eta", "position", "zeta"):
        assert_array_equal(found[name], values[name])


def test_other_names_of_dimensions_stand_in_our_order(write, values):
    names = {"position": {"dimensions": ("sample", "atom", "xyz")}}
    assert_array_equal(read(write(names))["position"], values["position"])


def test_an_axis_may_be_named_twice(write, values):
    twice = {"gamma": {"dimensions": ("realisation", "defect", "axis", "axis")}}
    assert_array_equal(read(write(twice))["gamma"], values["gamma"])


def test_tensors_in_float32_are_symmetric_to_float32(write, values):
    single = values["gamma"].astype("f4")
    single[..., 0, 1] = np.nextafter(single[..., 0, 1], np.float32(9))
    found = read(write({"gamma": {"data": single}}))
    assert_allclose(found["gamma"], values["gamma"], rtol=1e-6, atol=1e-6)
    assert_array_equal(found["gamma"], found["gamma"].transpose(0, 1, 3, 2))


def test_a_tensor_in_float64_is_symmetric_to_float64(write, values):
    values["gamma"][0, 2, 0, 1] += 1e-6
    with pytest.raises(DataError, match="gamma_ab = gamma_ba within 1e-09 of the largest"):
        read(write({}))


MISSING = np.array([[1, 2, -999, 4, 5]] * 2)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"data": MISSING, "missing_value": -999}, "eta has missing values, such as -999; none"),
        ({"data": MISSING, "_FillValue": -999}, "eta has missing values, such as -999; none"),
        ({"data": MISSING, "valid_min": 0}, "eta has missing values, such as -999; none"),
        ({"data": MISSING, "valid_range": [-1000, 3]}, "eta has missing values, such as [45]; "),
        ({"valid_range": 3.0}, r"eta has valid_range \[3.0\]; two numbers are allowed"),
        ({"valid_range": "0 3"}, r"eta has valid_range \['0 3'\]; numbers are allowed"),
        ({"valid_min": "none"}, r"eta has valid_min \['none'\]; numbers are allowed"),
        ({"missing_value": "none"}, r"eta has missing_value \['none'\]; numbers are allowed"),
        ({"units": "furlong"}, "eta has the units 'furlong'; allowed: one of eV, "),
        ({"unit": "meV"}, "eta has the attribute unit; allowed: units"),
        ({"Units": "meV"}, "eta has the attribute Units; allowed: units"),
        ({"units": "1"}, "eta has the units '1'; allowed: one of eV, "),
        ({"scale_factor": [1.0, 2.0]}, r"eta has scale_factor \[1.0, 2.0\]; a finite number is"),
        ({"scale_factor": np.inf}, r"eta has scale_factor \[inf\]; a finite number is allowed"),
        ({"_Unsigned": "true"}, "eta has the attribute _Unsigned; none is allowed"),
        (
            {"dimensions": ("realisation", "atom")},
            r"eta has the dimensions \(realisation, atom\); allowed are \(realisation, defect\) in",
        ),
    ],
    ids=str,
)
def test_what_is_missing_or_not_understood_is_refused(write, changed, message):
    with pytest.raises(DataError, match=message):
        read(write({"eta": changed}))


def test_texts_are_refused(write):
    path = write({})
    with h5py.File(path, "a") as file:
        del file["eta"]
        file.create_dataset("eta", data=np.array([["1"] * 5] * 2, dtype="S1"))
    with pytest.raises(DataError, match="eta"):
        read(path)


def soft(file, data, _):
    file["elsewhere"] = data
    file["eta"] = h5py.SoftLink("/elsewhere")


def external(file, data, folder):
    with h5py.File(folder / "other.h5", "w") as other:
        other["eta"] = data
    file["eta"] = h5py.ExternalLink("other.h5", "/eta")


def virtual(file, data, folder):
    with h5py.File(folder / "other.h5", "w") as other:
        other["eta"] = data
    layout = h5py.VirtualLayout(data.shape, data.dtype)
    layout[...] = h5py.VirtualSource(folder / "other.h5", "eta", shape=data.shape)
    file.create_virtual_dataset("eta", layout)


def raw(file, data, folder):
    data.tofile(folder / "other.raw")
    external = [(folder / "other.raw", 0, h5py.h5f.UNLIMITED)]
    file.create_dataset("eta", data.shape, data.dtype, external=external)


@pytest.mark.parametrize("kind", [soft, external, virtual, raw])
def test_numbers_of_other_files_are_refused(write, values, kind):
    path = write({})
    with h5py.File(path, "a") as file:
        del file["eta"]
        kind(file, values["eta"], path.parent)
    with pytest.raises(DataError, match="'eta' is a link; allowed: numbers in the file itself"):
        read(path)


def test_a_file_with_a_damaged_head_is_read_or_refused_in_one_line(write):
    path = write({})
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    refused = []
    for place in rng.integers(4000, size=40):
        changed = bytearray(whole)
        changed[place] ^= 1 << rng.integers(8)
        path.write_bytes(changed)
        try:
            read(path)
        except DataError as error:
            refused.append(str(error))
    assert len(refused) > 10
    assert all(line.startswith(f"{path}: ") and "\n" not in line for line in refused)
