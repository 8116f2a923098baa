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
    params:
        code=code_hash("fields"),
    conda:
        "../envs/glasspipe.yaml"
    threads: 1
    shell:
        "glasspipe fields {input.point:q} {input.realisations:q} {input.frozen:q}"
        " --output {output:q} 2>&1 | tee {log:q}"
