"""Runs of 12 mesh points, the loops that splines on a mesh spend their time in.

A compiler does not know that a mesh and the arrays beside it are apart, and so keeps nothing in
registers. Here both loops are written in LLVM's own language, as in the module ``vectors`` and with
the same care: arrays are flat and contiguous, and nothing is checked.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from glasspipe.kernels.vectors import arguments

LENGTH = 12
"""Of a run, in numbers of double precision."""
TERMS = 3
"""Products that a run is summed from or added to."""

_PARTS = (0, 4), (4, 4), (8, 4)
"""Vectors of a run: where each begins, and its length."""

_DOUBLE, _INT, _INDEX = ir.DoubleType(), ir.IntType(32), ir.IntType(64)
_FUSE = ("contract",)


class _Code:
    """Code that is being generated; ``values`` are the arguments, addresses instead of arrays."""

    def __init__(self, context, builder, signature, args):
        self.builder = builder
        self.values = arguments(context, builder, signature, args)

    def number(self, base, offset):
        """Load one element."""
        return self.builder.load(self.builder.gep(base, [offset]))

    def vectors(self, base, offset):
        """Addresses of the vectors of the run that starts at an element."""
        places = [
            self.builder.gep(base, [self.builder.add(offset, _INDEX(at))]) for at, _ in _PARTS
        ]
        return [
            self.builder.bitcast(place, ir.VectorType(_DOUBLE, length).as_pointer())
            for place, (_, length) in zip(places, _PARTS, strict=True)
        ]

    def run(self, base, offset):
        """Load a run."""
        return [self.builder.load(vector, align=8) for vector in self.vectors(base, offset)]

    def nothing(self):
        """Return a run of zeros."""
        return [ir.Constant(ir.VectorType(_DOUBLE, length), [0.0] * length) for _, length in _PARTS]

    def splat(self, value):
        """Return a run of one number."""
        made = []
        for _, length in _PARTS:
            nothing = ir.Constant(ir.VectorType(_DOUBLE, length), ir.Undefined)
            first = self.builder.insert_element(nothing, value, _INT(0))
            lanes = ir.Constant(ir.VectorType(_INT, length), [0] * length)
            made.append(self.builder.shuffle_vector(first, nothing, lanes))
        return made

    def add_product(self, total, a, b):
        """Return total + a b of runs."""
        return [
            self.builder.fadd(t, self.builder.fmul(x, y, flags=_FUSE), flags=_FUSE)
            for t, x, y in zip(total, a, b, strict=True)
        ]

    def sum(self, run):
        """Return the sum of the elements of a run."""
        elements = [
            self.builder.extract_element(vector, _INT(lane))
            for vector, (_, length) in zip(run, _PARTS, strict=True)
            for lane in range(length)
        ]
        total, *rest = elements
        for element in rest:
            total = self.builder.fadd(total, element)
        return total

    def repeat(self, count, initial, body):
        """Make ``vectors = body(k, vectors)`` for 0 ≤ k < count > 0; return the last ones."""
        builder = self.builder
        entry, loop = builder.block, builder.append_basic_block("run")
        done = builder.append_basic_block("done")
        builder.branch(loop)
        builder.position_at_end(loop)
        k, *values = [builder.phi(kind) for kind in [_INDEX, *(value.type for value in initial)]]
        after = [builder.add(k, _INDEX(1)), *body(k, values)]
        for phi, first, following in zip([k, *values], [_INDEX(0), *initial], after, strict=True):
            phi.add_incoming(first, entry)
            phi.add_incoming(following, builder.block)
        builder.cbranch(builder.icmp_signed("<", after[0], count), loop, done)
        builder.position_at_end(done)
        return after[1:]


@intrinsic
def add_runs(typing, mesh, rows, factors, count, weights):
    """Add to runs: mesh[rows[k] + c] += Σ_d factors[count d + k] weights[12 d + c], k < count."""

    def generate(context, builder, signature, args):
        code = _Code(context, builder, signature, args)
        mesh, rows, factors, count, weights = code.values
        kept = [code.run(weights, _INDEX(LENGTH * d)) for d in range(TERMS)]

        def body(k, _):
            row = code.number(rows, k)
            run = code.run(mesh, row)
            for d, weight in enumerate(kept):
                place = builder.add(k, builder.mul(count, _INDEX(d)))
                run = code.add_product(run, code.splat(code.number(factors, place)), weight)
            for vector, address in zip(run, code.vectors(mesh, row), strict=True):
                builder.store(vector, address, align=8)
            return []

        code.repeat(count, [], body)
        return context.get_dummy_value()

    return types.void(mesh, rows, factors, types.int64, weights), generate


@intrinsic
def sum_runs(typing, mesh, rows, factors, count, weights):
    """Σ mesh[rows[k] + c] factors[count d + k] weights[12 d + c] over c, d and k < count."""

    def generate(context, builder, signature, args):
        code = _Code(context, builder, signature, args)
        mesh, rows, factors, count, weights = code.values
        parts = len(_PARTS)

        def body(k, totals):
            run, after = code.run(mesh, code.number(rows, k)), []
            for d in range(TERMS):
                place = builder.add(k, builder.mul(count, _INDEX(d)))
                factor = code.splat(code.number(factors, place))
                after += code.add_product(totals[parts * d : parts * (d + 1)], factor, run)
            return after

        totals, result = code.repeat(count, code.nothing() * TERMS, body), code.nothing()
        for d in range(TERMS):
            weight = code.run(weights, _INDEX(LENGTH * d))
            result = code.add_product(result, totals[parts * d : parts * (d + 1)], weight)
        return code.sum(result)

    return types.float64(mesh, rows, factors, types.int64, weights), generate
