rule freeze:
    input:
        point="<results>/data/freeze/{part}/point.json",
        hamiltonian=chunk_of("freeze", "couplings"),
    output:
        "<results>/data/freeze/{part}/{chunk}.nc",
    log:
        "<logs>/freeze/{part}/{chunk}.log",
    benchmark:
        "<benchmarks>/freeze/{part}/{chunk}.tsv"
    params:
        code=code_hash("freeze"),
    conda:
        "../envs/glasspipe.yaml"
    threads: 1
    shell:
        "glasspipe freeze {input.point:q} {input.hamiltonian:q}"
        " --output {output:q} 2>&1 | tee {log:q}"
