"""Jacobi matrices of discrete measures, by Lanczos's recursion."""

from math import sqrt

import numpy as np
from numba import njit

_SAME = 1e-7


@njit(cache=True, fastmath={"contract", "reassoc"})
def jacobi(values, root, diagonal, beside):
    """Fill in the Jacobi matrix of each row of values, whose probabilities are ``root`` squared.

    Parameters
    ----------
    values : array (rows, states)
        Of at most about 1.
    root : array (states,)
        Square roots of their probabilities.
    diagonal : array (rows, number)
    beside : array (rows, number)
        What stands beside the diagonal, the last apart, which stands beside nothing; 0 where there
        are no more different values, and from there on.
    """
    vector, before = np.empty(len(root)), np.empty(len(root))
    for row in range(len(values)):
        x, norm = values[row], 0.0
        vector[:], before[:] = root, 0.0
        for k in range(diagonal.shape[1]):
            mean = 0.0
            for s in range(len(root)):
                mean += x[s] * vector[s] * vector[s]
            square = 0.0
            for s in range(len(root)):
                rest = (x[s] - mean) * vector[s] - norm * before[s]
                before[s] = vector[s]
                vector[s] = rest
                square += rest * rest
            norm = sqrt(square)
            if norm < _SAME:
                norm = 0.0
            scale = 1.0 / norm if norm > 0.0 else 0.0
            for s in range(len(root)):
                vector[s] *= scale
            diagonal[row, k], beside[row, k] = mean, norm
