rule couplings:
    input:
        point="<results>/data/couplings/{part}/point.json",
        realisations=chunk_of("couplings", "sample"),
    output:
        temp("<results>/data/couplings/{part}/{chunk}.nc"),
    log:
        "<logs>/couplings/{part}/{chunk}.log",
    benchmark:
        "<benchmarks>/couplings/{part}/{chunk}.tsv"
    priority: 1
    conda:
        "../envs/glasspipe.yaml"
    threads: 1
    resources:
        mem_mb=memory("couplings"),
        runtime=minutes("couplings"),
    params:
        code=code_hash("couplings"),
    shell:
        "glasspipe couplings {input.point:q} {input.realisations:q}"
        " --output {output:q} 2>&1 | tee {log:q} >&2"
