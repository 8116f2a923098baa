import sys
from pathlib import Path

from glasspipe import layout, plan
from glasspipe.config import POINT_NAME, STAGES, ConfigError, study_from
from glasspipe.provenance import code_hash
from glasspipe.reading import read_mapping

BIN = Path(sys.executable).parent
shell.prefix('set -euo pipefail; PATH={BIN:q}:"$PATH"; ')


def read_study():
    """Return the study, or stop with one line."""
    try:
        for path in workflow.configfiles:
            read_mapping(path)  # refuses what Snakemake's reader lets pass: a key twice
        return study_from(config)
    except ConfigError as error:
        sys.exit(f"glasspipe: {error}")


STUDY = read_study()
FOLDER = layout.study_folder(STUDY)
PARTS = {stage: layout.parts(STUDY, stage) for stage in STAGES}
CHUNKS = layout.chunks(STUDY)

if workflow.is_main_process:
    for line in STUDY.warnings:
        print(f"warning: {line}", file=sys.stderr)
    layout.write(STUDY, FOLDER)


pathvars:
    results=FOLDER,
    logs=f"{FOLDER}/logs",
    benchmarks=f"{FOLDER}/benchmarks",


wildcard_constraints:
    part=POINT_NAME,
    point=POINT_NAME,
    chunk=layout.CHUNK_NAME,


def chunk_of(stage, earlier):
    """Return the input function for what a stage reads of an earlier one."""

    def file(wildcards):
        part = PARTS[stage][wildcards.part].of(earlier)
        return f"{FOLDER}/{part.chunk_file(wildcards.chunk)}"

    return file
