"""The physics objects that the sections of a config describe.

A point has all sections, a stage's part of it those that the stage depends on; either is enough for
what it describes. What a config leaves to be chosen (`auto`) is resolved here, and here alone.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasspipe.defects.component import Component, components_from, exact_numbers
from glasspipe.defects.lattice import Lattice, smallest_size
from glasspipe.elastic.medium import AnyMedium, CubicMedium, medium_from
from glasspipe.elastic.printed import Interaction, Printed, interaction
from glasspipe.errors import DataError
from glasspipe.settings.engines import LARGEST_DENSE, Engine, fits
from glasspipe.spins import ladder

_DRAWN_BESIDE_A_FILE = ("D", "Delta", "E", "epsilon")
_STORED = {"boundary": "minimum_image", "formula": "as_printed"}
"""Settings for which U must be stored."""
ONLY_STORED = (("hamiltonian", "store", "none"),)
"""Sections and keys of which any value but this one needs a stored U, if it fits."""


@dataclass(frozen=True)
class Model:
    """What the sections of a config describe.

    Parameters
    ----------
    sections : mapping
        Complete sections, by name (not to be modified).
    """

    sections: Mapping[str, Any]

    @cached_property
    def medium(self) -> AnyMedium:
        """The elastic medium, presets resolved."""
        return medium_from(self.sections["medium"])

    @cached_property
    def interaction(self) -> Interaction:
        """What couples the defects: the medium, or the couplings that the paper prints for it."""
        return interaction(self.medium, self.sections["formula"])

    @property
    def boundary(self) -> str:
        """The q = 0 term, one of :data:`glasspipe.elastic.greens.BOUNDARIES`."""
        return self.sections["boundary"]

    @cached_property
    def components(self) -> tuple[Component, ...]:
        """The components of the defects: one, or those of the mixture."""
        return components_from(self.sections["defects"])

    @cached_property
    def lattice(self) -> Lattice:
        """The sites that defects may have in the periodic box, ``auto`` resolved.

        If all sit on one sublattice of rock salt, it is that sublattice, an fcc lattice.
        """
        given, wanted = self.sections["lattice"], self.sections["defects"]
        type_, size = given["type"], given["size"]
        if type_ == "rock_salt" and len({each.sublattice for each in self.components}) == 1:
            type_ = "fcc"
        if size == "auto":
            size = smallest_size(type_, wanted["concentration"], wanted["number"])
        return Lattice(type_, given["constant"], size)

    @cached_property
    def sublattices(self) -> NDArray[np.int64]:
        """Number of the sublattice of the lattice that each component has (components,)."""
        names = list(self.lattice.sublattices)
        one = len(names) == 1
        return np.array([0 if one else names.index(each.sublattice) for each in self.components])

    @property
    def defects(self) -> int:
        """Number N of defects in the box (nominal where the defects come from a file)."""
        return self.lattice.defects(self.sections["defects"]["concentration"])

    @property
    def stoichiometry(self) -> str:
        """How many defects are of each component: "random" or "exact"."""
        return self.sections["defects"].get("stoichiometry", "random")

    @cached_property
    def mixture(self) -> tuple[Component, ...]:
        """The components with the shares that the box has of them."""
        if self.stoichiometry == "random":
            return self.components
        numbers = exact_numbers(self.defects, self.components)
        return tuple(
            replace(component, share=number / self.defects)
            for component, number in zip(self.components, numbers, strict=True)
            if number > 0
        )

    @property
    def extras(self) -> tuple[str, ...]:
        """Variables of the sample file that are there only where some component needs them."""
        found = {
            "zeta_minus": any(each.kind.states > 1 for each in self.components),
            "static": any(each.static_dipole != "none" for each in self.components),
            "E": any(each.E != 0.0 for each in self.components),
            "epsilon": any(each.epsilon != 0.0 for each in self.components),
        }
        return tuple(name for name, needed in found.items() if needed)

    @property
    def source_file(self) -> Path | None:
        """The user's own realisation file, or None where defects are drawn on the lattice."""
        source = self.sections["sample"]["source"]
        return None if source == "lattice" else Path(source["file"])

    @cached_property
    def store(self) -> str:
        """How U is stored, ``auto`` resolved: "float64", "float32" or "implicit"."""
        return self._chosen[0]

    @property
    def store_reason(self) -> str:
        """Why U is stored, or is not."""
        return self._chosen[1]

    @cached_property
    def _chosen(self) -> tuple[str, str]:
        asked, number = self.sections["couplings"]["store"], self.defects_given
        if asked != "auto":
            return asked, "as asked"
        if self.never_implicit:
            return "float64", f"for {self.never_implicit}"
        if not fits(number):
            return "implicit", f"a stored U would need more than {LARGEST_DENSE / 1e9:g} GB"
        if self.only_stored:
            return "float64", f"for {self.only_stored}"
        stored, implicit = (
            self.engine(stored=stored).whole(number, self.freeze) for stored in (True, False)
        )
        cheaper = "float64" if stored <= implicit else "implicit"
        return (
            cheaper,
            f"by forecast {stored:.2g} s a realisation with U stored, {implicit:.2g} s without",
        )

    def engine(self, *, stored: bool) -> Engine:
        """The engine that stores U, or the one that does not."""
        crystal, printed = (
            isinstance(self.medium, CubicMedium),
            isinstance(self.interaction, Printed),
        )
        return Engine(stored, crystal, printed)

    @property
    def freezes_whole(self) -> bool:
        """Whether freezing works with a whole U, which it makes itself where none is stored."""
        return self.store != "implicit" or self.freeze["method"] == "tempering"

    @property
    def only_stored(self) -> str:
        """The setting, if any, that works with a stored U only."""
        return next(
            (
                f"{section}.{key} {found}"
                for section, key, allowed in ONLY_STORED
                if (found := self.sections.get(section, {}).get(key, allowed)) != allowed
            ),
            "",
        )

    @property
    def accuracy(self) -> float:
        """Error of fields that are summed without a stored U, rms over rms."""
        return self.sections["couplings"]["accuracy"]

    @cached_property
    def freeze(self) -> dict[str, Any]:
        """The section ``freeze``, the numbers of temperatures and sweeps resolved."""
        share = 1.0 if self.source_file else sum(c.share for c in self.mixture if c.has_S)
        spins = round(share * self.defects_given)
        return ladder.resolved(self.sections["freeze"], max(spins, 1))

    @property
    def never_implicit(self) -> str:
        """The setting, if any, for which U must be stored."""
        found = (f"{key} {value}" for key, value in _STORED.items() if self.sections[key] == value)
        return next(found, "")

    @property
    def resolved(self) -> dict[str, Any]:
        """The sections in one form: nothing left to be chosen, presets as numbers."""
        found = dict(self.sections)
        found["lattice"] = {**found["lattice"], "size": self.lattice.size}
        found["defects"] = {k: v for k, v in found["defects"].items() if k != "number"}
        if len(self.components) == 1 or self.stoichiometry == "random":
            found["defects"].pop("stoichiometry", None)
        if "couplings" in found:
            found["couplings"] = {"store": self.store}
            if self.store == "implicit":
                found["couplings"]["accuracy"] = self.accuracy
        if "freeze" in found:
            found["freeze"] = self.freeze
        if "medium" in found:
            found["medium"] = asdict(self.medium)
        return found

    @property
    def effective(self) -> dict[str, Any]:
        """The resolved sections, less what has no effect: two that agree are one physics."""
        found = self.resolved
        defects = {name: v for name, v in found["defects"].items() if name == "stoichiometry"}
        if self.source_file is None:
            defects["number"] = self.defects  # which is all that is left of a concentration
        found["defects"] = {
            **defects,
            "components": [self._effective(component) for component in self.components],
        }
        found["lattice"] = {**found["lattice"], "type": self.lattice.type}
        return found

    def _effective(self, component: Component) -> dict[str, Any]:
        """A component, less axes that its species does not have and turns of any direction.

        Of one whose tensors come from a file the amplitudes and stray fields count.
        """
        found = asdict(component)
        if self.source_file is not None:
            return {name: found[name] for name in (*_DRAWN_BESIDE_A_FILE, "share")}
        if not component.kind.axes:
            del found["axes"]
        if component.continuum is not None:
            del found["frame_spread"]
        return found

    @cached_property
    def defects_given(self) -> int:
        """Number of defects; 0 where they come from a file that cannot be read."""
        if self.source_file is None:
            return self.defects
        from glasspipe.files.user_defects import user_defects

        try:
            with user_defects(self.source_file) as defects:
                return defects.number
        except DataError:
            return 0
