from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import synthetic
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from glasspipe.files import results
from glasspipe.report import contents, figures, finishing, layout
from glasspipe.report.observable import Results
from glasspipe.report.observables import (
    fields,
    freezing,
    overlaps,
    random_field,
    realisation,
    strengths,
    sweeps,
    tunnelling,
    typical_and_width,
)
from glasspipe.report.presentation import TYPICAL, compact, pick
from glasspipe.report.style import JOURNALS, Style, style_of
from glasspipe.settings.point import point_from
from glasspipe.settings.schema import find, schema

FIGURES = tuple(contents.FIGURES.values())
SPECIES = {"defects.species": ["aligned", "rotor"]}


class Study:
    """A synthetic study and its files, read."""

    def __init__(self, folder, sweep=None, **options):
        synthetic.write(folder, sweep, samples=400, **options)
        self.found = Results(folder)
        self.summary = self.found.summary
        self.fits = self.found.fits
        self.histograms = self.found.curves(results.DISTRIBUTIONS)
        self.traces = self.found.curves(results.TRACES)
        self.freezing = self.found.curves(results.FREEZING)

    def draw(self):
        return {figure.name: figure.draw(self.found) for figure in FIGURES}

    def but(self, **changed):
        """Return the results with another summary, or other curves by the name of their file."""
        return synthetic.but(self.found, **changed)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return Study(tmp_path_factory.mktemp("study"), {synthetic.X: [1e-3, 1e-2, 0.03, 0.3]})


@pytest.fixture(scope="module")
def drawn(study):
    return study.draw()


def points_of(axes):
    """The markers of each container of estimates: x, y and the half length of the bar."""
    found = []
    for container in axes.containers:
        marks, _, [bars] = container
        ends = [np.ravel(segment)[1::2] for segment in bars.get_segments()]
        half = [(pair[1] - pair[0]) / 2 if len(pair) == 2 else np.nan for pair in ends]
        x, y = np.asarray(marks.get_xydata(), dtype=float).T
        found.append((x, y, np.array(half)))
    return found


def theory_of(axes):
    """The bars of theory."""
    estimates = {mark for container in axes.containers for mark in (container[0], *container[1])}
    return [line for line in axes.lines if line.get_marker() == "_" and line not in estimates]


def curves_of(axes):
    """The lines without markers that are not horizontal rules."""
    bars = {mark for container in axes.containers for mark in (container[0], *container[1])}
    return [line for line in axes.lines if line not in bars and line.get_marker() != "_"]


def labels_of(legend):
    return [text.get_text() for text in legend.get_texts()]


def notes_of(axes):
    return [text.get_text() for text in axes.texts]


def test_all_figures_are_files_whose_bytes_depend_on_the_data_only(tmp_path):
    report = {"vector": "both"}
    study = Study(tmp_path / "two%_points", {synthetic.X: [0.01, 0.1]}, report=report)
    with mpl.rc_context({"font.size": 20}):
        figures.write(study.found, FIGURES)
        assert mpl.rcParams["font.size"] == 20
    folder = study.found.folder / "figures"
    made = {path.name: path.read_bytes() for path in folder.iterdir()}
    kinds = ("pdf", "svg", "png")
    names = [figure.name for figure in FIGURES]
    assert set(made) == {f"{name}.{kind}" for name in names for kind in (*kinds, "rst")}
    captions = {made.pop(f"{name}.rst") for name in names}
    assert len(captions) == len(names)
    about = f"study two%_points, config {study.found.study.about['config_hash']}".encode()
    assert all(about in data for data in made.values())
    assert not any(b"CreationDate" in data or b"dc:date" in data for data in made.values())
    [again] = [figure for figure in FIGURES if figure.name == "distribution_B"]
    figures.write(study.found, [again])
    for kind in kinds:
        name = f"distribution_B.{kind}"
        assert (folder / name).read_bytes() == made[name]


def test_estimates_and_theory_are_those_of_the_summary(study, drawn):
    top, bottom = drawn["typical_and_width"].axes
    assert len(theory_of(top)) == 2
    for statistic, container, residual, theory in zip(
        ("std", TYPICAL), points_of(top), points_of(bottom), theory_of(top), strict=True
    ):
        picked = pick(study.summary, "B", statistic, ["p0", "p1", "p2", "p3"])
        x, estimate, error = container
        np.testing.assert_allclose(x, [1e-3, 1e-2, 0.03, 0.3])
        np.testing.assert_allclose(estimate, picked["estimate"])
        np.testing.assert_allclose(error, picked["stderr"])
        np.testing.assert_allclose(theory.get_xydata()[:, 1], picked["theory"])
        np.testing.assert_allclose(residual[1], 100 * (picked["estimate"] / picked["theory"] - 1))
        np.testing.assert_allclose(residual[2], 100 * picked["stderr"] / picked["theory"])


def test_the_fitted_exponents_are_in_the_legend(study, drawn):
    width, typical, *theory = labels_of(drawn["typical_and_width"].legends[0])
    fits = study.fits.query("quantity == 'B'").set_index("against")
    for label, against in ((width, "x(1-x)"), (typical, "x")):
        assert f"p={compact(fits.loc[against, 'exponent'], fits.loc[against, 'stderr'])}" in label
    assert theory == ["theory (exact)", "few defects"]


def test_lines_are_drawn_where_they_are_known_between_the_points(study, drawn):
    """The square of the width over x is linear in x, and the limit of B_0 is a power."""
    width, limit = curves_of(drawn["typical_and_width"].axes[0])
    exact = pick(study.summary, "B", "std", ["p0", "p1", "p2", "p3"])["theory"].to_numpy()
    x, y = np.asarray(width.get_xydata()).T
    assert len(x) == 200
    at = np.array([1e-3, 1e-2, 0.03, 0.3])
    np.testing.assert_allclose(y**2 / x, np.interp(x, at, exact**2 / at), rtol=1e-12)
    (low, high), values = limit.get_xdata()[[0, -1]], limit.get_ydata()
    assert values[-1] / values[0] == pytest.approx(high / low)


def test_fields_carry_their_powers_and_theory(drawn):
    [axes] = drawn["fields_against_x"].axes
    assert len(points_of(axes)) == len(theory_of(axes)) == 5
    *fields, theory, few = labels_of(axes.figure.legends[0])
    limits = [label.rpartition(" ")[2] for label in fields]
    assert limits == ["(1)", "(1)", "(4/3)", "(4/3)", "(5/3)"]
    assert (theory, few) == ("theory (exact)", "few defects")


def test_what_is_no_exact_theory_is_pale_and_says_what_it_is(study):
    summary = study.summary.copy()
    changed = summary["quantity"].isin(["U_S", "b_gamma"]) & (summary["theory_kind"] != "")
    summary.loc[changed, "theory_kind"] = "independent signs"
    figure = strengths.fields_against_x(study.but(summary=summary))
    [axes] = figure.axes
    assert [line.get_alpha() for line in theory_of(axes)] == [1.0, 0.4, 0.4, 1.0, 1.0]
    told = labels_of(axes.figure.legends[0])[5:7]
    assert told == ["theory (exact)", "theory (independent signs)"]
    table = strengths.typical_fields_latex(study.but(summary=summary))
    assert r"independent signs: $\Sigma_j U_{ij}S_j$, $b^\gamma$" in table


def test_each_point_has_its_density_and_law_beside_one_limit(drawn):
    core, tail = drawn["distribution_B"].axes
    assert [line.get_linestyle() for line in core.lines] == ["-"] * 4 + [":"] * 4 + ["--"]
    assert len(tail.lines) == len(core.lines)
    assert labels_of(core.figure.legends[0])[4:] == ["few defects: Cauchy", "law on the lattice"]
    assert tail.get_xscale() == tail.get_yscale() == "log"
    for law, reach in ((core.lines[-1], np.inf), (core.lines[-2], 9)):
        u = law.get_xdata()
        assert np.abs(u).max() <= reach
        narrow = np.abs(u) < 1
        np.testing.assert_allclose(
            law.get_ydata()[narrow], 1 / np.pi / (1 + u[narrow] ** 2), rtol=0.02
        )
    u, above = tail.lines[-2].get_data()
    assert u.max() <= 9
    np.testing.assert_allclose(above, 1 - 2 * np.arctan(u) / np.pi, rtol=1e-3)


def test_each_field_is_shown_on_the_law_of_its_own(drawn):
    panels = drawn["distribution_b_tau"].axes
    assert [axes.get_xlabel() for axes in panels[:3]] == [r"$b^\gamma/c$", r"$b^\eta/c$", "$b/c$"]
    for name, law in (
        ("b_tau", r"stable, $\alpha=3/4$"),
        ("h", "Cauchy"),
        ("J", r"stable, $\alpha=3/5$"),
    ):
        [legend] = drawn[f"distribution_{name}"].legends
        assert f"few defects: {law}" in labels_of(legend)


def test_of_many_points_some_have_curves_and_the_colour_bar_says_so(tmp_path):
    numbers = np.geomspace(1e-4, 0.3, 20)
    study = Study(tmp_path, {synthetic.X: numbers.tolist()}, fits=False)
    core, _, bar = fields.distribution(study.found, "B").axes
    assert sum(line.get_linestyle() == "-" for line in core.lines) == 8
    assert bar.get_xlabel() == "concentration $x$ (8 of 20 points)"
    drawn = strengths.fields_against_x(study.found)
    assert all(len(x) == 20 for x, _, _ in points_of(drawn.axes[0]))


def test_energies_are_in_units_of_the_interaction(study, drawn):
    energies, excess, acceptances = drawn["energy_temperature"].axes
    assert len(energies.lines) == len(excess.lines) == len(acceptances.lines) == 4
    unit = synthetic.scale({synthetic.X: 0.3}, "U_S")
    T, energy = energies.lines[-1].get_data()
    np.testing.assert_allclose(T * unit, study.traces["T"].sel(point="p3"))
    np.testing.assert_allclose(energy * unit, study.traces["energy"].sel(point="p3"))
    np.testing.assert_allclose(excess.lines[-1].get_ydata(), energy - energy[-1])


def test_a_trace_that_is_shorter_than_others_ends_where_it_ends(study, drawn):
    energies, excess, *_ = drawn["energy_temperature"].axes
    known = study.traces["T"].sel(point="p0").count()
    assert len(energies.lines[0].get_xdata()) == known < study.traces.sizes["step"]
    assert excess.lines[0].get_ydata()[-1] == 0


def test_curves_of_freezing_are_in_units_of_the_interaction(drawn):
    overlaps, heats, gaps = drawn["freezing"].axes
    assert len(overlaps.lines) == 2 * 4 + 1
    assert len(heats.lines) == 2 * 4
    assert len(gaps.lines) == 4
    T, overlap = overlaps.lines[0].get_data()
    assert np.interp(0.5, overlap, T) == pytest.approx(4, rel=0.02)
    np.testing.assert_allclose(heats.lines[1].get_ydata(), 0.9 * heats.lines[0].get_ydata())
    *points, solid, dotted = labels_of(overlaps.figure.legends[0])
    assert points == ["$x$ = 0.001", "$x$ = 0.01", "$x$ = 0.03", "$x$ = 0.3"]
    assert (solid[:19], dotted[:18]) == ("$|q|$ of replicas, ", "$|q|$ by $B$ alone")


def test_one_replica_has_no_overlap(study):
    alone = study.freezing.drop_vars(["overlap_abs", "overlap_abs_stderr"])
    heats, gaps = freezing.freezing(study.but(freezing=alone)).axes
    assert (heats.get_ylabel(), gaps.get_ylabel()) == ("$C/Nk_B$", "density")
    assert notes_of(heats) == []
    without = study.summary[study.summary["statistic"] != "overlap"]
    follow, correlations = random_field.random_field(study.but(summary=without)).axes
    assert "sgn" in follow.get_ylabel()
    assert correlations.get_ylabel() == "rank correlation"


def test_freezing_temperatures_stand_beside_the_interaction(drawn):
    top, bottom = drawn["freezing_temperature"].axes
    scale, D = (line for line in curves_of(top) if len(line.get_xdata()) == 4)
    assert D.get_linestyle() == "--"
    ratios = points_of(bottom)
    for (x, y, error), (_, over, _), factor in zip(points_of(top), ratios, (4, 2, 8), strict=True):
        np.testing.assert_allclose(x, [1e-3, 1e-2, 0.03, 0.3])
        np.testing.assert_allclose(error, y / 20)
        np.testing.assert_allclose(y, factor * scale.get_ydata())
        np.testing.assert_allclose(over, factor)


def test_couplings_have_a_panel_each_and_a_colour_a_point(study, drawn):
    panels = drawn["couplings_distance"].axes
    assert [axes.get_title()[:9] for axes in panels[:2]] == ["$U_{ij}$", "$B_{ij}$"]
    assert len(panels) == 5
    data = study.found.curves(results.LOW_ENERGY)
    assert [len({str(mark[0].get_color()) for mark in axes.containers}) for axes in panels] == [
        4
    ] * 5
    R, rms, _ = points_of(panels[-1])[1]
    wanted = data["rms"].sel(point="p0", coupling="J_ij").to_numpy()
    np.testing.assert_allclose(rms, wanted[np.isin(data["distance"], R)])


def steps_of(line):
    """The heights of the bins of a histogram that is drawn as a line."""
    return line.get_ydata()[1:]


def test_the_distribution_of_the_overlap_is_normalised_and_at_its_temperature(study, drawn):
    lowest, around = drawn["overlap_distribution"].axes
    assert len(lowest.lines) == len(around.lines) == 4
    counts, T = study.freezing["overlap_count"], study.freezing["freezing_T"]
    for number, (end, middle) in enumerate(zip(lowest.lines, around.lines, strict=True)):
        name = f"p{number}"
        assert steps_of(end) @ np.full(40, 0.05) == pytest.approx(1)
        np.testing.assert_allclose(steps_of(end), counts.sel(point=name)[-1] / 1000 / 0.05)
        T_G = 4 * synthetic.energy_scale({synthetic.X: [1e-3, 1e-2, 0.03, 0.3][number]})
        step = np.argmin(np.abs(np.log(T.sel(point=name).to_numpy() / T_G)))
        np.testing.assert_allclose(steps_of(middle), counts.sel(point=name)[step] / 1000 / 0.05)
        np.testing.assert_allclose(end.get_xdata(), np.linspace(-1, 1, 41))


def test_where_the_overlap_never_is_one_half_it_is_shown_at_the_heat_peak(study):
    summary = study.summary[study.summary["statistic"] != "overlap_half"]
    _, around = overlaps.overlap_distribution(study.but(summary=summary)).axes
    T = study.freezing["freezing_T"].sel(point="p0")
    T_G = 2 * synthetic.energy_scale({synthetic.X: 1e-3})
    step = np.argmin(np.abs(np.log(T.to_numpy() / T_G)))
    counts = study.freezing["overlap_count"].sel(point="p0")[step]
    np.testing.assert_allclose(steps_of(around.lines[0]), counts / 1000 / 0.05)
    neither = summary[summary["statistic"] != "heat_peak"]
    lowest, around = overlaps.overlap_distribution(study.but(summary=neither)).axes
    assert (notes_of(lowest), notes_of(around)) == ([], ["no $T_G$"])
    alone = study.freezing.drop_vars("overlap_count")
    for axes in overlaps.overlap_distribution(study.but(freezing=alone)).axes[:2]:
        assert notes_of(axes) == ["one replica:\nno overlap"]


def test_what_random_fields_do_is_drawn_with_its_errors_one_colour_a_series(tmp_path):
    sweep = {"defects.number": [100, 400, 1600], "defects.eta": [float(i) for i in range(8)]}
    study = Study(tmp_path, sweep, fits=False)
    changed = study.summary["statistic"] == "overlap"
    study.summary.loc[changed, "estimate"] *= np.linspace(0.1, 1, changed.sum())
    figure = random_field.random_field(study.found)
    overlap, alignment, correlations = figure.axes
    assert figure.axes[-1].get_xlabel() == "$N$"
    [legend] = figure.legends
    assert labels_of(legend) == [rf"$\eta$ = {i} eV" for i in range(8)]
    for axes, names in (
        (overlap, ["overlap"]),
        (alignment, ["alignment"]),
        (correlations, ["B_and_U_S", "size_B_and_U"]),
    ):
        found = points_of(axes)
        assert len(found) == 8 * len(names)
        for number, (x, y, error) in enumerate(found):
            series, name = divmod(number, len(names))
            points = [f"p{8 * size + series}" for size in range(3)]
            picked = pick(study.summary, "random_field", names[name], points)
            np.testing.assert_allclose(x, [100, 400, 1600])
            np.testing.assert_allclose(y, picked["estimate"])
            np.testing.assert_allclose(error, picked["stderr"])


def test_without_random_fields_only_the_overlap_is_shown(tmp_path):
    study = Study(tmp_path, {synthetic.X: [1e-3, 1e-2]}, vanish=("B",))
    panels = random_field.random_field(study.found).axes
    assert [notes_of(axes) for axes in panels] == [[], ["$B=0$"], ["$B=0$"]]


def test_energy_against_sweeps_has_its_limit_and_the_sweeps_needed(tmp_path):
    numbers = [100, 300, 1000, 3000]
    study = Study(tmp_path, {"freeze.sweeps": numbers, synthetic.X: [0.01, 0.1]}, fits=False)
    figure = sweeps.energy_sweeps(study.found)
    assert [axes.get_title() for axes in figure.axes] == [
        "concentration = 0.01 per site",
        "concentration = 0.1 per site",
    ]
    for axes, x, unit in zip(figure.axes, (0.01, 0.1), (1e-4, 1e-3), strict=True):
        assert f"10^{{{np.log10(unit):.0f}}}" in axes.get_ylabel()
        [(s, energy, error)] = points_of(axes)
        limit = -8 * synthetic.energy_scale({synthetic.X: x}) / unit
        np.testing.assert_allclose(s, numbers)
        np.testing.assert_allclose(energy, limit * (1 - 0.05 * s**-0.2))
        np.testing.assert_allclose(error, -energy / 20)
        curve, level, needed = curves_of(axes)
        np.testing.assert_allclose(level.get_ydata(), limit)
        np.testing.assert_allclose(
            curve.get_ydata(), limit * (1 - 0.05 * curve.get_xdata() ** -0.2)
        )
        assert needed.get_xdata()[0] == 3100
        assert labels_of(axes.get_legend())[1] == "1 %: 3100"


def test_sweeps_that_are_not_swept_are_said_to(drawn):
    [axes] = drawn["energy_sweeps"].axes
    assert notes_of(axes) == ["freeze.sweeps\nis not swept"]


def test_lines_that_are_not_drawn_have_no_key(tmp_path):
    for sweep, keys in (
        ({synthetic.X: [1e-3, 1e-2]}, ["$x=0.001$", "$x=0.01$"]),
        ({"defects.gamma": [1.0, 2.0]}, ["$x=0.01$", "proportional"]),
    ):
        synthetic.write(tmp_path, sweep, samples=400)
        figure = strengths.tau_ratios(Results(tmp_path))
        assert labels_of(figure.legends[0]) == keys


def told(figure):
    return [label for legend in figure.legends for label in labels_of(legend)]


def test_of_a_single_point_levels_are_drawn_and_limits_not_spoken_of(tmp_path):
    drawn = Study(tmp_path / "alone", {synthetic.X: [0.02]}, fits=False).draw()
    top, _ = drawn["freezing_temperature"].axes
    levels = [line.get_ydata()[0] for line in top.lines if list(line.get_xdata()) == [0, 1]]
    assert levels == [pytest.approx(1e-4), pytest.approx(1e-6)]
    assert told(drawn["freezing_temperature"])[-2:] == ["$xU_0$", "$D$"]
    for name in ("typical_and_width", "fields_against_x"):
        assert told(drawn[name])[-1] == "theory (exact)"


def test_legends_are_silent_on_what_is_not_known_and_axes_in_the_unit_of_energy(study):
    """A user's own file has no xU_0, and with stray fields of its own no theory of B."""
    T_G, free = (study.summary["quantity"] == name for name in ("T_G", "free_S"))
    unknown = T_G & (study.summary["statistic"] == "x_U_0")
    unknown |= free & (study.summary["statistic"] == "paper")
    summary = study.summary[~unknown].assign(theory=np.nan, theory_kind="")
    few = study.histograms.assign(limit_typical=study.histograms["limit_typical"] * np.nan)
    without = study.freezing.assign(x_U_0=study.freezing["x_U_0"] * np.nan)
    found = study.but(summary=summary, freezing=without, distributions=few)
    vars(found)["style"] = style_of({"report": {"energy": "meV"}})
    drawn = {figure.name: figure.draw(found) for figure in FIGURES}
    [_, heats, _] = drawn["freezing"].axes
    assert heats.get_xlabel() == "temperature $k_BT$ (meV)"
    T = study.freezing["freezing_T"].sel(point="p0")
    np.testing.assert_allclose(heats.lines[0].get_xdata(), 1e3 * T)
    assert "$D$" in told(drawn["freezing_temperature"])
    legends = " ".join(label for figure in drawn.values() for label in told(figure))
    assert "xU_0" not in legends
    for name in ("typical_and_width", "fields_against_x", "free_spins"):
        assert not [label for label in told(drawn[name]) if "few defects" in label]


def test_the_dashed_law_of_levels_has_a_key(study):
    data = study.found.curves(results.LOW_ENERGY)
    axes, *_ = tunnelling.level_density(study.found).axes
    [legend] = axes.figure.legends
    assert labels_of(legend)[-2:] == ["found", "stable law of $b$"]
    assert [line.get_linestyle() for line in legend.get_lines()][-2:] == ["-", "--"]
    unknown = data.assign(P_theory=data["P_theory"] * np.nan)
    [legend] = tunnelling.level_density(study.but(low_energy=unknown)).legends
    assert "stable law of $b$" not in labels_of(legend)


def test_merging_bins_keeps_their_probability():
    edges = np.array([-8, -2, -0.5, -0.25, -0.125, 0, 0.125, 0.25, 0.5, 2, 8])
    density = np.array([0.01, 0.1, 0.5, 0.2, 0.9, 0.3, 0.7, 0.1, 0.2, 0.03])
    kept, merged = fields.merged(edges, density)
    np.testing.assert_allclose(kept, [-8, -2, -0.5, -0.25, 0, 0.25, 0.5, 2, 8])
    assert merged @ np.diff(kept) == pytest.approx(density @ np.diff(edges))
    np.testing.assert_allclose(merged[3:5], [(0.2 + 0.9) / 2, (0.3 + 0.7) / 2])


def test_tails_are_the_probability_above_on_both_sides():
    edges = np.array([-9.0, -4.0, -1.0, 0.0, 1.0, 4.0, 9.0])
    inside = np.array([0.01, 0.09, 0.3, 0.35, 0.2, 0.0])
    u, above = fields.above(edges, inside / np.diff(edges))
    np.testing.assert_allclose(u, [1.0, 4.0, 9.0])
    np.testing.assert_allclose(above, [0.35, 0.06, 0.05])  # 0.05 lies beyond the edges


def test_nothing_is_drawn_where_nothing_is_above():
    _, above = fields.above(np.array([-4.0, -1.0, 0.0, 1.0, 4.0]), np.array([0, 0.6, 0.4, 0]))
    assert np.isnan(above).all()


def test_a_limit_that_differs_between_points_is_drawn_for_each(study):
    histograms = study.histograms.copy()
    factor = [1.0, 1.0, 1.0, 1.1] * histograms["point"].astype(bool)
    histograms["limit_density"] = factor * histograms["limit_density"]
    core, *_ = fields.distribution(study.but(distributions=histograms), "B").axes
    styles = ["-"] * 4 + [":"] * 4 + ["--"] * 4
    assert [line.get_linestyle() for line in core.lines] == styles


def test_every_defect_of_the_realisation_is_a_mark_on_its_axis(study, drawn):
    [axes] = drawn["realisation"].axes
    lines, marks = axes.collections
    assert len(lines._segments3d) == len(marks.get_sizes()) == 30
    data = study.freezing.sel(point="p3")
    middle = np.mean(lines._segments3d, axis=1)
    np.testing.assert_allclose(middle, data["first_position"])
    areas = np.abs(data["first_h"]) / np.median(np.abs(data["first_h"]))
    np.testing.assert_allclose(np.sort(marks.get_sizes()), np.sort(np.minimum(4 * areas, 40)))
    fewer = study.freezing.sel(point=["p0"]).isel(point=[0, 0, 0, 0])
    fewer = fewer.assign_coords(point=study.freezing["point"].to_numpy())
    [axes] = realisation.realisation(study.but(freezing=fewer)).axes
    assert len(axes.collections[0]._segments3d) == 25


LAYOUTS = {(1, 1): (1, 1), (1, 4): (1, 4), (1, 5): (2, 3), (2, 12): (6, 4), (3, 12): (6, 6)}


@pytest.mark.parametrize(("wanted", "cells"), LAYOUTS.items())
def test_figures_fit_a_page(wanted, cells):
    rows, series = wanted
    figure, panels = layout.grid(Style(), rows, series, height=5.0)
    assert panels.shape == (rows, series)
    spec = panels[0, 0].get_subplotspec().get_gridspec()
    assert (spec.nrows, spec.ncols) == cells
    assert figure.get_figwidth() == (3.375 if series == 1 else 7.0)
    layout.legend(figure, [layout.key(f"entry {n}" * 3, color="black") for n in range(12)])
    finishing.finish(figure, tallest=8.6)
    assert figure.get_figheight() <= 8.6
    titles = [axes.get_title("left") for axes in panels.ravel()]
    assert (titles[0] == "(a)") == (len(titles) > 1)
    assert len(set(titles)) == len(titles)
    renderer = FigureCanvasAgg(figure).get_renderer()
    box, page = figure.legends[0].get_window_extent(renderer), figure.bbox
    assert box.x0 >= page.x0
    assert box.x1 <= page.x1
    assert box.y1 <= page.y1 + 1
    assert all(axes.get_window_extent().y1 < box.y0 for axes in figure.axes)


def test_each_series_has_panels_of_its_own(tmp_path):
    study = Study(tmp_path, {synthetic.X: [1e-3, 1e-2], **SPECIES})
    drawn = study.draw()
    titles = ["species = aligned", "species = rotor"]
    panels = drawn["typical_and_width"].axes
    assert [axes.get_title() for axes in panels] == [*titles, "", ""]
    assert [len(points_of(axes)) for axes in panels] == [2] * 4
    panels = drawn["distribution_b_tau"].axes
    assert [axes.get_xlabel() for axes in panels] == ["$b/c$"] * 2 + ["$|b|/c$"] * 2
    assert [axes.get_title() for axes in drawn["fields_against_x"].axes] == titles
    [legend] = drawn["random_field"].legends
    assert labels_of(legend) == titles


def test_a_field_that_vanishes_is_said_to(tmp_path):
    study = Study(tmp_path, {synthetic.X: [1e-3, 1e-2]}, vanish=("B", "b_eta"))
    drawn = study.draw()
    core, *_ = drawn["distribution_B"].axes
    assert notes_of(core) == ["the field vanishes"]
    top, bottom = drawn["typical_and_width"].axes
    assert [y.tolist() for _, y, _ in points_of(top)] == [[0, 0], [0, 0]]
    assert notes_of(bottom) == ["no theory"]
    [axes] = drawn["fields_against_x"].axes
    assert {"$B=0$", r"$b^\eta=0$"} < set(labels_of(axes.figure.legends[0]))
    assert np.isnan(points_of(axes)[0][1]).all()


def test_series_beyond_the_page_are_counted(tmp_path):
    sweep = {synthetic.X: [1e-3, 1e-2], "defects.gamma": [float(i) for i in range(1, 15)]}
    study = Study(tmp_path, sweep)
    figure = strengths.fields_against_x(study.found)
    assert len(figure.axes) == layout.MOST_SERIES == 12
    assert figure.get_supxlabel() == "the first 12 of 14 series"
    [legend] = random_field.random_field(study.found).legends
    assert labels_of(legend)[-1] == "and 2 more"


ODD = {
    "a single point": {"sweep": {}, "fits": False},
    "names, no theory": {"sweep": SPECIES, "fits": False, "theory": False},
    "another number, from 0": {"sweep": {"defects.eta": [0.0, 0.5, 1.0]}, "fits": False},
    "no fields": {"sweep": {synthetic.X: [1e-3, 1e-2]}, "vanish": tuple(synthetic.ALPHA)},
    "many points": {"sweep": {synthetic.X: np.geomspace(1e-4, 0.3, 14).tolist()}},
}


@pytest.mark.parametrize("options", ODD.values(), ids=ODD)
def test_odd_studies_are_drawn_without_a_warning(tmp_path, options):
    for name, figure in Study(tmp_path, **options).draw().items():
        figure.draw_without_rendering()
        assert figure.axes, name


def test_the_style_is_that_of_the_config():
    assert style_of({}) == Style()
    found = style_of({"report": {"journal": "nature", "font_size": 6, "energy": "K"}})
    assert found.journal.page == pytest.approx(183 / 25.4)
    assert found.matplotlib["font.size"] == found.matplotlib["legend.fontsize"] == 6
    assert found.energy[1] == "K"
    assert find(schema(), "report.journal")["enum"] == list(JOURNALS)


def test_energies_of_all_figures_are_in_the_unit_of_the_study(study):
    kelvin = study.but()
    vars(kelvin)["style"] = style_of({"report": {"energy": "K"}})
    for name in ("typical_and_width", "fields_against_x", "freezing_temperature"):
        one, other = (contents.FIGURES[name].draw(found).axes[0] for found in (study.found, kelvin))
        assert one.get_ylabel().endswith("(eV)")
        assert other.get_ylabel() == one.get_ylabel().replace("(eV)", "(K)")
        for (_, y, _), (_, same, _) in zip(points_of(one), points_of(other), strict=True):
            np.testing.assert_allclose(same, y / 8.617333262e-5)


def test_the_width_between_points_knows_the_stray_fields():
    """Its square is that of the stray fields, and x(a + bx) of the defects: a parabola in all."""
    x, stray = np.array([1e-3, 1e-2, 1e-1]), np.array([3.0, 3.0, 3.0])

    def width(x):
        return np.sqrt(9.0 + x * (50.0 - 40.0 * x))

    axes = Figure().subplots()
    series, rising = SimpleNamespace(position=x), SimpleNamespace(rises=True)
    typical_and_width._draw_widths(axes, rising, series, (pd.Series(width(x)), stray), "black")
    [line] = axes.lines
    np.testing.assert_allclose(line.get_ydata(), width(line.get_xdata()), rtol=1e-12)


def test_the_stray_width_is_that_of_the_config():
    spread = {"distribution": "uniform", "parameters": {"loc": 1.0, "scale": 12**0.5 / 4}}
    for E, expected in ((spread, 0.25), (0.3, 0.0)):
        point = point_from({"defects": {"concentration": 0.01, "E": E}})
        study = SimpleNamespace(point=lambda _, point=point: SimpleNamespace(point=point))
        found, series = SimpleNamespace(study=study), SimpleNamespace(points=["one", "two"])
        widths = typical_and_width._stray_widths(found, series)
        np.testing.assert_allclose(widths, [expected] * 2, rtol=1e-12)


def test_values_that_are_close_share_a_label():
    axes = Figure().subplots()
    axes.set(xscale="log", xlim=(0.3, 3.0))
    strengths._label_values(axes, np.array([0.65, 0.66, 0.691, 1.3, 1.32, 1.38]))
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["0.65", "", "", "1.3", "", ""]
