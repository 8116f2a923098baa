rule hamiltonian:
    input:
        point="<results>/data/hamiltonian/{part}/point.json",
        realisations=chunk_of("hamiltonian", "sample"),
        couplings=chunk_of("hamiltonian", "couplings"),
        frozen=chunk_of("hamiltonian", "freeze"),
    output:
        "<results>/data/hamiltonian/{part}/{chunk}.nc",
    log:
        "<logs>/hamiltonian/{part}/{chunk}.log",
    benchmark:
        "<benchmarks>/hamiltonian/{part}/{chunk}.tsv"
    priority: 3
    conda:
        "../envs/glasspipe.yaml"
    threads: 1
    resources:
        mem_mb=memory("hamiltonian"),
        runtime=minutes("hamiltonian"),
    params:
        code=code_hash("hamiltonian"),
    shell:
        "glasspipe hamiltonian {input.point:q} {input.realisations:q} {input.couplings:q}"
        " {input.frozen:q} --output {output:q} 2>&1 | tee {log:q} >&2"
