"""The statements of the paper, each with the number and the rule that decide it."""

from dataclasses import dataclass

from glasspipe.report.claims import judges, rules
from glasspipe.report.claims.evidence import Evidence
from glasspipe.report.claims.judges import Judge
from glasspipe.report.claims.rules import Finding
from glasspipe.report.presentation import TYPICAL, WIDTH
from glasspipe.system.terms import TERMS


@dataclass(frozen=True)
class Claim:
    """A statement of the paper.

    Parameters
    ----------
    number : str
        In the list of statements, with a letter where one is made of several.
    statement, equation : str
        In formulas, and where it is in the paper.
    measured : str
        What the number is.
    source : str
        Where the prediction beside it comes from.
    rule : str
        What gives the verdict, in words.
    judge : function
        From the evidence of a study to a finding.
    study : str
        The study of ``config/studies`` that decides it, empty if none does.
    by_chance : bool
        Whether errors decide.
    """

    number: str
    statement: str
    equation: str
    measured: str
    source: str
    rule: str
    judge: Judge
    study: str = "paper"
    by_chance: bool = True

    def found(self, evidence: Evidence) -> Finding:
        """Return what a study says of it."""
        if not evidence.places:
            return rules.missing("points without stray fields and static dipoles")
        if self.by_chance and evidence.realisations < rules.FEWEST_REALISATIONS:
            return rules.missing(
                f"{rules.FEWEST_REALISATIONS} realisations of each point for its errors"
            )
        return self.judge(evidence)


def _decay(number: str, coupling: str, symbol: str) -> Claim:
    term = TERMS[coupling]
    return Claim(
        number,
        f"{symbol} ∝ R^−{term.power}",
        term.reference.removeprefix("eq. "),
        f"exponent of the rms of {symbol} against R",
        "derivatives of the elastic Green's function, exact",
        rules.EXPONENT,
        judges.power((f"{coupling}_ij", "rms"), "R", -float(term.power)),
    )


_LAW = "exact law on the lattice at the same x"
_WORDS = "the paper's estimate, 1 if it is right"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "1a",
        "B_0 ∝ x",
        "after (29)",
        "exponent of the typical B (quartile half-width) against x",
        _LAW,
        rules.EXPONENT,
        judges.power(("B", TYPICAL), "x", 1.0),
    ),
    Claim(
        "1b",
        "B̄ ∝ √x",
        "after (29)",
        "exponent of the standard deviation of B against x(1 − x)",
        _LAW,
        rules.EXPONENT,
        judges.power(("B", WIDTH), "x(1-x)", 0.5),
    ),
    Claim(
        "1c",
        "B̄ ≫ B_0 where x ≪ 1",
        "after (29)",
        "B̄/B_0",
        "what ≫ asks for at least",
        rules.LARGER,
        judges.dilute_ratio(("B", WIDTH), ("B", TYPICAL), lower=rules.FACTOR),
    ),
    Claim(
        "2",
        "⟨B⟩ = 0",
        "after (29)",
        "⟨B⟩ over the typical B",
        "symmetry",
        rules.ZERO,
        judges.mean,
    ),
    Claim(
        "3",
        "|B_i| ~ |Σ_j U_ij| η/γ",
        "after (29)",
        "typical B over typical Σ_j U_ij times η/γ",
        _WORDS,
        rules.DILUTE_ESTIMATE,
        judges.dilute_ratio(
            ("B", TYPICAL), ("U_sum_eta_over_gamma", TYPICAL), judges.as_it_is, **rules.ABOUT
        ),
    ),
    _decay("4a", "U", "U_ij"),
    _decay("4b", "B", "B_ij"),
    _decay("4c", "U_S_tau", "U^Sτ_ij"),
    _decay("4d", "U_eta_tau", "U^ητ_ij"),
    _decay("4e", "J", "J_ij"),
    Claim(
        "5a",
        "|b^γ/b^η| ~ γ/η",
        "after (71)",
        "typical b^γ over typical b^η times γ/η",
        _WORDS,
        rules.DILUTE_ESTIMATE,
        judges.dilute_ratio(
            ("b_gamma", TYPICAL), ("b_eta", TYPICAL), judges.gamma_over_eta, **rules.ABOUT
        ),
    ),
    Claim(
        "5b",
        "|b^γ/b^η| ∝ γ/η",
        "after (71)",
        "exponent of typical b^γ over typical b^η against γ/η",
        "the paper",
        rules.EXPONENT,
        judges.fields_on_tau,
    ),
    Claim(
        "6a",
        "U > B > U^Sτ > b^η > J",
        "(74)",
        "largest ratio of the typical field of a term to that of the one before",
        "what the order asks for at most",
        rules.ORDER,
        judges.order,
    ),
    Claim(
        "6b",
        "J ≪ b",
        "after (76)",
        "typical Σ_j J_ij τ_j over typical b",
        "what ≪ asks for at most",
        rules.SMALLER,
        judges.dilute_ratio(("J_tau", TYPICAL), ("b", TYPICAL), upper=1 / rules.FACTOR),
    ),
    Claim(
        "7a",
        "a fraction ~ D_0/(xU_0) of S is free",
        "after (29)",
        "fraction of S with |h| < D over D_0/(xU_0), where that is below 1",
        _WORDS,
        rules.ESTIMATE,
        judges.free,
    ),
    Claim(
        "7b",
        "the free fraction ∝ D_0/(xU_0)",
        "after (29)",
        "its exponent against D_0/(xU_0), where that is below 1",
        "the paper",
        rules.EXPONENT,
        judges.free_against_scale,
    ),
    Claim(
        "8",
        "k_B T_G ~ xU_0",
        "after (29)",
        "T_G/(xU_0), where replicas overlap by one half, or else of the largest dE/dT",
        _WORDS,
        rules.ESTIMATE,
        judges.freezing,
    ),
    Claim(
        "9",
        "γ ∝ δ gives B = 0",
        "after (26)",
        "typical |B| over xγη/(4πρc_l²a³)",
        "symmetry, isotropic medium, spherical boundary",
        rules.NONE,
        judges.pure_dilatation,
        study="",
        by_chance=False,
    ),
    Claim(
        "10",
        "|B| ≫ D_0 unless x < D_0/U_0, 10⁻⁴ with the paper's numbers",
        "after (29)",
        "x where the median |B| is D_0, over D_0γ/(U_0η)",
        _WORDS,
        rules.ESTIMATE,
        judges.crossing,
    ),
    Claim(
        "11",
        "B has a contribution of longitudinal phonons only",
        "after (19)",
        "change of the median |B| with c_t alone, over that of Σ_j U_ij S_j",
        "(26), isotropic medium",
        rules.NONE,
        judges.transverse,
        by_chance=False,
    ),
    Claim(
        "12",
        "the random field destroys long-range glassy order",
        "after (74)",
        "none: frozen states of finite samples do not show it",
        "the paper's reference 5",
        "never decided; overlaps of replicas with and without B are in `random_field`",
        judges.undecidable,
        study="",
    ),
    Claim(
        "13a",
        "the energy scale of ζ is below that of γ by a_d x^(1/3)/a_o",
        "section II",
        "typical b^γ over typical Σ_j U_ij S_j times (ζ/γ)x^(1/3)/a",
        _WORDS,
        rules.DILUTE_ESTIMATE,
        judges.dilute_ratio(
            ("b_gamma", TYPICAL), ("U_S", TYPICAL), judges.gradient_scale, **rules.ABOUT
        ),
    ),
    Claim(
        "13b",
        "|b^γ| ~ γζ/(ρc²) Σ_j 1/R_ij⁴",
        "(63)",
        "typical b^γ over γζ/(ρc_l²) times the median of the sum at random sites",
        _WORDS,
        rules.DILUTE_ESTIMATE,
        judges.sum_of_fourth_powers("b_gamma", "gamma"),
    ),
    Claim(
        "13c",
        "|b^η| ~ ηζ/(ρc²) Σ_j 1/R_ij⁴",
        "(69)",
        "typical b^η over ηζ/(ρc_l²) times the median of the sum at random sites",
        _WORDS,
        rules.DILUTE_ESTIMATE,
        judges.sum_of_fourth_powers("b_eta", "eta"),
    ),
)
"""Every statement, in the order of the paper's argument."""
