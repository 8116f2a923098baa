rule fields:
    input:
        point="<results>/data/fields/{part}/point.json",
        realisations=chunk_of("fields", "sample"),
        frozen=chunk_of("fields", "freeze"),
    output:
        "<results>/data/fields/{part}/{chunk}.nc",
    log:
        "<logs>/fields/{part}/{chunk}.log",
    benchmark:
        "<benchmarks>/fields/{part}/{chunk}.tsv"
    priority: 3
    conda:
        "../envs/glasspipe.yaml"
    threads: 1
    resources:
        mem_mb=memory("fields"),
        runtime=minutes("fields"),
    params:
        code=code_hash("fields"),
    shell:
        "glasspipe fields {input.point:q} {input.realisations:q} {input.frozen:q}"
        " --output {output:q} 2>&1 | tee {log:q} >&2"
