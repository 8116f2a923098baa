rule report:
    input:
        study=ancient("<results>/study.json"),
        tables=rules.aggregate.output,
    output:
        directory("<results>/tables"),
        directory("<results>/figures"),
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
        code=code_hash("report"),
        folder=folder,
    shell:
        "glasspipe report {params.folder:q} 2>&1 | tee {log:q} >&2"
