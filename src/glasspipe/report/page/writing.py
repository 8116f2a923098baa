"""The page itself: its parts put into the template.

Whatever of it is a user's own text is escaped: by the template, by the tables, and where Plotly
would read it as HTML by the figures.
"""

import base64
import json
import sys
from collections.abc import Sequence
from importlib.resources import files
from inspect import cleandoc
from io import BytesIO
from pathlib import Path

import itables.options
import jinja2
import pandas as pd
import plotly.graph_objects as go
import plotly.io
import plotly.offline
from docutils.core import publish_parts
from itables import to_html_datatable
from itables.javascript import generate_init_offline_itables_html
from markupsafe import Markup
from PIL import Image

from glasspipe.errors import DataError
from glasspipe.files import results
from glasspipe.files.dataset import replacing
from glasspipe.report.claims import writing as claims
from glasspipe.report.contents import figures_of, tables_of, undecided
from glasspipe.report.costs import costs
from glasspipe.report.observable import Results
from glasspipe.report.page import configuration
from glasspipe.report.page.explorer import explorer
from glasspipe.report.page.frozen import frozen
from glasspipe.report.summary import headlines
from glasspipe.stages.forecast import REPORT

MOST_ROWS = 5000
"""Of a table in the page; all are in its file."""
_SHOWN = [25, 100, 500]
_LAYOUT = {"topStart": "pageLength", "bottomStart": "info", "bottomEnd": "paging"}
"""What a table of more rows than are shown at once has around it."""
_UNKNOWN = r"[\"NaN\", \"___NaN___\"]", r"[\"\", \"___NaN___\"]"
"""How a number that is not known comes in a table, and how it is shown, as in the files: not."""
_COLOURS = 128
_OCTREE = Image.Quantize.FASTOCTREE
_CLAIM = ["number", "statement", "verdict", "estimate", "stderr", "prediction"]
_CLAIM += ["measured", "equation", "reason"]


def write(found: Results, judged: Sequence[claims.Judged]) -> None:
    """Write ``report.html`` of a study, which needs no network and no other file.

    Parameters
    ----------
    found : Results
        The study, with its figures drawn.
    judged : sequence of Judged
        What it says of the statements.

    Raises
    ------
    DataError
        If a result file is missing or cannot be used.
    """
    try:
        text = page(found, judged)
    except (DataError, OSError):  # of a full disk above all
        raise
    except Exception as error:  # or the figures and tables would be lost with it
        why = f"the page could not be made: {type(error).__name__}: {error}"
        print(f"glasspipe report: {' '.join(why.split())}", file=sys.stderr)
        text = str(Markup("<!DOCTYPE html><title>no report</title><p>{}</p>").format(why))
    with replacing(found.folder / results.PAGE) as temporary:
        temporary.write_text(text, encoding="utf-8")


def page(found: Results, judged: Sequence[claims.Judged]) -> str:
    """Return the report of a study as HTML."""
    study, config = found.study, found.config
    about = study.about
    return _template().render(
        study=study.name,
        words=configuration.words(study),
        claims=_table("claims", claims.table(judged)[_CLAIM]),
        headlines=headlines(found, judged),
        figures=[
            (
                figure.name,
                _picture(found.folder, figure.name),
                _caption(figure.caption),
            )
            for figure in figures_of(config)
        ],
        absent=undecided(config),
        explorer=_plot("explorer", explorer(found)),
        frozen=_plot("frozen", frozen(found)),
        tables=[
            (table.name, _table(f"table-{table.name}", _without_names(table.values(found))))
            for table in tables_of(config)
        ],
        summary=_table("summary", _without_names(found.summary)),
        rows=(min(len(found.summary), MOST_ROWS), len(found.summary)),
        config=_table("config", configuration.table(config)),
        costs=_costs(found.folder),
        provenance={
            "config hash": about["config_hash"],
            "seed": config["seed"],
            "versions": ", ".join(f"{k} {v}" for k, v in json.loads(about["versions"]).items()),
            "git revision": about["git_revision"],
        },
        plotly=Markup(plotly.offline.get_plotlyjs()),
        datatables=Markup(generate_init_offline_itables_html(itables.options.dt_bundle)),
    )


def _template() -> jinja2.Template:
    text = files("glasspipe.report.page").joinpath("report.html.j2").read_text("utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(text)


def _table(name: str, table: pd.DataFrame) -> Markup:
    """Return a table that sorts and filters."""
    several = _LAYOUT if len(table) > _SHOWN[0] else dict.fromkeys(_LAYOUT)
    with pd.option_context("display.float_format", "{:.5g}".format):
        html = to_html_datatable(
            _texts_known(table.head(MOST_ROWS)),
            connected=False,
            table_id=name,
            showIndex=False,
            maxBytes=0,
            lengthMenu=_SHOWN,
            layout={"topEnd": "search", **several},
            display_logo_when_loading=False,
            scrollX=True,
        )
    return Markup(html.replace(*_UNKNOWN))


def _texts_known(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with empty texts in place of those that are not known."""
    texts = table.select_dtypes(exclude="number").columns
    return table.assign(**{name: table[name].astype(object).fillna("") for name in texts})


def _without_names(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table without the names of its points, which their swept values tell apart."""
    return table.drop(columns="point", errors="ignore")


def _costs(folder: Path) -> Markup | None:
    """Return what the jobs before the report took; nothing where they left no record."""
    try:
        taken = costs(folder)
    except DataError:
        return None
    return _table("costs", taken[taken["stage"] != REPORT])


def _plot(name: str, figure: go.Figure) -> Markup:
    """Return an interactive figure; the library is in the page once."""
    config = {"displaylogo": False, "responsive": True}
    html = plotly.io.to_html(
        figure, full_html=False, include_plotlyjs=False, div_id=name, config=config
    )
    return Markup(html)


def _picture(folder: Path, name: str) -> str:
    """Return a drawn figure as an address that holds it, in fewer colours to be short."""
    with Image.open(folder / "figures" / f"{name}.png") as image, BytesIO() as held:
        image.convert("RGB").quantize(_COLOURS, _OCTREE, dither=Image.Dither.NONE).save(held, "PNG")
        return "data:image/png;base64," + base64.b64encode(held.getvalue()).decode("ascii")


def _caption(text: str) -> Markup:
    """Return the caption of a figure, mathematics as MathML."""
    how = {"math_output": "MathML", "report_level": 5}
    return Markup(publish_parts(cleandoc(text), writer="html5", settings_overrides=how)["body"])
