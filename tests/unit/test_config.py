"""The config: points, names and seeds depend on what they should, and on nothing else."""

import copy
import json
import re
import string
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from workbench import part

from glasspipe.defects.component import Component
from glasspipe.defects.distribution import Distribution
from glasspipe.defects.lattice import LATTICES, Lattice
from glasspipe.defects.species import SPECIES
from glasspipe.elastic.medium import PRESETS, Medium
from glasspipe.errors import ConfigError
from glasspipe.settings.config_docs import MARK, schema_markdown
from glasspipe.settings.materials import materials
from glasspipe.settings.point import Point, point_from
from glasspipe.settings.reading import read_mapping
from glasspipe.settings.schema import leaves, schema
from glasspipe.settings.seeds import seed_sequence
from glasspipe.settings.study import load_study, study_from
from glasspipe.stages import STAGES
from glasspipe.stages.work import PART_NAME

MEDIUM = [f"medium.{name}" for name in ("density", "c_l", "c_t", "c11", "c12", "c44", "preset")]
ROOT = Path(__file__).parents[2]
CONCENTRATIONS = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3]


def study(text):
    return study_from({"study": "test", **yaml.safe_load(text)})


def sweep(key, values, **config):
    return study_from({"study": "test", "sweep": {key: {"values": values}}, **config})


def test_defaults_are_filled_in_and_numbers_have_one_form():
    point = study("{defects: {gamma: 2, eta: -0.0}, lattice: {size: 20.0}}").points[0]
    assert point.sections["defects"] == {
        "concentration": 0.01,
        "number": 500,
        "species": "uniaxial",
        "axes": "111",
        "frame_spread": 0.0,
        "sublattice": "anion",
        "gamma": 2.0,
        "eta": 0.0,
        "zeta": 1.0,
        "D": 1e-4,
        "Delta": {"distribution": "loguniform", "parameters": {"a": 1e-8, "b": 1e-4}},
        "E": 0.0,
        "epsilon": 0.0,
        "static_dipole": "none",
        "stoichiometry": "random",
        "mixture": "none",
    }
    assert isinstance(point.sections["defects"]["gamma"], float)
    assert json.dumps(point.sections["defects"]["eta"]) == "0.0"
    assert json.dumps(point.sections["lattice"]["size"]) == "20"


def test_a_point_builds_its_objects():
    point = sweep("medium", [{"density": 2, "c_l": 3, "c_t": 1}, "KCl"]).points[1]
    assert point.model.medium == PRESETS["KCl"].medium
    assert point.model.lattice == Lattice("fcc", 6.585, 24)
    assert point.model.defects == round(0.01 * 4 * 24**3)
    assert point.model.source_file is None
    assert point.realisations == 100
    assert sweep("defects.eta", [1]).points[0].model.medium == Medium(2.75, 3.07, 1.69)


def test_auto_takes_the_smallest_box_that_holds_enough():
    for point in sweep("defects.concentration", CONCENTRATIONS).points:
        smaller = Lattice("fcc", 6.585, point.model.lattice.size - 1)
        assert (
            smaller.defects(point.sections["defects"]["concentration"]) < 500 <= point.model.defects
        )


def test_the_default_study_is_valid():
    default = load_study(ROOT / "config/config.yaml")
    assert default.name == "default"
    assert [p.swept["defects.concentration"] for p in default.points] == CONCENTRATIONS


def test_every_leaf_has_a_default_except_the_name_and_a_mediums_numbers():
    without = [key for key, node in leaves(schema()) if "default" not in node]
    named = ("gamma", "eta", "zeta", "D", "Delta", "E", "epsilon")
    strengths = [f"defects.{name}.distribution" for name in named]
    expected = ["study", *MEDIUM, *strengths, "sample.source.file", "freeze.swap_rate"]
    assert without == expected


def test_the_schema_knows_what_the_package_knows():
    nodes = dict(leaves(schema()))
    assert nodes["material"]["enum"] == ["none", *materials()]
    assert set(nodes["defects.species"]["enum"]) == set(SPECIES)
    assert nodes["medium"]["oneOf"][0]["enum"] == list(PRESETS)
    assert set(nodes["lattice.type"]["enum"]) == set(LATTICES)


MIXED = """
lattice: {type: rock_salt}
defects:
  gamma: {distribution: norm, parameters: {scale: 0.1, loc: 1}}
  mixture:
    CN: {share: 0.75, zeta: 2}
    Li: {share: 0.25, species: rotor, gamma: 3, frame_spread: 5}
"""


def test_what_a_component_leaves_out_is_that_of_the_defects():
    spread = Distribution("norm", (("loc", 1.0), ("scale", 0.1)))
    tunnelling = Distribution("loguniform", (("a", 1e-8), ("b", 1e-4)))
    common = {"axes": "111", "eta": 1.0, "D": 1e-4, "Delta": tunnelling}
    assert study(MIXED).points[0].model.components == (
        Component("uniaxial", gamma=spread, zeta=2.0, share=0.75, **common),
        Component("rotor", gamma=3.0, zeta=1.0, share=0.25, frame_spread=5.0, **common),
    )


def test_one_sublattice_is_an_fcc_lattice():
    assert study(MIXED).points[0].model.lattice == Lattice("fcc", 6.585, 24)
    both = study(MIXED.replace("frame_spread: 5", "sublattice: cation")).points[0]
    assert both.model.lattice == Lattice("rock_salt", 6.585, 19)


def test_a_share_and_a_spread_can_be_swept():
    varied = {
        "defects.mixture.CN.share": {"values": [0.5, 0.9]},
        "defects.mixture.Li.share": {"values": [0.5, 0.1]},
        "defects.gamma.parameters.scale": {"values": [0.1, 0.2]},
    }
    points = study_from(
        {"study": "s", **yaml.safe_load(MIXED), "sweep": varied, "sweep_mode": "zip"}
    ).points
    assert [[c.share for c in point.model.components] for point in points] == [
        [0.5, 0.5],
        [0.9, 0.1],
    ]
    assert points[1].model.components[0].gamma.parameters == (("loc", 1.0), ("scale", 0.2))


# sweeps


def test_a_linear_range_is_exact_in_decimals():
    ends = {"start": -0.3, "stop": 0.3, "number": 7}
    points = study_from({"study": "t", "sweep": {"defects.eta": {"linear": ends}}}).points
    assert [p.swept["defects.eta"] for p in points] == [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3]


def test_a_log_range_is_rounded():
    ends = {"start": 1e-4, "stop": 0.1, "number": 7}
    points = study_from({"study": "t", "sweep": {"defects.concentration": {"log": ends}}}).points
    values = [p.swept["defects.concentration"] for p in points]
    assert values[::2] == [1e-4, 1e-3, 0.01, 0.1]
    assert values[1] == 0.000316227766017
    ends = {"start": 100, "stop": 10000, "number": 3}
    points = study_from({"study": "t", "sweep": {"freeze.sweeps": {"log": ends}}}).points
    assert [p.sections["freeze"]["sweeps"] for p in points] == [100, 1000, 10000]


def test_product_and_zip():
    text = "sweep: {defects.eta: {values: [1, 2]}, medium: {values: [KBr, KCl]}}"
    pairs = [tuple(p.swept.values()) for p in study(text).points]
    assert pairs == [(1.0, "KBr"), (1.0, "KCl"), (2.0, "KBr"), (2.0, "KCl")]
    zipped = study(f"{{{text}, sweep_mode: zip}}")
    assert [tuple(p.swept.values()) for p in zipped.points] == [(1.0, "KBr"), (2.0, "KCl")]
    assert zipped.sweep_keys == ("defects.eta", "medium")
    assert len(study("sweep_mode: zip").points) == 1


def test_one_number_of_a_medium_can_be_swept():
    written = {"density": 2.0, "c_l": 3.0, "c_t": 1.0}
    points = sweep("medium.c_l", [3, 4], medium=written).points
    assert [p.model.medium.c_l for p in points] == [3.0, 4.0]


def test_points_share_no_data():
    first, second = sweep("defects.eta", [1, 2]).points
    assert (first.sections["defects"]["eta"], second.sections["defects"]["eta"]) == (1.0, 2.0)


def test_the_callers_mapping_is_left_alone():
    config = {"study": "t", "defects": {"gamma": 2}, "sweep": {"defects.eta": {"values": [1]}}}
    before = copy.deepcopy(config)
    study_from(config)
    assert config == before


# parts, hashes, names


@pytest.fixture
def file_source(tmp_path):
    path = tmp_path / "mine.nc"
    path.touch()
    return {"sample": {"source": {"file": str(path)}}}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_a_part_is_a_point_with_that_part(tmp_path, file_source, stage, suffix):
    config = {
        "study": "t",
        "medium": "KCl",
        "defects": {"concentration": 1e-5, "number": 321, "species": "rotor"},
        "boundary": "clamped",
        "couplings": {"store": "float32"},
        "freeze": {"t_end": 0.01, "replicas": 3},
        "sweep": {"sample.source": {"values": ["lattice", file_source["sample"]["source"]]}},
    }
    for point in study_from(config).points:
        path = tmp_path / f"point.{suffix}"
        mine = part(point, stage)
        given = json.loads(mine.text)
        path.write_text(mine.text if suffix == "json" else yaml.safe_dump(given))
        again = STAGES[stage].load_part(path)
        assert again == mine
        state = seed_sequence(point.model, stage, 5).generate_state(4)
        assert (seed_sequence(again.model, stage, 5).generate_state(4) == state).all()


def test_a_point_file_may_be_a_study_without_its_sweep(tmp_path):
    path = tmp_path / "point.yaml"
    path.write_text("{study: t, realisations: 3, aggregate: {bootstrap: 10}}")
    assert point_from(read_mapping(path)).realisations == 3
    assert (
        part(point_from(read_mapping(path)), "fields").sections
        == part(study("seed: 2008").points[0], "fields").sections
    )
    path.write_text("sweep: {defects.eta: {values: [1]}}")
    with pytest.raises(ConfigError, match=r"^sweep: found in a point; allowed: one value"):
        point_from(read_mapping(path))
    path.write_text("freeze: {t_end: 1e-3}")
    with pytest.raises(ConfigError, match=r"^freeze\.t_end: found the text '1e-3'"):
        point_from(read_mapping(path))


TEMPERING = {"method": "tempering", "sweeps": 1000}


def test_tempering_chooses_its_temperatures_and_says_so_in_the_part():
    point = point_from({"freeze": TEMPERING})
    steps = point.model.freeze["steps"]
    assert point_from({"freeze": TEMPERING, "realisations": 3}).model.freeze == point.model.freeze
    assert point.model.freeze["sweeps"] - 1000 in range(steps)
    assert point.model.freeze["sweeps"] % steps == 0
    assert part(point, "freeze").sections["freeze"] == point.model.freeze
    given = {**TEMPERING, "swap_rate": 0.3, "steps": steps, "sweeps": point.model.freeze["sweeps"]}
    assert part(point_from({"freeze": given}), "freeze").hash == part(point, "freeze").hash
    often = point_from({"freeze": {**TEMPERING, "swap_rate": 0.6}})
    assert often.model.freeze["steps"] > steps
    more = point_from({"freeze": TEMPERING, "defects": {"number": 2000}})
    assert more.model.freeze["steps"] == pytest.approx(2 * steps, rel=0.1)


def test_annealing_has_100_temperatures_if_nothing_is_said():
    asked = point_from({"freeze": {"steps": 100}})
    assert (
        point_from({}).model.freeze
        == point_from({"freeze": {"steps": "auto"}}).model.freeze
        == asked.model.freeze
    )
    assert "swap_rate" not in asked.model.freeze
    assert part(point_from({}), "freeze").sections == part(asked, "freeze").sections


ORDER = list(STAGES)
CHANGES = [
    ({"seed": 1}, "sample"),
    ({"lattice": {"constant": 6.6}}, "sample"),
    ({"defects": {"gamma": 2}}, "sample"),
    ({"defects": {"number": 900}}, "sample"),
    ({"medium": "KCl"}, "couplings"),
    ({"boundary": "clamped"}, "couplings"),
    ({"couplings": {"store": "float32"}}, "couplings"),
    ({"freeze": {"sweeps": 2000}}, "freeze"),
    ({"freeze": {"replicas": 2}}, "freeze"),
    ({"aggregate": {"bootstrap": 10}}, None),
    ({"realisations": 5}, None),
    ({"realisations_per_job": 5}, None),
    ({"study": "other"}, None),
    ({"lattice": {"size": 24}}, None),
    ({"defects": {"number": 499}}, None),
    ({"defects": {"gamma": 1}}, None),
    ({"medium": {"density": 2.75, "c_l": 3.07, "c_t": 1.69}}, None),
]


@pytest.mark.parametrize(("change", "first"), CHANGES, ids=[str(c) for c, _ in CHANGES])
def test_a_change_reaches_its_stage_and_those_after_it(change, first):
    point = study_from({"study": "t"}).points[0]
    other = study_from({"study": "t", **change}).points[0]
    changed = [stage for stage in ORDER if part(point, stage).hash != part(other, stage).hash]
    assert changed == (ORDER[ORDER.index(first) :] if first else [])


def test_a_name_says_what_matters_to_the_stage():
    text = (
        "sweep: {defects.concentration: {values: [0.001]},"
        " medium: {values: [KCl, {density: 2, c_l: 3.5, c_t: 1}]}, freeze.sweeps: {values: [500]}}"
    )
    first, second = study(text).points
    assert re.fullmatch("concentration-0.001-[0-9a-f]{10}", part(first, "sample").name)
    assert re.fullmatch("concentration-0.001-medium-KCl-.{10}", part(first, "couplings").name)
    assert re.fullmatch("concentration-0.001-medium-2-3.5-1-.{10}", part(second, "couplings").name)
    assert re.fullmatch("concentration-0.001-medium-KCl-sweeps-500-.{10}", first.name)
    assert part(first, "sample").name == part(second, "sample").name
    assert study("seed: 3").points[0].name.startswith("point-")


def test_a_hash_is_the_same_in_another_process_and_another_order():
    point = point_from({"medium": "KCl", "defects": {"gamma": 2, "eta": 3}})
    turned = point_from({"defects": {"eta": 3.0, "gamma": 2.0}, "medium": "KCl"})
    assert part(point, "fields").hash == part(turned, "fields").hash
    code = (
        "from glasspipe.settings.point import point_from;"
        "p = point_from({'medium': 'KCl', 'defects': {'gamma': 2, 'eta': 3}});"
        "print(p.hash)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == point.hash


@settings(max_examples=60, deadline=None)
@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(alphabet=string.printable[:-5] + "äζ…", min_size=1, max_size=90),
)
@example(number=1e300, text="a" * 90)
def test_every_name_is_safe_as_a_path_and_a_wildcard(number, text):
    point = Point(
        study_from({"study": "t"}).points[0].sections,
        {"defects.gamma": number, "sample.source": {"file": text}},
    )
    for stage in STAGES:
        name = part(point, stage).name
        assert re.fullmatch(PART_NAME, name)
        assert len(name) <= 80


# seeds


def state(config, stage="sample", realisation=0):
    point = point_from(config)
    return tuple(seed_sequence(point.model, stage, realisation).generate_state(4))


@pytest.mark.parametrize(
    "same",
    [
        {"medium": "KCl"},
        {"boundary": "clamped"},
        {"couplings": {"store": "float32"}},
        {"defects": {"gamma": 2, "eta": 0, "zeta": 3}},
        {"lattice": {"constant": 6.3}},
        {"lattice": {"size": 24}},
        {"freeze": {"sweeps": 2000, "schedule": "linear"}},
        {"realisations": 3},
    ],
    ids=str,
)
def test_points_that_differ_elsewhere_share_disorder(same):
    for stage in STAGES:
        assert state(same, stage) == state({}, stage)


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 1},
        {"defects": {"concentration": 0.02}},
        {"defects": {"species": "rotor"}},
        {"defects": {"axes": "110"}},
        {"defects": {"number": 900}},
        {"lattice": {"type": "bcc"}},
        {"lattice": {"size": 25}},
    ],
    ids=str,
)
def test_points_with_other_disorder_share_no_seed(other):
    assert state(other) != state({})


def test_stages_and_realisations_have_their_own_seeds():
    states = {state({}, stage, realisation) for stage in STAGES for realisation in range(5)}
    assert len(states) == 5 * len(STAGES)


def test_the_seed_of_a_file_is_not_its_path(tmp_path):
    configs = []
    for name in ("a.nc", "b.nc"):
        (tmp_path / name).touch()
        configs.append({"sample": {"source": {"file": str(tmp_path / name)}}})
    assert state(configs[0], "freeze") == state(configs[1], "freeze") != state({}, "freeze")
    assert (
        part(point_from(configs[0]), "sample").hash != part(point_from(configs[1]), "sample").hash
    )


# the documentation


def test_the_documentation_is_in_step_with_the_schema():
    text = (ROOT / "config/README.md").read_text("utf-8")
    assert text.partition(MARK)[2].strip() == schema_markdown().strip()


def test_the_documented_example_is_valid():
    text = (ROOT / "config/README.md").read_text("utf-8")
    example = study_from(yaml.safe_load(re.search("```yaml\n(.*?)```", text, re.DOTALL)[1]))
    assert len(example.points) == 7
    ranges = re.findall(r"^  ([\w.]+): (\{li.*?\}\}|\{lo.*?\}\}) +# ([\d. ]+)$", text, re.MULTILINE)
    for key, how, values in ranges:
        points = study_from({"study": "t", "sweep": {key: yaml.safe_load(how)}}).points
        assert [point.swept[key] for point in points] == list(map(float, values.split()))
    assert len(ranges) == 2


def test_reading_a_study_loads_no_heavy_library():
    code = (
        "import sys, glasspipe.settings.study, glasspipe.stages.plan;"
        "print([m for m in ('numba', 'pandas', 'h5py', 'xarray', 'matplotlib', 'scipy.linalg')"
        " if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


TWO_THOUSAND, BIG = {"defects": {"number": 2000}}, {"defects": {"number": 13_000}}


@pytest.mark.parametrize(
    ("config", "store"),
    [
        ({}, "float64"),
        ({"defects": {"number": 1000}}, "float64"),
        ({"defects": {"number": 2000}}, "implicit"),
        (TWO_THOUSAND | {"boundary": "minimum_image"}, "float64"),
        (TWO_THOUSAND | {"freeze": {"method": "tempering"}}, "implicit"),
        ({"freeze": {"method": "tempering"}}, "float64"),
        ({**BIG, "couplings": {"store": "float32"}, "freeze": {"method": "tempering"}}, "float32"),
        (TWO_THOUSAND | {"hamiltonian": {"store": "dense"}}, "float64"),
        (TWO_THOUSAND | {"freeze": {"sweeps": 100_000}}, "float64"),
        (BIG, "implicit"),
        ({**BIG, "boundary": "minimum_image"}, "float64"),
        ({**BIG, "formula": "as_printed"}, "float64"),
        ({**BIG, "couplings": {"store": "float32"}}, "float32"),
        ({"couplings": {"store": "implicit"}}, "implicit"),
    ],
)
def test_u_is_stored_where_it_is_needed_or_cheaper(config, store):
    point = point_from(config)
    assert point.model.store == store
    accuracy = {"accuracy": 1e-6} if store == "implicit" else {}  # all that it concerns
    assert part(point, "couplings").sections["couplings"] == {"store": store, **accuracy}
    said = point_from({**config, "couplings": {"store": store}})
    assert part(said, "fields").hash == point.hash
    for stage in STAGES:  # of one mind, though not every stage knows how long freezing takes
        if "couplings" in part(point, stage).sections:
            assert part(point, stage).model.store == store


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"couplings": {"store": "implicit"}, "boundary": "minimum_image"},
            "couplings.store: found implicit with boundary minimum_image, for which U must be"
            " stored; allowed: auto, float64, float32",
        ),
        (
            {**BIG, "freeze": {"method": "tempering"}},
            "freeze.method: found tempering with couplings.store auto and 13140 defects, whose U"
            " would be made in more than 4 GB; allowed: annealing, at most 12909 defects, or"
            " couplings.store float64 or float32",
        ),
        (
            {"couplings": {"store": "implicit"}, "hamiltonian": {"store": "dense"}},
            "hamiltonian.store: found dense with couplings.store implicit, which stores no U;"
            " allowed: none, or couplings.store float64 or float32",
        ),
    ],
)
def test_what_needs_a_stored_u_is_refused_without(config, message):
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        point_from(config)
