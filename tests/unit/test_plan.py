"""The plan that ``glasspipe check`` prints: its numbers are those of a hand calculation."""

import os
import re

import h5netcdf
import numpy as np
import pytest

from glasspipe.errors import ConfigError
from glasspipe.settings import engines
from glasspipe.settings.engines import DENSE_MATRICES
from glasspipe.settings.study import study_from
from glasspipe.stages import STAGES, fields, plan, sample
from glasspipe.stages.plan import describe
from glasspipe.stages.rates import Rate, rates
from glasspipe.stages.work import Work
from glasspipe.system.implicit import LARGEST_LIST, NEIGHBOURS


def study(**config):
    return study_from({"study": "test", **config})


def work(stage, point, defects):
    return Work.of(STAGES[stage], point, defects)


def declared(stage, point, defects):
    """Return the computing that a stage declares for all realisations of a point."""
    return work(stage, point, defects).load(point.realisations).seconds


def near_pairs(stage, point):
    """The part of it that near pairs of 20 defects take."""
    once, each = fields._SECONDS_OF_EXCESS
    return point.realisations * (once + 20 * each) if stage == "fields" else 0.0


def sums(stage, point):
    """The rest of it, for 20 defects."""
    return declared(stage, point, 20) - near_pairs(stage, point)


def rows(text):
    """Return the cells of every line, keyed by the first."""
    lines = [line.split() for line in text.splitlines() if line]
    return {cells[0]: cells[1:] for cells in lines}


PAIRS = ("couplings", "fields")
EVERY = ("sample", "couplings", "freeze", "fields")
BOX = {"lattice": {"type": "bcc", "size": 5}, "defects": {"concentration": 0.082}}
"""250 sites with 20.5, so 20 defects: 190 pairs."""


def test_the_points_are_listed_with_their_realised_concentration():
    sizes = {"lattice.size": {"values": [5, 10]}}
    made = study(lattice={"type": "bcc"}, defects=BOX["defects"], sweep=sizes)
    text = describe(made)
    table = rows(text)
    assert table[made.points[0].name][:4] == ["0.08", "5³", "250", "20"]
    assert table[made.points[1].name][:4] == ["0.082", "10³", "2000", "164"]
    assert text.startswith(
        "study test: 2 points, sweeping lattice.size; 100 realisations of each in 1 job a stage;"
        " seed 2008\n"
    )


def test_temperatures_of_tempering_are_told():
    methods = {"freeze.method": {"values": ["annealing", "tempering"]}}
    made = study(sweep=methods, **BOX)
    table = rows(describe(made))
    assert table[made.points[0].name][4] == "100"
    assert table[made.points[1].name][4] == str(made.points[1].model.freeze["steps"])
    sizes = [work("freeze", point, 20).bytes_written for point in made.points]
    more = study(freeze={"method": "tempering", "swap_rate": 0.9}, **BOX).points[0]
    assert work("freeze", more, 20).bytes_written > sizes[1]


def test_work_that_points_share_is_counted_once():
    shared = {"freeze.sweeps": {"values": [100, 200, 300]}, "medium": {"values": ["KBr", "KCl"]}}
    made = study(realisations=7, realisations_per_job=3, sweep=shared, **BOX)
    table = rows(describe(made))
    jobs = {stage: int(table[stage][0]) for stage in EVERY}
    assert jobs == {"sample": 3, "couplings": 6, "freeze": 18, "fields": 18}


def test_times_follow_pairs_and_flips():
    point = study(realisations=1000, freeze={"sweeps": 5000, "replicas": 2}, **BOX).points[0]
    seconds = {stage: declared(stage, point, 20) for stage in EVERY}
    assert seconds == pytest.approx(
        {
            "sample": 20 * 1000 * sample._SECONDS_PER_DEFECT,
            "couplings": 190 * 1000 * engines.SECONDS_PER_PAIR["couplings"],
            "freeze": 1000
            * (
                20 * 5000 * 2 * engines.SECONDS_PER_VISIT
                + 400 * (engines.SECONDS_PER_READ + 2 * engines.SECONDS_PER_ENTRY)
            ),
            "fields": 190 * 1000 * engines.SECONDS_PER_PAIR["fields"] + near_pairs("fields", point),
        }
    )


def test_rows_of_a_large_U_cost_time_that_replicas_share():
    about = {"sweeps": 1000, "steps": 100}
    one, four, tempered = (
        declared("freeze", study(freeze={**about, **freeze}, **BOX).points[0], 3000)
        for freeze in ({}, {"replicas": 4}, {"method": "tempering"})
    )
    assert one < four < 2 * one
    assert tempered < 0.6 * one


def test_a_crystal_costs_more_a_pair():
    for stage in EVERY:
        isotropic, crystal = (
            sums(stage, study(medium=medium, **BOX).points[0]) for medium in ("KBr", "KBr_cubic")
        )
        slower = engines.CRYSTAL if stage in PAIRS else 1
        waves = 100 * engines.OF_WAVES[stage] if stage in PAIRS else 0
        assert crystal == pytest.approx(waves + slower * isotropic)


def test_crystals_are_characterised_once():
    media = {"medium": {"values": ["KBr_cubic", "KBr"]}, "defects.eta": {"values": [1, 2]}}
    paragraphs = describe(study(**BOX, sweep=media)).split("\n\n")
    line = "crystal c11 34.7, c12 5.8, c44 5.07 GPa: Zener's ratio 0.3509, Hill average c_l 3.0"
    assert paragraphs[1].startswith(line)
    assert "\n" not in paragraphs[1]
    assert "Zener" not in describe(study(**BOX))
    many = {"medium.c44": {"linear": {"start": 5.0, "stop": 6.0, "number": 50}}}
    crystals = describe(study(**BOX, medium="KBr_cubic", sweep=many)).split("\n\n")[1].split("\n")
    assert len(crystals) == 41
    assert crystals[-1] == "… and 10 more"


def test_a_printed_coupling_costs_three_sums():
    for stage in EVERY:
        derived, printed = (
            sums(stage, study(formula=formula, **BOX).points[0])
            for formula in ("derived", "as_printed")
        )
        assert printed == pytest.approx(derived * (3 if stage in PAIRS else 1))


def test_the_wall_time_is_at_least_that_of_one_chain(monkeypatch):
    ten = Rate(start=10.0, item=0.0, work=0.0, start_mb=100.0, item_mb=0.0)
    rules = (*STAGES, "aggregate_point", "aggregate", "report")
    monkeypatch.setattr(plan, "rates", lambda: dict.fromkeys(rules, ten))
    assert "time: about 70 s of CPU, 70 s on 2 cores" in describe(study(**BOX))
    four = study(sweep={"seed": {"values": [1, 2, 3, 4]}}, **BOX)
    assert "time: about 3.67 min of CPU, 110 s on 2 cores" in describe(four)
    split = study(realisations_per_job=25, **BOX)
    assert "time: about 3.17 min of CPU, 95 s on 2 cores" in describe(split)
    assert rows(describe(split))["freeze"] == ["4", "40", "s", "100", "MB"]


def test_threads_shorten_what_they_compute_and_no_start(monkeypatch):
    """Couplings and fields of ten realisations take 10 s + 10 s/2, all else 10 s + 10 s."""
    each = Rate(start=10.0, item=1.0, work=0.0, start_mb=100.0, item_mb=0.0)
    rules = (*STAGES, "aggregate_point", "aggregate", "report")
    monkeypatch.setattr(plan, "rates", lambda: dict.fromkeys(rules, each))
    lone = study(**BOX, realisations=10, realisations_per_job="all")
    assert "time: about 5.2 min of CPU, 5.03 min on 2 cores" in describe(lone)


@pytest.mark.parametrize(("store", "width"), [("float64", 8), ("float32", 4)])
def test_sizes_are_those_of_the_variables(store, width):
    made = study(realisations=10, couplings={"store": store}, **BOX)
    made_of = work("couplings", made.points[0], 20)
    # U of each realisation; i and j of four bytes; B; the realisation numbers
    assert made_of.bytes_written == 10 * 190 * width + 2 * 4 * 190 + 10 * 20 * 8 + 10 * 8
    rotor = study(realisations=10, defects={**BOX["defects"], "species": "rotor"}).points[0]
    more = work("sample", rotor, 20).bytes_written
    assert more - work("sample", made.points[0], 20).bytes_written == 10 * 20 * 27 * 8


@pytest.mark.parametrize("store", ["dense", "pairs"])
def test_stored_hamiltonians_are_counted(store):
    made = study(realisations=10, hamiltonian={"store": store}, **BOX)
    assert rows(describe(made))["hamiltonian"][0] == "1"
    written = work("hamiltonian", made.points[0], 20).bytes_written
    terms = 10 * 20 * (3 * 8 + 1 + 5 * 8) + 3 * 8 + 10 * 8
    # U and J of each pair and U_S_tau of each both ways; or at most so many strong ones of each
    dense = 10 * (2 * 190 + 400) * 8 + 8 * 190
    pairs = 10 * 3 * (400 * 16 + 3 * 8)
    assert written == terms + {"dense": dense, "pairs": pairs}[store]


def test_a_job_larger_than_the_machine_is_a_warning(monkeypatch):
    stored = {"couplings": {"store": "float64"}}
    huge = study(defects={"number": 10_000_000, "concentration": 0.1}, **stored)
    point = huge.points[0]
    what = work("couplings", point, point.model.defects).load(1)
    assert what.bytes == DENSE_MATRICES * 8 * point.model.defects**2
    assert f" needs {rates()['freeze'].megabytes(what) / 1e6:.3g} TB" in describe(huge)
    assert "warning" not in describe(study(**BOX))
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 50_000, "SC_PAGE_SIZE": 4096}.get)
    assert "this machine has 205 MB" in describe(study(**BOX))


def test_without_a_stored_u_all_grows_as_the_defects():
    large = study(defects={"number": 1_000_000, "concentration": 0.05}).points[0]
    larger = study(defects={"number": 8_000_000, "concentration": 0.05}).points[0]
    for stage in ("couplings", "freeze", "fields"):
        one, other = (work(stage, point, point.model.defects) for point in (large, larger))
        ratio = larger.model.defects / large.model.defects
        assert other.cost.seconds == pytest.approx(ratio * one.cost.seconds, rel=0.01)
        listed = 12 * NEIGHBOURS * large.model.defects if stage == "freeze" else 0.0
        assert listed < LARGEST_LIST < ratio * listed or not listed
        assert other.cost.bytes == pytest.approx(ratio * (one.cost.bytes - listed))
        assert 0.7e9 < one.cost.bytes < 5e9
    # B, position and gamma; the box; the error of B and the realisation numbers
    written = work("couplings", large, 1000).bytes_written
    assert written == 100 * 1000 * (1 + 3 + 9) * 8 + 3 * 8 + 2 * 100 * 8


def test_a_long_study_is_cut_short():
    many = study(sweep={"seed": {"linear": {"start": 1, "stop": 100, "number": 100}}}, **BOX)
    text = describe(many)
    assert "… and 60 more" in text
    assert many.points[39].name in text
    assert many.points[40].name not in text
    assert rows(text)["fields"][0] == "100"


def test_defects_from_a_file_are_counted(tmp_path):
    path = tmp_path / "mine.nc"
    shapes = {"position": (3,), "gamma": (3, 3), "eta": (), "zeta": (3, 3, 3)}
    values = {"position": np.random.default_rng(1).random((4, 13, 3)) * 10}
    with h5netcdf.File(path, "w") as file:
        file.dimensions = {"realisation": 4, "defect": 13, "axis": 3, "axis2": 3, "axis3": 3}
        file.create_variable("box", ("axis",), data=np.full(3, 10.0))
        for name, shape in shapes.items():
            dimensions = ("realisation", "defect", "axis", "axis2", "axis3")[: 2 + len(shape)]
            file.create_variable(name, dimensions, data=values.get(name, np.zeros((4, 13, *shape))))
    mine = {"sample": {"source": {"file": str(path)}}}
    made = study(realisations=4, **mine)
    assert rows(describe(made))[made.points[0].name][:3] == ["from", "file", "13"]
    with pytest.raises(ConfigError, match=r"^realisations: found 5 with .*; allowed: at most 4,"):
        describe(study(realisations=5, **mine))


def test_how_u_is_stored_is_told_with_its_reason():
    numbers = {"defects.number": {"values": [1000, 2000, 2100]}}
    text = describe(study(sweep=numbers))
    assert re.search(
        r"U stored as float64, by forecast \S+ s a realisation with U stored, \S+ s without: ", text
    )
    assert len(re.findall(r"U not stored, by forecast", text)) == 2
    asked = describe(study(sweep=numbers, couplings={"store": "float32"}))
    assert re.search(r"U stored as float32, as asked: \S+ and 2 more", asked)
    assert "U stored as float64, for formula as_printed" in describe(study(formula="as_printed"))
    assert "U not stored, a stored U would need more than 4 GB" in describe(
        study(defects={"number": 13_000}, freeze={"sweeps": 1_000_000})
    )


def test_a_seed_that_is_swept_is_not_told():
    assert "; seed 2008" in describe(study(**BOX))
    assert "seed 2008" not in describe(study(**BOX, sweep={"seed": {"values": [1, 2]}}))
