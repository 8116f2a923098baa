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
    params:
        code=code_hash("couplings"),
    conda:
        "../envs/glasspipe.yaml"
    threads: 1
    shell:
        "glasspipe couplings {input.point:q} {input.realisations:q}"
        " --output {output:q} 2>&1 | tee {log:q}"
