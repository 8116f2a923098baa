"""Tables of theory are made once, and a store changes no number."""

import os
import pickle
import time
from pathlib import Path

import numpy as np
import pytest

from glasspipe.elastic.medium import PRESETS
from glasspipe.files import tables
from glasspipe.files.provenance import source_files
from glasspipe.files.seal import seal
from glasspipe.files.tables import TableFolder
from glasspipe.settings.study import study_from
from glasspipe.theory import neighbours
from glasspipe.theory.field_law import field_law
from glasspipe.theory.population import Population
from glasspipe.theory.tables import kept_in, table

CALLS = []
package = Path(neighbours.__file__).parents[1]


def squared(number):
    CALLS.append(number)
    return np.array([number**2])


def test_every_maker_of_tables_counts():
    """Or tables of old code would be taken for those of new code."""
    counted = {path for module in tables.MAKERS for path in source_files(module)}
    making = [path for path in package.rglob("*.py") if "\n@table(" in path.read_text("utf-8")]
    assert len(making) > 2
    assert counted.issuperset(making)


def fresh():
    """The function as another process would have it, nothing in memory."""
    CALLS.clear()
    return table(4)(squared)


def test_a_table_is_made_once_for_all_processes(tmp_path):
    store = TableFolder(tmp_path / "tables")
    for _ in range(2):
        with kept_in(store):
            assert fresh()(3) == [9]
    assert CALLS == []
    with kept_in(store):
        assert fresh()(3.0) == [9]  # prints otherwise
    assert CALLS == [3.0]
    assert fresh()(3) == [9]  # without a store
    assert CALLS == [3]


@pytest.mark.parametrize("damage", ["truncated", "flipped", "foreign"])
def test_a_damaged_table_is_made_again(tmp_path, damage):
    store = TableFolder(tmp_path)
    with kept_in(store):
        fresh()(3)
    [path] = tmp_path.iterdir()
    whole = path.read_bytes()
    flipped = whole[:20] + bytes([whole[20] ^ 1]) + whole[21:]
    path.write_bytes({"truncated": whole[:-9], "flipped": flipped, "foreign": b"no table"}[damage])
    with kept_in(store):
        assert fresh()(3) == [9]
    assert CALLS == [3]
    assert path.read_bytes() == whole


class Foreign:
    """What runs when it is read."""

    def __reduce__(self):
        return CALLS.append, (-1,)


def test_a_table_of_somebody_else_runs_nothing(tmp_path):
    store = TableFolder(tmp_path)
    with kept_in(store):
        fresh()(3)
        [path] = tmp_path.iterdir()
        for content in (pickle.dumps(Foreign()), pickle.dumps(TableFolder(tmp_path)), b""):
            path.write_bytes(content)
            seal(path)
            assert fresh()(3) == [9]
            assert CALLS == [3]


def test_a_folder_that_cannot_be_written_costs_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    with kept_in(TableFolder(tmp_path / "file" / "tables")):
        assert fresh()(3) == [9]


def test_tables_of_other_code_are_apart_and_go_when_they_are_old(tmp_path, monkeypatch):
    monkeypatch.setenv(tables.VARIABLE, str(tmp_path))
    monkeypatch.setattr(tables, "versions", lambda: "another numpy")
    tables.tables.cache_clear()
    other = tables.tables()
    monkeypatch.undo()
    tables.tables.cache_clear()
    assert other.path.parent == tmp_path
    assert tables.tables().path.name != other.path.name
    young, old, users = (tmp_path / name for name in ("0" * 16, "f" * 16, "thesis"))
    for folder in (young, old, users):
        folder.mkdir()
    for folder in (old, users):
        os.utime(folder, (time.time() - 40 * 86400,) * 2)
    with kept_in(other):
        fresh()(3)
    assert young.is_dir()
    assert users.is_dir()
    assert not old.exists()


@pytest.mark.parametrize("medium", ["KBr", "KBr_cubic"])
def test_a_law_of_kept_tables_is_the_same_to_the_bit(tmp_path, medium):
    model = study_from({"study": "kept", "defects": {"number": 50}}).points[0].model

    def law():
        for name in ("_pair_fields", "_continua", "_infinite_sums", "_power_sums"):
            getattr(neighbours, name).cache_clear()
        field_law.cache_clear()
        found = field_law(
            "b_gamma",
            population=Population(model.mixture),
            medium=PRESETS[medium].medium,
            lattice=model.lattice,
            defects=50,
        )
        return [found.statistic(name) for name in ("std", "kurtosis", "median_abs", "q95")]

    expected = law()
    with kept_in(TableFolder(tmp_path)):
        assert law() == expected
        made = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
        assert len(made) >= 3
        assert law() == expected
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == made
