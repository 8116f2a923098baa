"""What the documentation names is there."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from glasspipe.report import kinds
from glasspipe.report.data_docs import dictionary

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("config/*.md")])
TEXTS = [*PAGES, *sorted(ROOT.glob("src/**/*.py")), *sorted(ROOT.glob("benchmarks/*.py"))]
LINK = re.compile(r"\]\(([^)#]+)[^)]*\)")
FOLDERS = "benchmarks|config|docs|src|tests|workflow"
FILE = re.compile(rf"`(?:python )?((?:{FOLDERS})/[\w./]+\.\w+)[^`]*`")
NAME = re.compile(r"`(glasspipe(?:\.\w+)+)`")


def relative(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_and_files(page):
    text = page.read_text("utf-8")
    links = [link for link in LINK.findall(text) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []
    assert [file for file in FILE.findall(text) if not (ROOT / file).exists()] == []


def test_names():
    found = {(name, relative(path)) for path in TEXTS for name in NAME.findall(path.read_text())}
    assert len(found) > 30
    assert [(name, where) for name, where in sorted(found) if not exists(name)] == []


def exists(name):
    """Whether a dotted name is a module, or something in one."""
    module, rest = name, []
    while module:
        try:
            value = import_module(module)
        except ModuleNotFoundError:
            module, _, last = module.rpartition(".")
            rest.insert(0, last)
        else:
            for part in rest:
                if not hasattr(value, part):
                    return part in getattr(value, "__dataclass_fields__", {})
                value = getattr(value, part)
            return True
    return False


def test_the_dictionary_of_the_files_is_in_step():
    assert dictionary() in (ROOT / "docs" / "data.md").read_text("utf-8")


def test_every_kind_of_theory_is_explained():
    page = (ROOT / "docs" / "data.md").read_text("utf-8")
    known = {kind for name, kind in vars(kinds).items() if name.isupper()}
    assert len(known) == 7
    assert [kind for kind in known if f"`{kind}`" not in page] == []
