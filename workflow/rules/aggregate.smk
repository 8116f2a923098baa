rule aggregate_point:
    input:
        files_of_point,
    output:
        defects="<results>/defects.parquet/{point}.parquet",
        statistics="<results>/points/{point}.nc",
    log:
        "<logs>/aggregate_point/{point}.log",
    priority: 4
    conda:
        environment
    threads: 1
    resources:
        mem_mb=memory_for(lambda wildcards: forecast.merging(STUDY, POINTS[wildcards.point])),
        runtime=time_for(lambda wildcards: forecast.merging(STUDY, POINTS[wildcards.point])),
    params:
        code=code_hash("glasspipe.report.aggregate"),
        settings=lambda wildcards: SETTINGS[wildcards.point],
        folder=folder,
        record=record(forecast.MERGE),
    shell:
        "glasspipe aggregate {params.folder:q} --point {wildcards.point:q}"
        " --record {params.record:q} 2>&1 | tee {log:q} >&2"


rule aggregate:
    input:
        defects=expand("<results>/defects.parquet/{point}.parquet", point=POINTS),
        statistics=expand("<results>/points/{point}.nc", point=POINTS),
    output:
        "<results>/summary.parquet",
        "<results>/summary.csv",
        "<results>/fits.csv",
        "<results>/distributions.nc",
        "<results>/traces.nc",
        "<results>/freezing.nc",
        "<results>/low_energy.nc",
    log:
        "<logs>/aggregate.log",
    conda:
        environment
    threads: 1
    resources:
        mem_mb=memory_for(lambda wildcards: forecast.aggregating(STUDY)),
        runtime=time_for(lambda wildcards: forecast.aggregating(STUDY)),
    params:
        code=code_hash("glasspipe.report.aggregate"),
        study=hash_of(study_files.of_results(STUDY.config)),
        folder=folder,
        record=record(forecast.AGGREGATE),
    shell:
        "glasspipe aggregate {params.folder:q} --record {params.record:q} 2>&1 | tee {log:q} >&2"
