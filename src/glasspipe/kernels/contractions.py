"""Contractions of the Green's function derivatives with the defects' tensors.

A derivative tensor of rank six has 729 components; its contraction with two multipoles is one
number. With g_k = D^k [erfc(αR)/R], the tensors are sums of products of δ and x over all distinct
index assignments. Contracted, each assignment is a product of the few scalars, vectors and matrices
that a multipole makes with x, and equal assignments are counted.

For a force dipole γ these are ``dipole_with`` = (γ, v = γx, t = tr γ, q = x·v). For the next
multipole ``gradient_with`` = (M_ab = ζ_abc x_c, p = Mx, s_a = ζ_abb, w = x·p, s·x), wanted twice:
for the fully symmetric part of ζ, which is all that ∂∂…∂R sees, and for ζ itself, which the term
with δ_αγ sees. Vectors are tuples, so that they live in registers. ``A`` and ``C`` are those of
G = A ∂∂R + C δ/R.
"""

from numba import njit


@njit(cache=True, forceinline=True, fastmath={"contract"})
def vector(array):
    """Tuple of an array (3,)."""
    return array[0], array[1], array[2]


@njit(cache=True, forceinline=True, fastmath={"contract"})
def matrix(array):
    """Tuple of the rows of an array (3, 3)."""
    return vector(array[0]), vector(array[1]), vector(array[2])


@njit(cache=True, forceinline=True, fastmath={"contract"})
def cube(array):
    """Tuple of the matrices of an array (3, 3, 3)."""
    return matrix(array[0]), matrix(array[1]), matrix(array[2])


@njit(cache=True, forceinline=True, fastmath={"contract"})
def symmetric_matrix(p):
    """Tuple of the rows of a symmetric matrix from xx, xy, xz, yy, yz, zz."""
    return (p[0], p[1], p[2]), (p[1], p[3], p[4]), (p[2], p[4], p[5])


@njit(cache=True, forceinline=True, fastmath={"contract"})
def symmetric_cube(p):
    """Tuple of the matrices of a symmetric array from xxx, xxy, xxz, xyy, xyz, xzz, yyy … zzz."""
    x = (p[0], p[1], p[2]), (p[1], p[3], p[4]), (p[2], p[4], p[5])
    y = (p[1], p[3], p[4]), (p[3], p[6], p[7]), (p[4], p[7], p[8])
    return x, y, ((p[2], p[4], p[5]), (p[4], p[7], p[8]), (p[5], p[8], p[9]))


@njit(cache=True, forceinline=True, fastmath={"contract"})
def dot(a, b):
    """a·b."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@njit(cache=True, forceinline=True, fastmath={"contract"})
def double_dot(a, b):
    """a_ab b_ab."""
    return dot(a[0], b[0]) + dot(a[1], b[1]) + dot(a[2], b[2])


@njit(cache=True, forceinline=True, fastmath={"contract"})
def triple_dot(a, b):
    """a_abc b_abc."""
    return double_dot(a[0], b[0]) + double_dot(a[1], b[1]) + double_dot(a[2], b[2])


@njit(cache=True, forceinline=True, fastmath={"contract"})
def apply(rows, x):
    """m_ab x_b."""
    return dot(rows[0], x), dot(rows[1], x), dot(rows[2], x)


@njit(cache=True, forceinline=True, fastmath={"contract"})
def dipole_with(gamma, x):
    """γ, v, t, q of a force dipole at displacement x."""
    v = apply(gamma, x)
    return gamma, v, gamma[0][0] + gamma[1][1] + gamma[2][2], dot(x, v)


@njit(cache=True, forceinline=True, fastmath={"contract"})
def gradient_with(zeta, x):
    """M, p, s, w, s·x of a multipole ζ at displacement x."""
    M = apply(zeta[0], x), apply(zeta[1], x), apply(zeta[2], x)
    p = apply(M, x)
    s = (
        zeta[0][0][0] + zeta[0][1][1] + zeta[0][2][2],
        zeta[1][0][0] + zeta[1][1][1] + zeta[1][2][2],
        zeta[2][0][0] + zeta[2][1][1] + zeta[2][2][2],
    )
    return M, p, s, dot(x, p), dot(s, x)


@njit(cache=True, forceinline=True, fastmath={"contract"})
def dipole_dipole(g, A, C, one, two, gamma12):
    """γ_1^αβ γ_2^γδ ∂_β∂_δ G_αγ, eq. (16); ``gamma12`` is γ_1:γ_2."""
    _, v1, t1, q1 = one
    _, v2, t2, q2 = two
    v12 = dot(v1, v2)
    rank4 = g[1] * (t1 * t2 + 2 * gamma12) + g[2] * (t1 * q2 + t2 * q1 + 4 * v12) + g[3] * q1 * q2
    return A * rank4 + C * (g[1] * gamma12 + g[2] * v12)


@njit(cache=True, forceinline=True, fastmath={"contract"})
def dipole_gradient(g, A, C, one, two, two_itself):
    """γ_1^αβ ζ_2^γδε ∂_β∂_δ∂_ε G_αγ: eq. (36) but for its sign, and eq. (66) with γ = 1."""
    gamma, v, t, q = one
    M, p, s, w, sx = two
    N, P, u, _, _ = two_itself
    rank5 = g[2] * (3 * t * sx + 6 * dot(v, s) + 6 * double_dot(gamma, M))
    rank5 += g[3] * (t * w + 6 * dot(v, p) + 3 * q * sx) + g[4] * q * w
    rank3 = g[2] * (2 * double_dot(gamma, N) + dot(v, u)) + g[3] * dot(v, P)
    return A * rank5 + C * rank3


@njit(cache=True, forceinline=True, fastmath={"contract"})
def gradient_gradient(g, A, C, one, one_itself, two, two_itself, sigma12, zeta12):
    """ζ_1^αβδ ζ_2^γεφ ∂_β∂_δ∂_ε∂_φ G_αγ: the exact eq. (72) but for its sign.

    ``sigma12`` is σ_1⋮σ_2 of the symmetric parts and ``zeta12`` is ζ_1⋮ζ_2.
    """
    M1, p1, s1, w1, sx1 = one
    M2, p2, s2, w2, sx2 = two
    N1, P1, u1, _, _ = one_itself
    N2, P2, u2, _, _ = two_itself
    rank6 = g[2] * (9 * dot(s1, s2) + 6 * sigma12)
    rank6 += g[3] * 9 * (dot(p1, s2) + dot(p2, s1) + sx1 * sx2 + 2 * double_dot(M1, M2))
    rank6 += g[4] * (9 * dot(p1, p2) + 3 * (sx1 * w2 + sx2 * w1)) + g[5] * w1 * w2
    rank4 = g[2] * (dot(u1, u2) + 2 * zeta12)
    rank4 += g[3] * (dot(u1, P2) + dot(u2, P1) + 4 * double_dot(N1, N2)) + g[4] * dot(P1, P2)
    return A * rank6 + C * rank4
