"""What the coupling of a pair is made of: of itself, or of several where it is a printed one.

The realisations and the theory need the same decomposition, :mod:`glasspipe.elastic.printed`. Here
it is that of a pair of kinds of defect, for theory.
"""

from dataclasses import dataclass, replace

from glasspipe.defects.tensors import Tensors
from glasspipe.elastic.medium import AnyMedium
from glasspipe.elastic.printed import Interaction, Printed, derived


@dataclass(frozen=True)
class Part:
    """A pair of defects in a medium whose coupling, times a factor, is a part of another one."""

    factor: float
    medium: AnyMedium
    boundary: str
    receivers: Tensors
    sources: Tensors


def parts(
    coupling: str, receivers: Tensors, sources: Tensors, medium: Interaction, boundary: str
) -> list[Part]:
    """Return the ordinary couplings that a coupling is the sum of; itself where it is not printed.

    Parameters
    ----------
    coupling : str
        One of :data:`glasspipe.system.terms.TERMS`.
    receivers, sources : Tensors
        The defects that feel the field, and those that make it.
    medium : Medium, CubicMedium or Printed
        What couples them.
    boundary : str
        One of :data:`glasspipe.elastic.greens.BOUNDARIES`.
    """
    if isinstance(medium, Printed) and coupling == "U":
        return [
            Part(factor, plain, q0, receivers, sources)
            for factor, plain, q0 in medium.parts_of_U(boundary)
        ]
    if isinstance(medium, Printed) and coupling == "U_S_tau":
        made_of = medium.parts_of_b(sources.gamma, receivers.zeta)
        pairs = [(replace(receivers, zeta=z), replace(sources, gamma=g)) for _, _, g, z in made_of]
        return [
            Part(factor, plain, boundary, *pair)
            for (factor, plain, _, _), pair in zip(made_of, pairs, strict=True)
        ]
    return [Part(1.0, derived(medium), boundary, receivers, sources)]
