"""A finished study is described for archives, every file with its checksum."""

import json
from hashlib import sha256

import pytest
from rocrate.rocrate import ROCrate

from glasspipe.cli import main
from glasspipe.report.crate import CONFIG, METADATA, SNAKEFILE
from glasspipe.settings.study import load_study
from glasspipe.stages import study_files

OWN = {METADATA, CONFIG, SNAKEFILE}
NOT_RESULTS = {"benchmarks", "logs", ".lock"}


def names(folder):
    """The files below a folder, but logs and records of jobs."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(file) for file in files if file.parts[0] not in NOT_RESULTS} - {METADATA}


def inputs(folder):
    """What stages read beside files."""
    return {str(path.relative_to(folder)) for path in folder.glob("data/*/*/point.json")}


def references(value):
    """Yield what is pointed to in JSON-LD."""
    if isinstance(value, list):
        for one in value:
            yield from references(one)
    elif isinstance(value, dict):
        yield value["@id"]


def test_every_result_is_named_with_its_checksum(copied, capsys):
    folder = copied.results
    made = names(folder) - inputs(folder)
    assert main(["crate", str(folder), "--licence", "CC0-1.0"]) == 0
    assert capsys.readouterr().out == f"{folder / METADATA}: {len(made)} results\n"
    graph = json.loads((folder / METADATA).read_text("utf-8"))["@graph"]
    files = {one["@id"]: one for one in graph if "File" in one["@type"]}
    assert files.keys() == made | {CONFIG, SNAKEFILE} == names(folder) - inputs(folder)
    for name, about in files.items():
        content = (folder / name).read_bytes()
        assert about["sha256"] == sha256(content).hexdigest()
        assert int(about["contentSize"]) == len(content)
    known = {one["@id"] for one in graph}
    pointed = {at for one in graph for value in one.values() for at in references(value)}
    assert {at for at in pointed - known if not at.startswith("https://")} == set()
    [run] = [one for one in graph if one["@type"] == "CreateAction"]
    assert {each["@id"] for each in run["result"]} == made
    assert run["startTime"] < run["endTime"]


def test_a_crate_can_be_read_and_made_anew(copied):
    assert main(["crate", str(copied.results)]) == 0
    crate = ROCrate(copied.results)
    assert crate.mainEntity.id == SNAKEFILE
    assert crate.license == "No licence was granted."
    study = load_study(copied.results / CONFIG)
    assert study.config == study_files.load(copied.results).config
    before = {name: (copied.results / name).read_bytes() for name in OWN}
    assert main(["crate", str(copied.results)]) == 0
    assert before == {name: (copied.results / name).read_bytes() for name in OWN}


def flip(path):
    """Change a bit of a page, which only its readers notice."""
    content = bytearray(path.read_bytes())
    content[len(content) // 4] ^= 1
    path.write_bytes(content)


def other_config(path):
    """As after a run of another config that did not come to its results."""
    text = path.read_text("utf-8")
    assert '"bootstrap": 10' in text
    path.write_text(text.replace('"bootstrap": 10', '"bootstrap": 11'), "utf-8")


@pytest.mark.parametrize(
    ("file", "damage", "why"),
    [
        ("figures/*.pdf", lambda path: path.unlink(), ".pdf: no such file; `snakemake"),
        ("data/fields/*/*.nc", lambda path: path.unlink(), ".nc: no such file; `snakemake"),
        ("points/*.nc", lambda path: path.write_bytes(b"x"), "truncated, changed or not written"),
        ("summary.parquet", lambda path: path.unlink(), "summary.parquet: no such file; "),
        ("defects.parquet/*.parquet", flip, ".parquet: it is not what was written; delete it"),
        ("study.json", other_config, "summary.parquet: made for another config of the study"),
    ],
)
def test_what_is_not_finished_or_damaged_is_refused(copied, capsys, file, damage, why):
    damage(next(copied.results.glob(file)))
    assert main(["crate", str(copied.results)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("glasspipe crate: ")
    assert why in line
    assert not OWN & {path.name for path in copied.results.iterdir()}
