"""The force dipole of a defect that S does not change: a source of B and b^η.

In the paper it is the volume term η δ. Sums and theory share it, but the sums need not know how
defects are drawn.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def static_dipoles(eta: ArrayLike, static: ArrayLike | None) -> NDArray[np.float64]:
    """Force dipoles P = η δ + static that S does not change, (N, 3, 3), eV.

    Parameters
    ----------
    eta : array (N,)
        Volume couplings, eV.
    static : array (N, 3, 3) or None
        What there is beside them, eV.
    """
    volume = np.asarray(eta, dtype=float)[:, None, None] * np.eye(3)
    return volume if static is None else volume + np.asarray(static, dtype=float)
