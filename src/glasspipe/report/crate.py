"""A finished study as a Workflow Run RO-Crate: its files, and the run that made them.

An archive reads one file, `ro-crate-metadata.json`, to know what a folder holds. It names each
result with its checksum, the workflow and the config that made it, and when that was. Nothing of
the time of writing is in it, so that the same results have the same description.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import file_digest
from importlib.metadata import metadata
from importlib.resources import files as package_files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from glasspipe.errors import DataError
from glasspipe.files import results
from glasspipe.files.dataset import git_revision, opened, replacing
from glasspipe.files.record import Record, read_record
from glasspipe.report.contents import figures_of, tables_of
from glasspipe.report.observable import Results
from glasspipe.report.style import style_of
from glasspipe.settings.study import Study
from glasspipe.stages import STAGES, forecast, stages_of, study_files
from glasspipe.stages.work import RECORDS

if TYPE_CHECKING:
    from rocrate.model.file import File
    from rocrate.rocrate import ROCrate

METADATA = "ro-crate-metadata.json"
CONFIG = "config.yaml"
SNAKEFILE = "Snakefile"
_PAPER = "https://doi.org/10.1088/0953-8984/20/24/244136"
_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
_TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
"""What RO-Crate itself has no word for."""
_FORMATS = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".nc": "application/netcdf",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".rst": "text/x-rst",
    ".svg": "image/svg+xml",
    ".tex": "text/x-tex",
    ".yaml": "application/yaml",
}


def write_crate(folder: Path, *, licence: str | None = None) -> int:
    """Describe a study in its folder; return how many results there are.

    Beside the description it writes the config and the Snakefile that make the study anew.

    Parameters
    ----------
    folder : Path
        The study's folder.
    licence : str, optional
        Under which the results may be used.

    Raises
    ------
    ConfigError
        If the folder is not a study's.
    DataError
        If the study is not finished, a file is damaged, or the package rocrate is not installed.
    """
    try:
        from rocrate.rocrate import ROCrate
    except ImportError:
        raise DataError(
            "a crate needs the package rocrate; `pip install rocrate` installs it"
        ) from None
    files = study_files.load(folder)
    study = files.study
    names = list(dict.fromkeys(_result_files(study)))
    for name in names:
        _check(folder / name)
    found = Results(folder)
    results.check_tables(folder)
    _ = found.summary, *map(found.curves, results.MERGED)  # of this config, or they say so
    for point in study.points:
        results.read_point(folder, point.name, point_hash=point.hash)
    for name, text in (
        (CONFIG, yaml.safe_dump(study_files.written(files.config), sort_keys=False)),
        (SNAKEFILE, (package_files("glasspipe") / "template" / SNAKEFILE).read_text("utf-8")),
    ):
        with replacing(folder / name) as temporary:
            temporary.write_text(text, "utf-8")
    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms.update(_TERMS)
    _describe(crate, folder, study, names, licence)
    with replacing(folder / METADATA) as temporary:
        text = json.dumps(crate.metadata.generate(), indent=1, ensure_ascii=False)
        temporary.write_text(f"{text}\n", "utf-8")
    return len(names)


def _result_files(study: Study) -> Iterator[str]:
    """Yield the results of a study, in its folder."""
    yield from (study_files.STUDY_FILE, *results.OF_STUDY, results.CLAIMS, results.CLAIMS_TEXT)
    yield results.PAGE
    for point in study.points:
        yield f"{results.DEFECTS}/{point.name}.parquet"
        yield f"{results.POINTS}/{point.name}.nc"
        for stage in stages_of(study):
            if not stage.temporary:
                yield from study_files.point_files(study, point, stage)
    kinds = (*style_of(study.config).formats, "rst")
    for figure in figures_of(study.config):
        yield from (f"figures/{figure.name}.{kind}" for kind in kinds)
    for table in tables_of(study.config):
        yield from (f"tables/{table.name}.{kind}" for kind in ("csv", "tex"))


def _check(path: Path) -> None:
    if not path.is_file():
        raise DataError(f"{path}: no such file; {study_files.RUN} finishes the study")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: empty; {study_files.RUN} makes it again once it is deleted")
    if path.suffix == ".nc":
        with opened(path, ours=True):
            pass


def _describe(
    crate: "ROCrate", folder: Path, study: Study, names: list[str], licence: str | None
) -> None:
    """Fill a crate: the folder, the workflow, its run, and what that read and made."""
    root, records = crate.root_dataset, _records(study, folder)
    ended = max(_ended(record) for record in records)
    root["name"] = f"glasspipe study {study.name}"
    root["description"] = (
        f"{metadata('glasspipe')['Summary']}: points {len(study.points)}, realisations of each"
        f" {study.realisations}."
    )
    root["license"] = licence or "No licence was granted."
    root["datePublished"] = ended
    run = _entity(
        crate,
        "#run",
        "CreateAction",
        name=f"Run of the study {study.name}",
        description=f"{len(records)} jobs, {sum(record.cpu_s for record in records):.4g} s of CPU",
        startTime=min(record.started for record in records),
        endTime=ended,
        actionStatus="http://schema.org/CompletedActionStatus",
    )
    run["instrument"] = _workflow(crate, folder)
    run["object"] = _file(crate, folder, CONFIG, "The study, complete.")
    run["result"] = [_file(crate, folder, name, _about(folder, name)) for name in names]
    root["mentions"] = run
    root["conformsTo"] = [
        _entity(crate, profile, "CreativeWork", name=name, version=profile.rpartition("/")[2])
        for profile, name in _PROFILES.items()
    ]


def _records(study: Study, folder: Path) -> list[Record]:
    """Return what the jobs of a study took."""
    found = (read_record(folder / file) for file, _ in forecast.loads(study))
    records = [record for record in found if record is not None]
    if not records:
        raise DataError(f"{folder / RECORDS}: says of no job when it ran")
    return records


def _ended(record: Record) -> str:
    """Return when a job ended, as it says when it started."""
    started = datetime.fromisoformat(record.started)
    return (started + timedelta(seconds=round(record.wall_s))).strftime("%Y-%m-%dT%H:%M:%SZ")


def _about(folder: Path, name: str) -> str:
    """Return what a file shows or holds, as far as something says it."""
    kind, _, rest = name.partition("/")
    if kind == "figures":
        return (folder / name).with_suffix(".rst").read_text("utf-8").strip()
    return STAGES[rest.partition("/")[0]].about if kind == "data" else ""


def _workflow(crate: "ROCrate", folder: Path) -> Any:
    """Add the workflow, by whom it is, and the paper that it is about."""
    about = _sizes(folder / SNAKEFILE)
    workflow = crate.add_workflow(
        folder / SNAKEFILE, SNAKEFILE, main=True, lang="snakemake", properties=about
    )
    workflow["name"] = "glasspipe"
    workflow["version"] = f"{metadata('glasspipe')['Version']}, revision {git_revision()}"
    people = metadata("glasspipe")["Author"]
    workflow["author"] = _entity(crate, "#authors", "Organization", name=people)
    workflow["citation"] = _entity(
        crate, _PAPER, "ScholarlyArticle", name="What are the interactions in quantum glasses?"
    )
    return workflow


def _entity(crate: "ROCrate", identity: str, kind: str, **properties: Any) -> Any:
    from rocrate.model.contextentity import ContextEntity

    return crate.add(ContextEntity(crate, identity, {"@type": kind, **properties}))


def _file(crate: "ROCrate", folder: Path, name: str, about: str) -> "File":
    described = {"description": about} if about else {}
    properties = {"name": name, **described, **_sizes(folder / name)}
    return crate.add_file(folder / name, name, properties=properties)


def _sizes(path: Path) -> dict[str, str]:
    """Return the size, checksum and format of a file."""
    with path.open("rb") as file:
        digest = file_digest(file, "sha256")
    return {
        "contentSize": str(path.stat().st_size),
        "sha256": digest.hexdigest(),
        "encodingFormat": _FORMATS.get(path.suffix, "text/plain"),
    }
