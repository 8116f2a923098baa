"""Runs of 10 or 12 mesh points, the loops that splines on a mesh spend their time in.

A compiler does not know that a mesh and the arrays beside it are apart, and so keeps nothing in
registers. Here both loops are written in LLVM's own language, as in the module ``vectors`` and with
the same care: arrays are flat and contiguous, and nothing is checked.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from glasspipe.kernels.vectors import arguments

TERMS = 3
"""Products that a run is summed from or added to."""
_LANES = 4
"""Of the vectors that a run is made of; the last one may be shorter."""

_DOUBLE, _INT, _INDEX = ir.DoubleType(), ir.IntType(32), ir.IntType(64)
_FUSE = ("contract",)


class _Code:
    """Code that is being generated; ``values`` are the arguments, addresses instead of arrays."""

    def __init__(self, length, context, builder, signature, args):
        self.parts = [(at, min(_LANES, length - at)) for at in range(0, length, _LANES)]
        self.builder = builder
        self.values = arguments(context, builder, signature, args)

    def number(self, base, offset):
        """Load one element."""
        return self.builder.load(self.builder.gep(base, [offset]))

    def vectors(self, base, offset):
        """Addresses of the vectors of the run that starts at an element."""
        places = [
            self.builder.gep(base, [self.builder.add(offset, _INDEX(at))]) for at, _ in self.parts
        ]
        return [
            self.builder.bitcast(place, ir.VectorType(_DOUBLE, length).as_pointer())
            for place, (_, length) in zip(places, self.parts, strict=True)
        ]

    def run(self, base, offset):
        """Load a run."""
        return [self.builder.load(vector, align=8) for vector in self.vectors(base, offset)]

    def nothing(self):
        """Return a run of zeros."""
        return [
            ir.Constant(ir.VectorType(_DOUBLE, length), [0.0] * length) for _, length in self.parts
        ]

    def splat(self, value):
        """Return a run of one number."""
        made = []
        for _, length in self.parts:
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
            for vector, (_, length) in zip(run, self.parts, strict=True)
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


def _adding(length):
    """Make the function that adds to runs of a length."""

    @intrinsic
    def add_runs(typing, mesh, rows, factors, count, weights):
        """mesh[rows[k] + c] += Σ_d factors[count d + k] weights[length d + c] for k < count."""

        def generate(context, builder, signature, args):
            code = _Code(length, context, builder, signature, args)
            mesh, rows, factors, count, weights = code.values
            kept = [code.run(weights, _INDEX(length * d)) for d in range(TERMS)]

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

    return add_runs


def _summing(length):
    """Make the function that sums over runs of a length."""

    @intrinsic
    def sum_runs(typing, mesh, rows, factors, count, weights):
        """Σ mesh[rows[k] + c] factors[count d + k] weights[length d + c], k < count."""

        def generate(context, builder, signature, args):
            code = _Code(length, context, builder, signature, args)
            mesh, rows, factors, count, weights = code.values
            parts = len(code.parts)

            def body(k, totals):
                run, after = code.run(mesh, code.number(rows, k)), []
                for d in range(TERMS):
                    place = builder.add(k, builder.mul(count, _INDEX(d)))
                    factor = code.splat(code.number(factors, place))
                    after += code.add_product(totals[parts * d : parts * (d + 1)], factor, run)
                return after

            totals, result = code.repeat(count, code.nothing() * TERMS, body), code.nothing()
            for d in range(TERMS):
                weight = code.run(weights, _INDEX(length * d))
                result = code.add_product(result, totals[parts * d : parts * (d + 1)], weight)
            return code.sum(result)

        return types.float64(mesh, rows, factors, types.int64, weights), generate

    return sum_runs


add_runs_of_10, add_runs_of_12 = map(_adding, (10, 12))
sum_runs_of_10, sum_runs_of_12 = map(_summing, (10, 12))
