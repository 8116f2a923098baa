"""Stored Hamiltonians: their terms against other routes, their energies in every form."""

import io
import json
import sys
from dataclasses import replace

import dimod
import numpy as np
import pandas as pd
import pytest
from reference import gradient_gradient
from workbench import part, stages

from glasspipe.cli import main
from glasspipe.defects.tensors import Tensors, frozen_zeta
from glasspipe.elastic.greens import periodic_green_derivatives
from glasspipe.errors import DataError
from glasspipe.files import dataset
from glasspipe.files.export import bqm, load
from glasspipe.settings.point import point_from
from glasspipe.system.hamiltonian import Ising, Pairs
from glasspipe.system.terms import TERMS
from glasspipe.theory.pair_distances import Pairs as PairsApart
from glasspipe.theory.pair_distances import couplings as pair_couplings

POINT = {
    "defects": {"number": 24, "concentration": 0.03, "species": "rotor"},
    "realisations": 3,
    "freeze": {"sweeps": 20, "steps": 10, "replicas": 2},
}
STORES = {
    "dense": {"store": "dense"},
    "pairs": {"store": "pairs", "threshold": 0.1},
    "all": {"store": "pairs", "threshold": 0.0},
}
SPINS = ("S", "tau", "both")
N = point_from(POINT).model.defects


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Every stage's file of one point, its Hamiltonian stored in each way."""
    folder = tmp_path_factory.mktemp("files")
    path = {
        name: folder / f"{name}.nc" for name in ("sample", "couplings", "freeze", "fields", *STORES)
    }
    point = point_from(POINT)
    stages.sample(point, path["sample"])
    stages.couplings(point, path["sample"], path["couplings"])
    stages.freeze(point, path["couplings"], path["freeze"])
    stages.fields(point, path["sample"], path["freeze"], path["fields"])
    for name, stored in STORES.items():
        stages.hamiltonian(
            point_from({**POINT, "hamiltonian": stored}),
            *(path[stage] for stage in ("sample", "couplings", "freeze")),
            path[name],
        )
    return path


def states(number, seed=1):
    return np.random.default_rng(seed).choice((-1.0, 1.0), size=(20, number))


def term_by_term(ising, state):
    """The energy of a state from the definition, in plain Python."""
    energy = sum(f * s for f, s in zip(ising.field, state, strict=True))
    for i, j, coupling in zip(ising.pairs.i, ising.pairs.j, ising.pairs.coupling, strict=True):
        energy += coupling * state[i] * state[j]
    return energy


def test_terms_are_those_of_the_stages(files):
    with (
        dataset.opened(files["dense"]) as made,
        dataset.opened(files["couplings"]) as couplings,
        dataset.opened(files["freeze"]) as frozen,
        dataset.opened(files["fields"]) as fields,
    ):
        for name, source in {"U": couplings, "B": couplings, "S": frozen, "b": fields}.items():
            assert np.array_equal(made.whole(name), source.whole(name))
        J, i, j = made.whole("J"), made.whole("i"), made.whole("j")
        assert np.array_equal(np.array([i, j]), np.triu_indices(N, 1))
        size = np.zeros((3, N))
        for row in range(3):
            np.add.at(size[row], i, np.abs(J[row]))
            np.add.at(size[row], j, np.abs(J[row]))
        assert size == pytest.approx(fields.whole("J_abs"), rel=1e-12)


def test_J_is_the_fourth_derivative_of_the_periodic_function_of_green(files):
    point = point_from(POINT)
    with dataset.opened(files["fields"]) as fields, dataset.opened(files["dense"]) as made:
        zeta, position = fields.row(1, "zeta")[0], made.row(1, "position")[0]
        box = made.whole("box")
    tau = load(files["dense"], realisation=1).ising
    scale = np.ptp(tau.pairs.coupling)
    for pair in range(0, len(tau.pairs.i), 7):
        i, j = tau.pairs.i[pair], tau.pairs.j[pair]
        R = (position[i] - position[j])[None]
        G4 = periodic_green_derivatives(R, 4, point.model.medium, box, boundary="clamped")
        (J,) = gradient_gradient(G4, zeta[i], zeta[j])
        assert tau.pairs.coupling[pair] == pytest.approx(J, rel=1e-8, abs=1e-10 * scale)


def test_the_energy_of_the_frozen_state_is_that_of_the_annealing(files):
    with dataset.opened(files["freeze"]) as frozen:
        S, energy = frozen.whole("S"), frozen.whole("energy")
    for realisation in range(3):
        ising = load(files["dense"], spins="S", realisation=realisation).ising
        assert ising.energy(S[realisation]) == pytest.approx(energy[realisation], rel=1e-12)


@pytest.mark.parametrize("spins", SPINS)
@pytest.mark.parametrize("store", STORES)
def test_energies_are_the_same_in_every_form(files, tmp_path, spins, store):
    ising = load(files[store], spins=spins, realisation=2).ising
    for form in ("bqm", "edges"):
        arguments = ["--spins", spins, "--format", form, "--realisation", "2"]
        output = tmp_path / form
        assert main(["export", str(files[store]), *arguments, "-o", str(output)]) == 0
    with (tmp_path / "bqm").open("rb") as file:
        model = dimod.BinaryQuadraticModel.from_file(file)
    assert model.vartype is dimod.SPIN
    size = len(ising.field)
    assert (model.num_variables, model.num_interactions) == (size, len(ising.pairs.i))
    i, j, value = np.loadtxt(tmp_path / "edges", unpack=True)
    matrix = np.zeros((size, size))
    matrix[i.astype(int), j.astype(int)] = value
    assert len(i) == size + len(ising.pairs.i)
    labels = load(files[store], spins=spins, realisation=2).labels
    for state in states(size):
        expected = pytest.approx(term_by_term(ising, state), rel=1e-12)
        assert ising.energy(state) == expected
        assert model.energy(dict(zip(labels, state, strict=True))) == expected
        above = np.triu(matrix, 1)
        assert state @ above @ state + state @ np.diag(matrix) == expected


@pytest.mark.parametrize("spins", SPINS)
def test_without_a_threshold_nothing_is_lost(files, spins):
    dense, every = (load(files[name], spins=spins, realisation=1) for name in ("dense", "all"))
    for name in ("field", "transverse"):
        assert np.array_equal(getattr(dense.ising, name), getattr(every.ising, name))
    for name in ("i", "j", "coupling"):
        assert np.array_equal(getattr(dense.ising.pairs, name), getattr(every.ising.pairs, name))
    dropped = [value for name, value in every.about.items() if name.endswith("_dropped")]
    assert dropped == [0.0] * {"S": 1, "tau": 1, "both": 3}[spins]


@pytest.mark.parametrize(("spins", "letter"), [("S", "U"), ("tau", "J")])
def test_weak_pairs_are_left_out_and_their_weight_recorded(files, spins, letter):
    with dataset.opened(files["freeze"]) as frozen, dataset.opened(files["pairs"]) as made:
        unit = {"S": frozen.whole("h"), "tau": made.whole("b")}[spins]
        recorded = made.whole(f"{letter}_threshold")
    assert recorded == pytest.approx(0.1 * np.median(np.abs(unit), axis=1), rel=1e-15)
    for realisation in range(3):
        every, some = (
            load(files[name], spins=spins, realisation=realisation) for name in ("dense", "pairs")
        )
        size = np.abs(every.ising.pairs.coupling)
        kept = size >= recorded[realisation]
        assert 0 < kept.sum() < len(kept)
        assert np.array_equal(some.ising.pairs.coupling, every.ising.pairs.coupling[kept])
        assert np.array_equal(some.ising.pairs.i, every.ising.pairs.i[kept])
        assert some.about[f"{letter}_dropped"] == pytest.approx(size[~kept].sum(), rel=1e-12)
        off = every.ising.energy(states(N)) - some.ising.energy(states(N))
        assert np.all(np.abs(off) <= some.about[f"{letter}_dropped"])
        assert np.max(np.abs(off)) > 0


def test_the_edge_list_says_what_it_holds(files, tmp_path):
    main(["export", str(files["pairs"]), "--spins", "S", "-o", str(tmp_path / "edges.txt")])
    text = (tmp_path / "edges.txt").read_text("utf-8")
    header = [line for line in text.splitlines() if line.startswith("#")]
    exported = load(files["pairs"], spins="S")
    for name, value in exported.about.items():
        assert f"# {name}: {value}" in header
    assert header[-1] == "# i j value, in eV"
    tunnelling = [line.split()[2:] for line in header if line.startswith("# transverse ")]
    assert [float(value) for _, value in tunnelling] == exported.ising.transverse.tolist()
    assert [int(i) for i, _ in tunnelling] == list(range(N))
    names = ["i", "j", "value"]
    table = pd.read_csv(io.StringIO(text), sep=" ", comment="#", names=names)
    edges = table[table["i"] != table["j"]]
    assert edges["value"].tolist() == exported.ising.pairs.coupling.tolist()
    assert table["value"][:N].tolist() == exported.ising.field.tolist()


def test_ground_states_are_those_of_another_program(files):
    for spins in ("S", "tau"):
        exported = load(files["dense"], spins=spins)
        field, pairs = exported.ising.field, exported.ising.pairs
        inside = (pairs.i < 12) & (pairs.j < 12)
        few = Pairs(pairs.i[inside], pairs.j[inside], pairs.coupling[inside])
        ising = Ising(field[:12], few, exported.ising.transverse[:12])
        best = dimod.ExactSolver().sample(bqm(replace(exported, ising=ising))).first
        state = [best.sample[defect] for defect in range(12)]
        bits = (np.arange(2**12)[:, None] >> np.arange(12)) & 1
        energies = ising.energy(1 - 2 * bits)
        assert best.energy == pytest.approx(energies.min(), rel=1e-12)
        assert np.array_equal(1 - 2 * bits[np.argmin(energies)], state)


def test_the_whole_is_that_of_the_defects(files):
    """Random states of S and τ, pair by pair and field by field from the defects themselves."""
    point, row = point_from(POINT), 1
    with dataset.opened(files["sample"]) as sample, dataset.opened(files["freeze"]) as frozen:
        position, gamma, eta, D, Delta = sample.row(row, "position", "gamma", "eta", "D", "Delta")
        plus, minus = sample.row(row, "zeta", "zeta_minus")
        box, (S,) = sample.whole("box"), frozen.row(row, "S")
    zeta = frozen_zeta(plus, minus, S)
    defects = Tensors(gamma, eta, zeta)
    i, j = np.nonzero(~np.eye(N, dtype=bool))
    R = position[j] - position[i]
    R -= box * np.round(R / box)
    pairs, about = PairsApart(R, defects[i], defects[j]), {"box": box, "boundary": "spherical"}
    values = {name: pair_couplings(name, pairs, point.model.medium, **about) for name in TERMS}
    exported = load(files["dense"], spins="both", realisation=row)
    assert np.array_equal(exported.ising.transverse, np.hstack([D, Delta]))
    assert exported.labels[N + 3] == ("tau", 3)
    for state in states(2 * N):
        s, tau = state[:N], state[N:]
        energy = (values["U"] * s[i] * s[j] + values["J"] * tau[i] * tau[j]).sum() / 2
        energy += (values["B"] * s[i] + values["U_eta_tau"] * tau[i]).sum()
        energy += (values["U_S_tau"] * tau[i] * s[j]).sum()
        assert exported.ising.energy(state) == pytest.approx(energy, rel=1e-7)
    tau = load(files["dense"], spins="tau", realisation=row).ising
    whole = exported.ising
    with_S = [whole.energy(np.hstack([S, t])) - whole.energy(np.hstack([S, -t])) for t in states(N)]
    assert with_S == pytest.approx([tau.energy(t) - tau.energy(-t) for t in states(N)])


def test_what_cannot_be_exported(files, tmp_path, capsys, monkeypatch):
    output = tmp_path / "out"

    def line(*arguments):
        assert main(["export", *map(str, arguments), "-o", str(output)]) == 2
        (found,) = capsys.readouterr().err.splitlines()
        assert not output.exists()
        return found

    assert "number 3 is wanted" in line(files["dense"], "--realisation", 3)
    assert "'hamiltonian' is needed" in line(files["fields"])
    monkeypatch.setitem(sys.modules, "dimod", None)
    assert "needs the package dimod" in line(files["dense"], "--format", "bqm")
    assert main(["export", str(files["dense"]), "-o", str(output)]) == 0


def test_a_file_of_another_threshold_is_refused(files):
    point = point_from({**POINT, "hamiltonian": {"store": "pairs", "threshold": 0.2}})
    with (
        pytest.raises(DataError, match=r"hamiltonian.threshold is 0.1 there and 0.2 here"),
        dataset.stage_file(files["pairs"], part(point, "hamiltonian")),
    ):
        pass


def test_a_point_that_stores_none_is_refused(files, tmp_path, capsys):
    """The file's form stands in the point alone, so there is none to fall back on."""
    (tmp_path / "point.json").write_text(json.dumps(POINT), "utf-8")
    inputs = (files[name] for name in ("sample", "couplings", "freeze"))
    arguments = [tmp_path / "point.json", *inputs, "-o", tmp_path / "made.nc"]
    assert main(["hamiltonian", *map(str, arguments)]) == 2
    line = (
        "glasspipe hamiltonian: hamiltonian.store: found none in the point; allowed: dense, pairs"
    )
    assert capsys.readouterr().err.splitlines() == [line]
    assert not (tmp_path / "made.nc").exists()


def test_the_section_concerns_no_other_file():
    plain, stored = (point_from({**POINT, **more}) for more in ({}, {"hamiltonian": STORES["all"]}))
    for stage in ("sample", "couplings", "freeze", "fields"):
        assert part(plain, stage).hash == part(stored, stage).hash
    assert part(plain, "hamiltonian").hash != part(stored, "hamiltonian").hash
    assert json.dumps(part(stored, "hamiltonian").sections["hamiltonian"])
