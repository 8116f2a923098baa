rule freeze:
    input:
        point="<results>/data/freeze/{part}/point.json",
        couplings=chunk_of("freeze", "couplings"),
    output:
        "<results>/data/freeze/{part}/{chunk}.nc",
    log:
        "<logs>/freeze/{part}/{chunk}.log",
    benchmark:
        "<benchmarks>/freeze/{part}/{chunk}.tsv"
    priority: 2
    conda:
        "../envs/glasspipe.yaml"
    threads: 1
    resources:
        mem_mb=memory("freeze"),
        runtime=minutes("freeze"),
    params:
        code=code_hash("freeze"),
    shell:
        "glasspipe freeze {input.point:q} {input.couplings:q}"
        " --output {output:q} 2>&1 | tee {log:q} >&2"
