"""Integrals over directions of a function of q·n."""

from numba import njit


@njit(cache=True, nogil=True)
def add_transform(first, last, q, n, weighted, table, out):
    """Add to out (modes, 9) the sum over n (directions, 3) of weighted (directions, 9) W(|q·n|).

    Of the modes from the first up to the last. table (bins, powers): W as polynomials in bins of
    width 1, its variable from −½ to ½.
    """
    for mode in range(first, last):
        for d in range(len(n)):
            x = abs(q[mode, 0] * n[d, 0] + q[mode, 1] * n[d, 1] + q[mode, 2] * n[d, 2])
            row = int(x)
            x -= row + 0.5
            value = 0.0
            for power in range(table.shape[1] - 1, -1, -1):
                value = value * x + table[row, power]
            for i in range(9):
                out[mode, i] += value * weighted[d, i]
