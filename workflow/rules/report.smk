FIGURES = [figure.name for figure in figures_of(STUDY.config)]
KINDS = [kind for kind in style_of(STUDY.config).formats if kind != "png"]


rule report:
    input:
        rules.aggregate.output,
    output:
        page="<results>/report.html",
        claims=expand("<results>/claims.{kind}", kind=["csv", "md"]),
        tables=expand(
            "<results>/tables/{name}.{kind}",
            name=[table.name for table in tables_of(STUDY.config)],
            kind=["csv", "tex"],
        ),
        figures=[
            report(
                f"<results>/figures/{name}.png",
                caption=f"{Path(FOLDER).resolve()}/figures/{name}.rst",
                category="Figures",
                labels={"figure": name.replace("_", " ")},
            )
            for name in FIGURES
        ],
        vector_figures=expand("<results>/figures/{name}.{kind}", name=FIGURES, kind=[*KINDS, "rst"]),
    log:
        "<logs>/report.log",
    conda:
        environment
    threads: 1
    resources:
        mem_mb=memory_for(lambda wildcards: forecast.reporting(STUDY)),
        runtime=time_for(lambda wildcards: forecast.reporting(STUDY)),
    params:
        code=code_hash("glasspipe.report.writing"),
        look=STUDY.config["report"],
        folder=lambda wildcards: FOLDER,
        record=record(forecast.REPORT),
    shell:
        "glasspipe report {params.folder:q} --record {params.record:q} 2>&1 | tee {log:q} >&2"
