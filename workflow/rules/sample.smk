rule sample:
    input:
        point="<results>/data/sample/{part}/point.json",
        source=source_of,
    output:
        "<results>/data/sample/{part}/{chunk}.nc",
    log:
        "<logs>/sample/{part}/{chunk}.log",
    benchmark:
        "<benchmarks>/sample/{part}/{chunk}.tsv"
    priority: largest_first
    conda:
        "../envs/glasspipe.yaml"
    threads: 1
    resources:
        mem_mb=memory("sample"),
        runtime=minutes("sample"),
    params:
        code=code_hash("sample"),
        first=lambda wildcards: CHUNKS[wildcards.chunk][0],
        number=lambda wildcards: CHUNKS[wildcards.chunk][1],
    shell:
        "glasspipe sample {input.point:q} --first {params.first} --count {params.number}"
        " --output {output:q} 2>&1 | tee {log:q} >&2"
