# `snakemake --cores 2` runs config/config.yaml; `--configfile FILE` runs another study.


include: "workflow/Snakefile"


rule all:
    default_target: True
    input:
        [f"{FOLDER}/{part.chunk_file(c)}" for part in PARTS["fields"].values() for c in CHUNKS],
