import re

import numpy as np
import pytest
from workbench import run

from glasspipe import cli
from glasspipe.files import dataset
from glasspipe.report.realisation import principal_axis

CONFIG = {
    "study": "seen",
    "realisations": 3,
    "realisations_per_job": 2,
    "defects": {"number": 12},
    "freeze": {"sweeps": 20, "steps": 10},
    "aggregate": {"bootstrap": 2, "pairs": 1},
    "sweep": {"defects.axes": {"values": ["111", "100"]}},
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seen")
    return folder, run(folder, CONFIG)


@pytest.fixture(scope="module")
def third(study):
    """What the stages' own files hold of the second point's last realisation."""
    folder, _ = study
    held = {}
    for stage, names in (("sample", ["position", "box", "gamma"]), ("freeze", ["S", "B", "h"])):
        [path] = [p for p in folder.glob(f"data/{stage}/*100*/*.nc") if "2" in p.name]
        with dataset.opened(path) as reader:
            held |= {name: reader.whole(name) for name in names}
    return {name: values if name == "box" else values[0] for name, values in held.items()}


def exported(study, tmp_path, form, *options):
    folder, made = study
    output = tmp_path / f"seen.{form}"
    name = made.points[1].name
    arguments = ["export", str(folder), "--point", name, "--realisation", "2", "--format", form]
    assert cli.main([*arguments, "-o", str(output), *options]) == 0
    return output.read_text().splitlines()


def test_extxyz_holds_what_froze(study, third, tmp_path):
    number, about, *rows = exported(study, tmp_path, "extxyz")
    assert int(number) == len(rows) == len(third["S"])
    lattice = np.array(re.search(r'Lattice="([^"]+)"', about)[1].split(), dtype=float)
    np.testing.assert_array_equal(lattice.reshape(3, 3), np.diag(third["box"]))
    properties = re.search(r"Properties=(\S+)", about)[1].split(":")
    assert properties[::3] == ["species", "pos", "axis", "S", "B", "h", "b"]
    assert sum(map(int, properties[2::3])) == len(rows[0].split())
    found = np.array([row.split()[1:] for row in rows], dtype=float)
    np.testing.assert_array_equal(found[:, :3], third["position"])
    for column, name in ((6, "S"), (7, "B"), (8, "h")):
        np.testing.assert_array_equal(found[:, column], third[name])
    d = found[:, 3:6]
    np.testing.assert_allclose(np.einsum("ia,ib->iab", d, d), third["gamma"], atol=1e-12)


def test_vtk_holds_what_froze(study, third, tmp_path):
    lines = exported(study, tmp_path, "vtk")
    number = len(third["S"])
    assert lines[0] == "# vtk DataFile Version 3.0"
    assert lines[2:5] == ["ASCII", "DATASET POLYDATA", f"POINTS {number} double"]
    block = {line: lines[n + 1 :] for n, line in enumerate(lines)}
    position = np.array([row.split() for row in block[lines[4]][:number]], dtype=float)
    np.testing.assert_array_equal(position, third["position"])
    for name, kind in (("S", "int"), ("B", "double"), ("h", "double")):
        values = block[f"SCALARS {name} {kind} 1"][1 : number + 1]
        np.testing.assert_array_equal(np.array(values, dtype=float), third[name])
    assert len(block["VECTORS axis double"]) == number
    assert block[f"VERTICES {number} {2 * number}"][number - 1] == f"1 {number - 1}"


def test_the_axis_is_that_of_the_largest_strain():
    rng = np.random.default_rng(1)
    turned = np.linalg.qr(rng.standard_normal((5, 3, 3)))[0]
    gamma = turned @ np.diag([0.5, -2.0, 1.0]) @ np.swapaxes(turned, 1, 2)
    overlap = np.abs(np.sum(principal_axis(gamma) * turned[:, :, 1], axis=1))
    np.testing.assert_allclose(overlap, 1.0)


def test_a_rotor_points_where_S_turns_it():
    one, two = np.array([1, 1, 0]) / np.sqrt(2), np.array([1, -1, 0]) / np.sqrt(2)
    rotor, rod = np.outer(one, one) - np.outer(two, two), np.outer(one, one)
    found = principal_axis(np.array([rotor, -rotor, rod, -rod]))
    np.testing.assert_allclose(np.abs(found @ one), [1, 0, 1, 1], atol=1e-12)


def test_what_is_not_there_is_said_in_one_line(study, tmp_path, capsys):
    folder, _ = study
    arguments = ["export", str(folder), "--format", "vtk", "-o", str(tmp_path / "x")]
    for options, message in (
        (["--realisation", "3"], "realisation: found 3; allowed: 0 to 2"),
        (["--point", "x"], "point: found 'x'; allowed: "),
    ):
        assert cli.main([*arguments, *options]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    assert not (tmp_path / "x").exists()
