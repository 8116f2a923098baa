# One rule a stage, each of which runs the stage's command for a part of a point and a chunk of its
# realisations. What differs between stages is in the stage.
for stage in stages_of(STUDY):

    rule:
        name:
            stage.name
        input:
            unpack(inputs_of(stage)),
        output:
            maybe_temporary(stage, f"<results>/data/{stage.name}/{{part}}/{{chunk}}.nc"),
        log:
            f"<logs>/{stage.name}/{{part}}/{{chunk}}.log",
        priority: priority_of(stage)
        conda:
            environment
        threads: threads_for(partial(load_of, stage))
        resources:
            mem_mb=memory_for(partial(load_of, stage)),
            runtime=time_for(partial(load_of, stage)),
        params:
            command=stage.name,
            code=code_hash(f"glasspipe.stages.{stage.name}"),
            arguments=arguments_of(stage),
            record=record_of(stage),
        shell:
            "glasspipe {params.command} {params.arguments} --threads {threads} --output {output:q}"
            " --record {params.record:q} 2>&1 | tee {log:q} >&2"
