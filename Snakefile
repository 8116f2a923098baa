# `snakemake --cores 2` runs config/config.yaml; `--configfile FILE` runs another study.


include: "workflow/Snakefile"


rule all:
    default_target: True
    input:
        rules.report.output,
        KEPT,
