"""Vectors of 16 floats, for the two loops that annealing spends its time in.

A compiler cannot be told in Python to keep partial sums in registers, nor to go from one set bit of
a comparison to the next. Here both loops are written in LLVM's own language; a processor with
shorter registers gets several for each vector. Arrays are flat float32 and int64, contiguous, and
nothing is checked: an index is an offset in the array.

Coefficients are ±2, so their product with a coupling is exact and a fused multiply-add, where the
processor has one, changes no bit.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LANES = 16
COLUMNS = 128
"""Fields that `add_rows` changes: as many vectors as hide the latency of a multiply-add."""

_FLOAT, _INT, _INDEX = ir.FloatType(), ir.IntType(32), ir.IntType(64)
_VECTOR, _LANES = ir.VectorType(_FLOAT, LANES), ir.VectorType(_INT, LANES)
_DOUBLES, _MASK = ir.VectorType(ir.DoubleType(), LANES), ir.IntType(LANES)
_NOT_ZERO = ir.Constant(ir.IntType(1), 1)
_FUSE = ("contract",)


def arguments(context, builder, signature, args):
    """Arguments of code that is being generated, addresses instead of arrays."""
    return [
        context.make_array(kind)(context, builder, value).data
        if isinstance(kind, types.Array)
        else value
        for kind, value in zip(signature.args, args, strict=True)
    ]


class _Code:
    """Code that is being generated; ``values`` are the :func:`arguments`."""

    def __init__(self, context, builder, signature, args):
        self.builder = builder
        self.values = arguments(context, builder, signature, args)

    def at(self, base, offset):
        """Address of an element."""
        return self.builder.gep(base, [offset])

    def vector(self, base, offset):
        """Address of the vector that starts at an element."""
        return self.builder.bitcast(self.at(base, offset), _VECTOR.as_pointer())

    def load(self, base, offset):
        """Load a vector, which need not be aligned."""
        return self.builder.load(self.vector(base, offset), align=4)

    def store(self, value, base, offset):
        """Store a vector."""
        self.builder.store(value, self.vector(base, offset), align=4)

    def splat(self, value):
        """Return a vector of one number."""
        nothing = ir.Constant(ir.VectorType(value.type, LANES), ir.Undefined)
        first = self.builder.insert_element(nothing, value, _INT(0))
        return self.builder.shuffle_vector(first, nothing, ir.Constant(_LANES, [0] * LANES))

    def sum(self, vector):
        """Return the sum of the elements of a vector, halves of it added first."""
        length = LANES
        while length > 1:
            length //= 2
            low, high = (
                self.builder.shuffle_vector(
                    vector,
                    ir.Constant(vector.type, ir.Undefined),
                    ir.Constant(ir.VectorType(_INT, length), list(range(start, start + length))),
                )
                for start in (0, length)
            )
            vector = self.builder.fadd(low, high)
        return self.builder.extract_element(vector, _INT(0))

    def come_from(self, block, phis, values):
        """Say what ``phis`` are when control comes from a block."""
        for phi, value in zip(phis, values, strict=True):
            phi.add_incoming(value, block)

    def add_product(self, total, a, b):
        """Return total + a b."""
        product = self.builder.fmul(a, b, flags=_FUSE)
        return self.builder.fadd(total, product, flags=_FUSE)


@intrinsic
def add_rows(typing, h, first, U, place, stride, rows, coefficients, start, count):
    """Add rows of couplings to 128 fields, which stay in registers meanwhile.

    ``add_rows(h, first, U, place, stride, rows, coefficients, start, count)``: for 0 ≤ j < 128

        h[first + j] += Σ_k coefficients[k] U[place + stride rows[k] + j],

    start ≤ k < start + count, in that order.
    """

    def generate(context, builder, signature, args):
        code = _Code(context, builder, signature, args)
        h, first, U, place, stride, rows, coefficients, start, count = code.values
        h, U = code.at(h, first), code.at(U, place)
        rows, coefficients = code.at(rows, start), code.at(coefficients, start)
        places = [_INDEX(place) for place in range(0, COLUMNS, LANES)]
        before = [code.load(h, place) for place in places]
        entry, loop = builder.block, builder.append_basic_block("row")
        done = builder.append_basic_block("done")
        builder.cbranch(builder.icmp_signed(">", count, _INDEX(0)), loop, done)

        builder.position_at_end(loop)
        k, *totals = [builder.phi(kind) for kind in [_INDEX] + [_VECTOR] * len(places)]
        row = code.at(U, builder.mul(builder.load(code.at(rows, k)), stride))
        coefficient = code.splat(builder.load(code.at(coefficients, k)))
        after = [
            code.add_product(total, coefficient, code.load(row, place))
            for total, place in zip(totals, places, strict=True)
        ]
        following = builder.add(k, _INDEX(1))
        builder.cbranch(builder.icmp_signed("<", following, count), loop, done)
        code.come_from(entry, [k, *totals], [_INDEX(0), *before])
        code.come_from(loop, [k, *totals], [following, *after])

        builder.position_at_end(done)
        results = [builder.phi(_VECTOR) for _ in places]
        code.come_from(entry, results, before)
        code.come_from(loop, results, after)
        for result, place in zip(results, places, strict=True):
            code.store(result, h, place)
        return context.get_dummy_value()

    index = types.int64
    return types.void(h, index, U, index, index, rows, coefficients, index, index), generate


@intrinsic
def try_block(typing, S, spin, h, field, thresholds, U, place, turns, rows, coefficients, start):
    """Try to flip 64 spins in turn, each in the fields that the flips before it have left.

    ``try_block(S, spin, h, field, thresholds, U, place, turns, rows, coefficients, start)``: with
    S_i = S[spin + i], h_i = h[field + i] and U_ij = U[place + 64 i + j], spin i flips if

        S_i h_i ≥ thresholds[i];    then h_j −= 2 S_i U_ij, and S_i changes sign.

    S changes, h does not; ``turns`` is room for 64 floats. For the k-th flip, rows[start + k] is i
    and coefficients[start + k] twice the new spin.

    Returns
    -------
    int64, float64
        Number of flips, and the sum over them of S_i h_i before the flip.
    """

    def generate(context, builder, signature, args):
        code = _Code(context, builder, signature, args)
        S, spin, h, field, thresholds, U, place, turns, rows, coefficients, start = code.values
        S, h, U = code.at(S, spin), code.at(h, field), code.at(U, place)
        rows, coefficients = code.at(rows, start), code.at(coefficients, start)
        lanes = ir.Constant(_LANES, list(range(LANES)))
        places = [_INDEX(first) for first in range(0, 64, LANES)]
        fields = [code.load(h, group) for group in places]
        for group in places:
            twice = builder.fmul(code.load(S, group), code.splat(_FLOAT(-2.0)))
            code.store(twice, turns, group)
        number, energy = _INDEX(0), ir.Constant(_DOUBLES, [0.0] * LANES)
        for group in places:
            spins, least = code.load(S, group), code.load(thresholds, group)
            signs = builder.and_(builder.bitcast(spins, _LANES), code.splat(_INT(1 << 31)))
            initial = [number, _INT(-1), ir.Constant(_VECTOR, [0.0] * LANES), signs, *fields]
            entry, test = builder.block, builder.append_basic_block("test")
            flip, done = builder.append_basic_block("flip"), builder.append_basic_block("done")
            builder.branch(test)

            builder.position_at_end(test)
            state = [builder.phi(value.type) for value in initial]
            number, ahead, gains, signs, *fields = state
            gain = builder.bitcast(builder.xor(builder.bitcast(fields[0], _LANES), signs), _VECTOR)
            willing = builder.bitcast(builder.fcmp_ordered(">=", gain, least), _MASK)
            willing = builder.and_(builder.zext(willing, _INT), ahead)
            builder.cbranch(builder.icmp_signed("==", willing, _INT(0)), done, flip)

            builder.position_at_end(flip)
            lane = builder.cttz(willing, _NOT_ZERO)
            i = builder.add(builder.zext(lane, _INDEX), group)
            turn = builder.load(code.at(turns, i))
            builder.store(i, code.at(rows, number))
            builder.store(turn, code.at(coefficients, number))
            row, change = code.at(U, builder.mul(i, _INDEX(64))), code.splat(turn)
            here = builder.icmp_signed("==", lanes, code.splat(lane))
            after = [
                builder.add(number, _INDEX(1)),
                builder.shl(_INT(-2), lane),
                builder.select(here, gain, gains),
                builder.select(here, builder.xor(signs, code.splat(_INT(1 << 31))), signs),
            ]
            rest = places[places.index(group) :]
            for field, later in zip(fields, rest, strict=True):
                after.append(code.add_product(field, change, code.load(row, later)))
            builder.branch(test)
            code.come_from(entry, state, initial)
            code.come_from(flip, state, after)

            builder.position_at_end(done)
            one = builder.bitcast(code.splat(_FLOAT(1.0)), _LANES)
            code.store(builder.bitcast(builder.or_(signs, one), _VECTOR), S, group)
            energy = builder.fadd(energy, builder.fpext(gains, _DOUBLES))
            fields = fields[1:]
        return context.make_tuple(builder, signature.return_type, [number, code.sum(energy)])

    index = types.int64
    returned = types.Tuple([types.int64, types.float64])
    arguments = S, index, h, index, thresholds, U, index, turns, rows, coefficients, index
    return returned(*arguments), generate


@intrinsic
def prefetch(typing, array, place):
    """Ask for the cache line of an element of ``array``; the place may be outside of it."""

    def generate(context, builder, signature, args):
        code = _Code(context, builder, signature, args)
        address = builder.bitcast(code.at(*code.values), ir.IntType(8).as_pointer())
        name = "llvm.prefetch.p0"
        kind = ir.FunctionType(ir.VoidType(), [address.type, _INT, _INT, _INT])
        function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        read, second_level, data = _INT(0), _INT(2), _INT(1)
        builder.call(function, [address, read, second_level, data])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate
