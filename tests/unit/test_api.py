"""The public names are there, and the example of the package runs."""

from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
import yaml

import glasspipe


def test_public_names_are_there():
    for name in glasspipe.__all__:
        assert getattr(glasspipe, name) is not None
    assert set(glasspipe.__all__) <= set(dir(glasspipe))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = glasspipe.nothing


def test_the_example_runs(capsys):
    text = glasspipe.__doc__.partition("fields on τ:\n")[2]
    assert len(text.split("\n\n")) < 8
    exec(compile(dedent(text), "example", "exec"), {})
    B, b = map(float, capsys.readouterr().out.split())
    assert 1e-5 < B < 1e-2
    assert 0 < b < B
    assert np.isfinite(b)


def test_the_citation_has_the_version():
    citation = yaml.safe_load((Path(__file__).parents[2] / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == glasspipe.__version__
