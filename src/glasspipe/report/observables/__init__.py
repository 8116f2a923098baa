"""What a study measures and shows, a file an observable; the headlines have their order."""

from glasspipe.report.observables import (
    annealing,
    coupling_sums,
    couplings,
    fields,
    freezing,
    gap,
    overlaps,
    power_laws,
    quality,
    random_field,
    realisation,
    stable_laws,
    strengths,
    sweeps,
    tunnelling,
    typical_and_width,
)

OBSERVABLES = (
    fields.OBSERVABLE,
    typical_and_width.OBSERVABLE,
    stable_laws.OBSERVABLE,
    strengths.OBSERVABLE,
    couplings.OBSERVABLE,
    coupling_sums.OBSERVABLE,
    tunnelling.OBSERVABLE,
    annealing.OBSERVABLE,
    freezing.OBSERVABLE,
    overlaps.OBSERVABLE,
    random_field.OBSERVABLE,
    gap.OBSERVABLE,
    quality.OBSERVABLE,
    realisation.OBSERVABLE,
    sweeps.OBSERVABLE,
    power_laws.OBSERVABLE,
)
