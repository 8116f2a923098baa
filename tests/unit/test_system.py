"""A System of defects is checked once, when it is made."""

from dataclasses import replace

import numpy as np
import pytest

from glasspipe.defects.tensors import Tensors
from glasspipe.elastic.medium import PRESETS
from glasspipe.elastic.printed import Printed
from glasspipe.system.system import System
from glasspipe.system.terms import FIELDS, TERMS

KBR = PRESETS["KBr"].medium
TENSORS = Tensors(np.tile(np.eye(3), (2, 1, 1)), np.ones(2), np.zeros((2, 3, 3, 3)))
SYSTEM = System(np.array([[1.0, 2, 3], [4, 5, 6]]), TENSORS, np.full(3, 9.0), KBR, "clamped")
SKEW = np.tile([[0.0, 1, 0], [0, 0, 0], [0, 0, 0]], (2, 1, 1))


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"position": np.zeros((3, 3))}, r"position has shape \(3, 3\); \(2, 3\) is needed"),
        ({"position": np.full((2, 3), np.nan)}, "position holds a value that is not finite"),
        ({"position": np.full((2, 3), 9.0)}, "outside the box; allowed: 0 <= x < box"),
        ({"box": np.zeros(3)}, "all edges must be positive"),
        ({"box": np.ones(2)}, r"box has shape \(2,\); \(3,\) is needed"),
        ({"boundary": "open"}, "boundary is 'open'; allowed are clamped"),
        ({"tensors": TENSORS[:1]}, "defects: found 1; at least 2 are needed"),
        ({"tensors": replace(TENSORS, eta=np.ones(3))}, r"eta has shape \(3,\)"),
        ({"tensors": replace(TENSORS, gamma=SKEW)}, "gamma differs by 1 from its transpose"),
        ({"tensors": replace(TENSORS, static=SKEW)}, "static differs by 1 from its transpose"),
        (
            {"tensors": replace(TENSORS, static=TENSORS.gamma), "medium": Printed(KBR)},
            "static is given with a Printed medium",
        ),
    ],
)
def test_what_is_wrong_is_refused_in_one_line(wrong, line):
    with pytest.raises(ValueError, match=line) as error:
        replace(SYSTEM, **wrong)
    assert "\n" not in str(error.value)


def test_tensors_that_are_symmetric_to_float32_are_fine():
    gamma = TENSORS.gamma.astype("f4").astype(float)
    gamma[:, 0, 1] = 1e-7
    assert len(replace(SYSTEM, tensors=replace(TENSORS, gamma=gamma))) == 2


def test_the_terms_follow_from_their_multipoles():
    """Orders, signs and contractions as they stand in the paper."""
    assert {name: (term.order, term.sign) for name, term in TERMS.items()} == {
        "U": (2, 1), "B": (2, 1), "U_S_tau": (3, -1), "U_eta_tau": (3, -1), "J": (4, -1),
    }  # fmt: skip
    assert TERMS["J"].signature() == "rabc,sdef,padbcef->rsp"
    assert FIELDS["h"].states == ({"B": 1, "U": 1}, {"B": 1, "U": -1})
    assert [name for name, field in FIELDS.items() if field.signed] == ["U_S", "b_gamma", "J_tau"]
