"""Results are the same bytes with any number of threads, and however work is cut."""

import json
import threading
from time import sleep

import numpy as np
import pytest
from arrays import MEDIA, system

from glasspipe import threads as module
from glasspipe.cli import main
from glasspipe.elastic import mesh, near, near_sums, neighbours, reciprocal
from glasspipe.elastic.mesh import Split
from glasspipe.elastic.sharing import Share
from glasspipe.elastic.window import Bell, Window
from glasspipe.spins.annealing import freeze
from glasspipe.system.couplings import couplings
from glasspipe.system.fields import fields
from glasspipe.system.spin_tau import spin_tau_couplings
from glasspipe.threads import cut, each, in_parts, threads

NUMBER, BOX = 70, np.array([14.0, 15.0, 17.0])


def some(medium, symmetric=True):
    """Defects of no symmetry but that of ζ."""
    random = np.random.default_rng(5)
    gamma = random.normal(size=(NUMBER, 3, 3))
    gamma += gamma.swapaxes(1, 2)
    zeta = random.normal(size=(NUMBER, 3, 3, 3))
    orders = ("iabc", "iacb", "ibac", "ibca", "icab", "icba") if symmetric else ("iabc", "iacb")
    zeta = sum(np.einsum(f"{order}->iabc", zeta) for order in orders)
    position = (np.argwhere(np.ones((4, 4, 5)))[:NUMBER] + 0.3 * random.random((NUMBER, 3))) * 3.3
    eta = random.normal(size=NUMBER)
    about = {"box": BOX, "medium": MEDIA[medium], "boundary": "spherical"}
    return system(position, gamma, eta, zeta, **about), random.choice((-1.0, 1.0), NUMBER)


def bytes_of(made):
    arrays = made if isinstance(made, tuple) else vars(made).values()
    return b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)


def near_of(medium, symmetric):
    made, S = some(medium, symmetric)
    window = Bell(18.0) if medium == "KBr" else Window(0.22, 20.0)
    split = Split(made.medium, tuple(BOX), 4.5, window)
    order = np.argsort(neighbours.Cells(BOX, 4.5).of(made.position), kind="stable")
    t = made.tensors
    frozen = t.gamma * S[:, None, None]
    B = near_sums.near_strains(made.position, t.gamma, t.P, split, order)
    of_tau = frozen, t.P, t.zeta, S
    return B, *vars(near_sums.near_fields(made.position, *of_tau, split, order)).values()


def mesh_of(medium, indices):
    made, S = some(medium)
    split = Split(
        made.medium, tuple(BOX), 5.5, Bell(14.0) if medium == "KBr" else Window(0.2, 12.0)
    )
    shape = (50, 18, 20)
    fine = mesh.Mesh(split, "spherical", shape, Share(10), "f8", (indices, indices))
    tensors = made.tensors.gamma if indices == 2 else made.tensors.zeta
    mesh._green.cache_clear()
    return (fine.field(made.position, tensors, tensors, factors=S),)


def annealed(medium, _):
    made, _ = some(medium)
    found, U = couplings(made), np.zeros((NUMBER, NUMBER))
    U[np.triu_indices(NUMBER, 1)] = found.U
    about = {"sweeps": 20, "steps": 5, "schedule": "geometric", "t_start": 5.0, "t_end": 0.1}
    made = freeze(U + U.T, found.B, key=3, replicas=5, **about)
    return made.S, made.h, made.replica_S, made.trace_energy, made.overlap, made.acceptance


SUMS = {
    "couplings": lambda medium, _: couplings(some(medium)[0]),
    "fields": lambda medium, symmetric: fields(*some(medium, symmetric), np.ones(NUMBER)),
    "spin and tau": lambda medium, symmetric: (spin_tau_couplings(some(medium, symmetric)[0]),),
    "near sums": near_of,
    "mesh of dipoles": lambda medium, _: mesh_of(medium, 2),
    "mesh of gradients": lambda medium, _: mesh_of(medium, 3),
    "replicas": annealed,
}


@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("name", SUMS)
def test_sums_are_the_same_with_any_number_of_threads(name, medium):
    symmetric = medium == "KBr_cubic"
    found = []
    for number in (1, 2, 3):
        with threads(number):
            found.append(bytes_of(SUMS[name](medium, symmetric)))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("name", ["couplings", "fields", "near sums", "mesh of dipoles"])
def test_sums_in_one_piece(name, monkeypatch):
    """What two pieces shared, or none had, would be there twice, or not."""
    cut_up = SUMS[name]("KBr", False)
    for cutting in (mesh, near, near_sums, neighbours, reciprocal):
        monkeypatch.setattr(cutting, "cut", lambda length, _=1: [(0, length)])
    whole = SUMS[name]("KBr", False)
    for one, other in zip(
        *(made if isinstance(made, tuple) else vars(made).values() for made in (cut_up, whole)),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-13 * np.abs(other).max())


COMMANDS = ("sample", 0), ("couplings", 0, 1), ("freeze", 1, 2), ("fields", 0, 2, 3)


@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("store", ["float64", "implicit"])
def test_files_are_the_same_with_any_number_of_threads(tmp_path, medium, store):
    point = {
        "medium": medium,
        "couplings": {"store": store, "accuracy": 1e-3},
        "defects": {"number": 30, "species": "rotor"},
        "freeze": {"sweeps": 20, "steps": 10, "replicas": 2},
        "realisations": 1,
    }
    made = []
    for number in (1, 2, 3):
        files = [tmp_path / f"{name}{number}.nc" for name in ("sample", "U", "S", "b")]
        (tmp_path / "point.json").write_text(json.dumps(point))
        for name, *read in COMMANDS:
            *inputs, output = (str(files[k]) for k in read)
            asked = ["--output", output, "--threads", str(number)]
            assert main([name, str(tmp_path / "point.json"), *inputs, *asked]) == 0
        made.append([file.read_bytes() for file in files])
    assert made[0] == made[1] == made[2]


def test_ranges_make_up_the_whole():
    for length in (0, 1, 5, 31, 32, 33, 1000):
        for pieces in (0, 1, 7, module.PIECES, 1000):
            ranges = cut(length, pieces)
            covered = [k for first, last in ranges for k in range(first, last)]
            assert covered == list(range(length))
            assert len(ranges) == max(1, min(pieces, length, module.PIECES))


def test_pieces_run_at_once_and_are_put_together_in_order():
    meeting = threading.Barrier(3, timeout=30)

    def work(first, last, part):
        meeting.wait()
        sleep(0.02 * (3 - first))
        part[first:last] = first + 1

    with threads(3):
        parts = in_parts(work, cut(3), (3,))
    np.testing.assert_array_equal(parts, np.diag([1.0, 2.0, 3.0]))


@pytest.mark.parametrize("number", [1, 2])
def test_a_mistake_in_a_piece_is_raised(number):
    def work(first, _):
        if first == 3:
            raise RuntimeError("here")

    with threads(number), pytest.raises(RuntimeError, match="here"):
        each(work, cut(5))


def test_threads_last_as_long_as_their_block():
    with threads(3):
        assert module.number() == 3
        each(lambda *_: None, cut(4))
    assert module.number() == 1
    with pytest.raises(ValueError, match="found 0; allowed: 1 or more"), threads(0):
        pass
