"""Kinds of defect, and their strengths, to which what they feel or make is proportional."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glasspipe.defects.tensors import Tensors, joined
from glasspipe.theory.pair_fields import total

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

ONE = np.ones(1), np.ones(1)
"""The strength 1, and its probability."""


@dataclass(frozen=True)
class ScaledKinds:
    """Kinds of defect in several strengths, to which what they feel or make is proportional.

    Parameters
    ----------
    kinds : Tensors
        Of strength 1 where strengths differ.
    which : array of int (members,)
        The kind of each member.
    strength, weight : array (members,)
        Its strength over that of its kind, and its probability.
    """

    kinds: Tensors
    which: Integers
    strength: Array
    weight: Array

    @classmethod
    def of(
        cls, kinds: Tensors, weight: Array, strengths: tuple[Array, Array] = ONE
    ) -> "ScaledKinds":
        """Kinds of a probability each (kinds,), all in the same strengths, and theirs."""
        strength, share = strengths
        which = np.repeat(np.arange(len(weight)), len(strength))
        return cls(kinds, which, np.tile(strength, len(weight)), np.outer(weight, share).ravel())

    @classmethod
    def joined(cls, parts: "Sequence[ScaledKinds]") -> "ScaledKinds":
        """Those of several components, or of several sublattices."""
        first = np.cumsum([0, *(len(part.kinds) for part in parts[:-1])])
        return cls(
            joined([part.kinds for part in parts]),
            np.concatenate([k + part.which for k, part in zip(first, parts, strict=True)]),
            np.concatenate([part.strength for part in parts]),
            np.concatenate([part.weight for part in parts]),
        )

    @property
    def of_first_kind(self) -> "ScaledKinds":
        """Those of the first kind, as if they were all."""
        mine = self.which == 0
        weight = self.weight[mine] / self.weight[mine].sum()
        return ScaledKinds(self.kinds[:1], self.which[mine], self.strength[mine], weight)

    def moment(self, power: int) -> Array:
        """Probability of each kind times the mean of its strength to a power, (kinds,)."""
        return total(self.which, self.weight * self.strength**power)

    @property
    def groups(self) -> "list[Group]":
        """Kinds of the same strengths together."""
        found: dict[tuple[float, ...], list[Integers]] = {}
        for kind in range(len(self.kinds)):
            numbers = np.flatnonzero(self.which == kind)
            found.setdefault(tuple(self.strength[numbers]), []).append(numbers)
        return [Group(self, np.array(numbers)) for numbers in found.values()]


@dataclass(frozen=True)
class Group:
    """Kinds that come in the same strengths.

    Parameters
    ----------
    of : ScaledKinds
        What they are taken from.
    members : array of int (kinds, strengths)
        Numbers of its members.
    """

    of: ScaledKinds
    members: Integers

    def __getitem__(self, some: NDArray[np.bool_]) -> "Group":
        """Some of its kinds."""
        return Group(self.of, self.members[some])

    @property
    def which(self) -> Integers:
        """The kinds (kinds,)."""
        return self.of.which[self.members[:, 0]]

    @property
    def strength(self) -> Array:
        """Their strengths (strengths,)."""
        return self.of.strength[self.members[0]]

    @property
    def weight(self) -> Array:
        """Probability of each kind (kinds,)."""
        return self.of.weight[self.members].sum(axis=1)

    @property
    def share(self) -> Array:
        """That of each strength of a kind (strengths,), which add up to 1."""
        weight = self.of.weight[self.members].sum(axis=0)
        return weight / weight.sum()
