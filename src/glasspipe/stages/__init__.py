"""The stages of a study, one file each, and what follows from them."""

from glasspipe.settings.study import Study
from glasspipe.stages.couplings import COUPLINGS
from glasspipe.stages.fields import FIELDS
from glasspipe.stages.freeze import FREEZE
from glasspipe.stages.hamiltonian import HAMILTONIAN
from glasspipe.stages.sample import SAMPLE
from glasspipe.stages.stage import Stage

STAGES = {stage.name: stage for stage in (SAMPLE, COUPLINGS, FREEZE, FIELDS, HAMILTONIAN)}
"""Every stage by name, each after those that it reads."""


def stages_of(study: Study) -> tuple[Stage, ...]:
    """Return the stages that a study runs: all, but for Hamiltonians that nobody wants."""
    stored = study.config["hamiltonian"]["store"] != "none"
    return tuple(stage for stage in STAGES.values() if stored or stage is not HAMILTONIAN)
