"""Averages of e^(itU) over the states of a source, for many sites and many t at once."""

from numba import njit


@njit(cache=True, fastmath={"contract"})
def double(cos, sin):
    """Replace cosines and sines (states, nodes, rows) of angles by those of twice the angles."""
    for s in range(cos.shape[0]):
        for k in range(cos.shape[1]):
            for r in range(cos.shape[2]):
                c, d = cos[s, k, r], sin[s, k, r]
                cos[s, k, r] = c * c - d * d
                sin[s, k, r] = 2.0 * c * d


@njit(cache=True, fastmath={"contract"})
def add_real(cos, sin, start_cos, start_sin, total):
    """Add to ``total`` (nodes, rows) Σ_s Re e^(i(turn + start)), the weights being in the start.

    Parameters
    ----------
    cos, sin : array (states, nodes, rows)
        Of the phase from the start to each node.
    start_cos, start_sin : array (states, rows)
        Of the phase at the start, times the weight.
    """
    for s in range(cos.shape[0]):
        for k in range(cos.shape[1]):
            for r in range(cos.shape[2]):
                total[k, r] += cos[s, k, r] * start_cos[s, r] - sin[s, k, r] * start_sin[s, r]


@njit(cache=True, fastmath={"contract"})
def add(cos, sin, start_cos, start_sin, real, imaginary):
    """Add both parts, see :func:`add_real`."""
    for s in range(cos.shape[0]):
        for k in range(cos.shape[1]):
            for r in range(cos.shape[2]):
                c, d = cos[s, k, r], sin[s, k, r]
                a, b = start_cos[s, r], start_sin[s, r]
                real[k, r] += c * a - d * b
                imaginary[k, r] += d * a + c * b
