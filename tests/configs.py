"""Studies of any settings that the schema allows, but small.

Known here are sizes alone, and values of settings that are refused together with most others.
"""

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from glasspipe.settings.point import point_schema
from glasspipe.settings.schema import find, leaves, schema


def fuzzed(examples):
    """So many examples, always the same; or as many as $FUZZ says, other ones each time."""
    return settings(
        max_examples=int(os.environ.get("FUZZ", str(examples))),
        derandomize="FUZZ" not in os.environ,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


SIZES = {
    "study": st.just("any"),
    "seed": st.integers(0, 9),
    "lattice.constant": st.sampled_from([6.585, 3.0, 50.0]),
    "lattice.size": st.sampled_from(["auto", "auto", 3]),
    "defects.number": st.integers(2, 12),
    "defects.concentration": st.sampled_from([0.1, 0.01, 0.3, 1.0]),
    "sample.source": st.just("lattice"),
    "realisations": st.integers(1, 3),
    "realisations_per_job": st.sampled_from(["all", 1, 2]),
    "freeze.sweeps": st.just(300),
    "freeze.steps": st.sampled_from(["auto", 2, 3, 5]),
    "freeze.replicas": st.integers(1, 3),
    "freeze.t_end": st.sampled_from([0.01, 0.05, 0.3]),
    "freeze.t_start": st.sampled_from([1.0, 10.0]),
    "aggregate.bootstrap": st.integers(2, 5),
    "aggregate.pairs": st.integers(1, 5),
}
DISTRIBUTED = [
    {"distribution": "norm", "parameters": {"loc": 1.0, "scale": 0.3}},
    {"distribution": "uniform"},
    {"distribution": "loguniform", "parameters": {"a": 1.0e-4, "b": 1.0}},
    {"distribution": "lognorm", "parameters": {"s": 0.5}},
]
NAMES = {"distribution", "parameters", "file"}
"""Keys of names that must be those of something."""


def values(node, key=""):
    """Values of the schema ``node``, which stands at the dotted ``key``."""
    if key in SIZES:
        return SIZES[key]
    if "oneOf" in node:
        return st.one_of([values(branch, key) for branch in node["oneOf"]])
    if "enum" in node:
        return st.sampled_from(node["enum"])
    if node["type"] == "object":
        return _mappings(node, key)
    return {"number": _numbers, "integer": _integers}[node["type"]](node)


def _mappings(node, key):
    properties = node.get("properties", {})
    if "distribution" in properties:
        return st.sampled_from(DISTRIBUTED)
    inside = {name: values(child, f"{key}.{name}".strip(".")) for name, child in properties.items()}
    sized = {name for name in inside if _decides_size(f"{key}.{name}".strip("."))}
    needed = {name: inside.pop(name) for name in sorted(sized | {*node.get("required", ())})}
    made = st.fixed_dictionaries(needed, optional=inside)
    if node.get("additionalProperties"):
        each = values(node["additionalProperties"], f"{key}.any")
        made = st.dictionaries(st.sampled_from("abc"), each, min_size=1).map(_shared)
    return made


def _decides_size(key):
    """Whether a key's default, or one's below it, would make a study large."""
    return any(f"{size}.".startswith(f"{key}.") for size in SIZES)


def _shared(components):
    """Components whose shares add up to 1."""
    total = sum(given["share"] for given in components.values())
    return {name: {**given, "share": given["share"] / total} for name, given in components.items()}


def _numbers(node):
    low = node.get("minimum", node.get("exclusiveMinimum", -1e9))
    high = node.get("maximum", node.get("exclusiveMaximum", 1e9))
    sizes = st.builds(lambda m, e: float(f"{m}e{e}"), st.integers(1, 9), st.integers(-4, 2))
    made = st.one_of(sizes, sizes, sizes, sizes.map(lambda x: -x), st.just(0.0))
    fitting = made.filter(lambda x: low <= x <= high and x != node.get("exclusiveMinimum"))
    return st.one_of(st.just(node["default"]), fitting) if node.get("default") else fitting


def _integers(node):
    low = node.get("minimum", 0)
    return st.integers(low, min(node.get("maximum", low + 5), low + 5))


def _swept(key):
    node = find(schema(), key)
    return st.lists(values(node, key), min_size=2, max_size=2).map(
        lambda two: {"sweep": {key: {"values": two}}}
    )


SWEEPS = st.one_of(
    st.just({}),
    st.sampled_from(
        [key for key, _ in leaves(point_schema()) if not {*key.split(".")} & NAMES]
    ).flatmap(_swept),
)


@st.composite
def studies(draw):
    """Studies of one or two points."""
    node = schema()
    whole = {name: child for name, child in node["properties"].items() if "sweep" not in name}
    return {**draw(values({**node, "properties": whole})), **draw(SWEEPS)}
