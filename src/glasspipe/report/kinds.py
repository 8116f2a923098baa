"""Kinds of theory, by which what stands beside a number is called."""

EXACT, LIMIT, SIGNS = "exact", "dilute limit", "independent signs"
"""Kinds of theory: the law or the width of the model as sampled; its limit as x → 0; what would be
exact if S were random signs that know nothing of the fields. The last two may come together."""
LIMIT_OF_SIGNS = f"{LIMIT}, {SIGNS}"
NUMBERS = "independent components"
"""Of exact numbers on both sublattices of rock salt: exact if defects were independent."""
IN_GAP = "in a gap"
"""Behind one of these, of a quantile between shells of neighbours, where the law is flat."""
PAPER = "the paper's estimate"
"""Orders of magnitude, such as T_G ~ xU_0."""
