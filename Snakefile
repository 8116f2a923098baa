# `snakemake --cores 2` runs config/config.yaml; `--configfile FILE` runs another study.


include: "workflow/Snakefile"


rule study:  # an included default target is none
    default_target: True
    input:
        rules.all.input,
