"""Sums over the spherical harmonics of a tensor with the symmetry of a cube."""

from numba import njit


@njit(cache=True, nogil=True)
def add_far(first, last, q, terms, start, radial, out):
    """Add the transform of the far part of G to out (modes, 3, 3), see ``elastic.harmonics``.

    Of the modes from the first up to the last. terms (terms, 4): factors of the recursion in l and
    the coefficient, by m = 0, 2, …, then l = m, m + 2, …; start (orders,): Q_mm. radial (bins,
    powers, degrees): the radial factors as polynomials in bins of width 1, from −½ to ½ across one.
    """
    degrees = radial.shape[2]
    factor = [0.0] * degrees
    for mode in range(first, last):
        x2 = q[mode, 0] ** 2 + q[mode, 1] ** 2 + q[mode, 2] ** 2
        x = x2**0.5
        row = int(x)
        place = x - row - 0.5
        for degree in range(degrees):
            value = 0.0
            for power in range(radial.shape[1] - 1, -1, -1):
                value = value * place + radial[row, power, degree]
            factor[degree] = value / x2
        for axis in range(3):
            one, other = (axis + 1) % 3, (axis + 2) % 3
            u2 = q[mode, axis] ** 2 / x2
            turn = (q[mode, one] / x + 1j * q[mode, other] / x) ** 2
            wave = 1.0 + 0.0j
            along, across = 0.0, 0.0
            term = 0
            for order in range(degrees):
                before, Q, total = 0.0, start[order], 0.0
                for degree in range(order, degrees):
                    total += terms[term, 3] * factor[degree] * Q
                    after = (terms[term, 0] * u2 - terms[term, 1]) * Q - terms[term, 2] * before
                    before, Q = Q, after
                    term += 1
                if order % 2 == 0:
                    along += total * wave.real
                else:
                    across += total * wave.imag
                wave *= turn
            out[mode, axis, axis] += along
            out[mode, one, other] += across
            out[mode, other, one] += across
