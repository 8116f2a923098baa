# `snakemake --cores 2` runs config/config.yaml; `--configfile FILE` runs another study.
# The workflow is that of the glasspipe which is installed beside Snakemake.
from importlib.resources import files


include: str(files("glasspipe") / "workflow" / "Snakefile")


rule study:  # an included default target is none
    default_target: True
    input:
        rules.all.input,
