FIGURES = (
    "typical_and_width",
    "fields_against_x",
    "distribution_B",
    "distribution_b_tau",
    "energy_temperature",
    "freezing",
    "freezing_temperature",
    "overlap_distribution",
    "random_field",
    "energy_sweeps",
    "couplings_distance",
    "tau_ratios",
    "free_spins",
    "levels",
)

TABLES = ("summary", "fields", "fits", "freezing", "sweeps", "strengths", "tunnelling")


rule report:
    input:
        study=ancient("<results>/study.json"),
        aggregate=rules.aggregate.output,
    output:
        tables=expand(
            "<results>/tables/{name}.{kind}",
            name=TABLES,
            kind=["csv", "tex"],
        ),
        figures=[
            report(
                f"<results>/figures/{name}.png",
                caption=f"../report/{name}.rst",
                category="Figures",
                labels={"figure": name.replace("_", " ")},
            )
            for name in FIGURES
        ],
        vector_figures=expand("<results>/figures/{name}.pdf", name=FIGURES),
    log:
        "<logs>/report.log",
    benchmark:
        "<benchmarks>/report.tsv"
    conda:
        "../envs/glasspipe.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_hash("glasspipe.report.summary"),
        folder=folder,
    shell:
        "glasspipe report {params.folder:q} 2>&1 | tee {log:q} >&2"
