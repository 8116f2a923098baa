"""The page holds all of a study, in one file that asks nobody for anything."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from glasspipe.files import results
from glasspipe.report.claims.writing import judge
from glasspipe.report.contents import figures_of, tables_of
from glasspipe.report.page import writing
from glasspipe.report.page.explorer import explorer, point_labels
from glasspipe.report.page.frozen import frozen
from glasspipe.report.study import open_study

MAILABLE = 10e6


class Reader(HTMLParser):
    """What a page shows and what it asks for."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.asked, self.words, self.within = set(), [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        about = dict(attrs)
        self.within.append(tag)
        self.ids |= {about["id"]} if "id" in about else set()
        if tag in ("img", "script", "iframe"):
            self.asked += filter(None, [about.get("src")])
        if tag == "link":
            self.asked.append(about.get("href"))

    def handle_data(self, data):
        if not self.within or self.within[-1] not in ("script", "style"):
            self.words.append(data)

    def handle_endtag(self, tag):
        if tag in self.within:
            del self.within[len(self.within) - 1 - self.within[::-1].index(tag) :]


@pytest.fixture(scope="module")
def study(finished):
    return open_study(finished.results).results


@pytest.fixture(scope="module")
def text(finished):
    return (finished.results / results.PAGE).read_text("utf-8")


@pytest.fixture(scope="module")
def read(text):
    return Reader(text)


def test_it_can_be_mailed_and_asks_for_nothing(text, read):
    assert len(text.encode()) < MAILABLE
    assert read.asked
    assert all(one.startswith("data:image/png;base64,") for one in read.asked)


def test_every_figure_and_table_is_there(study, read):
    assert {f"figure-{page.name}" for page in figures_of(study.config)} <= read.ids
    assert {f"table-{page.name}" for page in tables_of(study.config)} <= read.ids
    assert {"claims", "explorer", "frozen", "summary", "config", "costs"} <= read.ids


def test_it_says_what_was_run_in_words(read):
    words = " ".join(" ".join(read.words).split())
    assert "2 points, defects.concentration 0.01, 0.1; 3 realisations" in words
    assert (
        "Defects of the species uniaxial, axes 111, with γ₀ = 1 eV, η = 1 eV, ζ₀ = 1 eV Å, in"
        in words
    )
    assert "annealing of 2 replica(s) in 50 sweeps over 10 temperatures" in words
    assert "No figure tau_ratios: it needs a sweep of defects.gamma" in words


def test_it_has_the_headlines_of_the_summary(study, read):
    words = " ".join(read.words)
    numbers = [number for _, told in writing.headlines(study, judge(study)) for number in told]
    assert len(numbers) > 5
    assert all(name in words and value in words for name, value, _ in numbers)


def test_the_same_study_makes_the_same_page(study, text):
    assert writing.page(study, judge(study)) == text


def test_the_explorer_shows_the_files(study):
    drawn = explorer(study)
    data = study.curves(results.DISTRIBUTIONS)
    [slider] = drawn.layout.sliders
    assert [step.label for step in slider.steps] == ["x = 0.01", "x = 0.1"]
    last = slider.steps[1].args[0]
    traces = enumerate(drawn.data)
    theory = {trace.legendgroup: i for i, trace in traces if trace.hovertext == "theory"}
    name = study.points["point"].iloc[1]
    summary = study.summary.set_index(["point", "quantity", "statistic"]).sort_index()
    mine = study.defects.to_table().to_pandas().query("defects_concentration == 0.1")
    for quantity in ("B", "b_eta"):
        field = data.sel(point=name, quantity=quantity)
        rows = summary.loc[(name, quantity)].loc[
            ["q05", "median_abs", "quartile_half_width", "q95"]
        ]
        place = theory[quantity]
        found = np.array(last["y"][place - 1], dtype=float) * float(field["scale"])
        np.testing.assert_allclose(found, rows["estimate"], rtol=1e-3)
        found = np.array(last["y"][place], dtype=float) * float(field["scale"])
        np.testing.assert_allclose(found, rows["theory"], rtol=1e-3)
        errors = np.array(last["error_y.array"][place - 1], dtype=float) * float(field["scale"])
        np.testing.assert_allclose(errors, rows["stderr"], rtol=1e-3)
        above, edges = np.array(last["y"][place - 4], dtype=float), drawn.data[place - 4].x
        values = np.abs(mine[quantity].to_numpy()) / float(field["scale"])
        middle = np.searchsorted(edges, np.median(values))
        assert above[middle] == pytest.approx((values > edges[middle]).mean(), abs=1e-3)


def test_points_have_short_labels_that_are_text():
    table = pd.DataFrame({"point": ["a", "b"], "medium": ["<b>x</b>", "y&amp;"], "x": [0.1, 0.1]})
    assert point_labels(table) == {
        "a": "medium = &lt;b&gt;x&lt;/b&gt;",
        "b": "medium = y&amp;amp;",
    }
    same = pd.DataFrame(
        {"point": ["a", "b"], "one.gamma": [1.0, 2.0], "two.gamma": [1.0, 3.0], "x": [0.1, 0.1]}
    )
    assert point_labels(same)["b"] == "one.gamma = 2, two.gamma = 3"


def test_a_realisation_is_drawn_as_its_files_say(study):
    drawn = frozen(study)
    marks = [trace for trace in drawn.data if trace.mode == "markers"]
    assert [trace.visible for trace in marks] == [True, True, False, False]
    rows = study.defects.to_table().to_pandas().query("realisation == 0")
    first = rows[rows["defects_concentration"] == 0.01]
    numbers = np.concatenate([np.asarray(trace.customdata, dtype=float) for trace in marks[:2]])
    S = np.repeat([1, -1], [len(trace.x) for trace in marks[:2]])
    order = first["S"].to_numpy()[np.argsort(-first["S"].to_numpy(), kind="stable")]
    assert S.tolist() == order.tolist()
    expected = first.sort_values("S", ascending=False, kind="stable")[["B", "h", "b"]]
    np.testing.assert_allclose(numbers, expected, rtol=1e-3)


def test_a_page_of_many_points_stays_short(study):
    steps = explorer(study).to_dict()["layout"]["sliders"][0]["steps"]
    a_point = len(json.dumps(steps[0]))
    plotly = 5e6
    assert 100 * a_point < MAILABLE - plotly - 2e6


def test_what_is_not_known_is_empty():
    table = pd.DataFrame({"number": [1.5, np.nan], "text": ["word", None], "whole": [1, 2]})
    html = writing._table("some", table)
    [rows] = re.findall(r'"data_json": (".*")', html)
    assert json.loads(json.loads(rows)) == [
        [["1.5", 1.5], "word", 1],
        [["", "___NaN___"], "", 2],
    ]


def test_captions_have_mathematics(text):
    assert len(re.findall("<figcaption>", text)) == text.count('<figure id="figure-')
    assert text.count("<math ") > 10
    assert ":math:" not in text
    assert "system-message" not in text
