"""The claims of a study as a table and as a page, and in one line."""

from collections import Counter
from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

import pandas as pd

from glasspipe.files import results
from glasspipe.files.dataset import replacing
from glasspipe.report.claims.evidence import read
from glasspipe.report.claims.rules import REFUTED, SUPPORTED, UNDECIDED, Finding
from glasspipe.report.claims.table import CLAIMS, Claim
from glasspipe.report.observable import Results
from glasspipe.report.presentation import plus_minus


class Judged(NamedTuple):
    """A statement and what a study says of it."""

    claim: Claim
    finding: Finding


def judge(found: Results) -> list[Judged]:
    """Judge every statement by the result files of a study.

    Raises
    ------
    DataError
        If one of them is missing or cannot be used.
    """
    evidence = read(found)
    return [Judged(claim, claim.found(evidence)) for claim in CLAIMS]


def write(found: Results, judged: Sequence[Judged]) -> None:
    """Write ``claims.csv`` and ``claims.md`` of a study into its folder."""
    results.write_csv(found.folder / results.CLAIMS, table(judged))
    with replacing(found.folder / results.CLAIMS_TEXT) as temporary:
        temporary.write_text(page(found.study.name, judged), encoding="utf-8")


def table(judged: Sequence[Judged]) -> pd.DataFrame:
    """Return a row for each statement, numbers to the last digit."""
    rows = [
        {
            "number": claim.number,
            "statement": claim.statement,
            "equation": claim.equation,
            "measured": claim.measured,
            "estimate": finding.estimate,
            "stderr": finding.stderr,
            "prediction": finding.prediction,
            "source": claim.source,
            "verdict": finding.verdict,
            "reason": finding.reason,
            "rule": claim.rule,
            "study": claim.study,
        }
        for claim, finding in judged
    ]
    return pd.DataFrame(rows)


def headline(judged: Sequence[Judged]) -> str:
    """Return how many statements are supported, refuted and not decided."""
    counts = Counter(finding.verdict for _, finding in judged)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in (SUPPORTED, REFUTED, UNDECIDED))


def page(study: str, judged: Sequence[Judged]) -> str:
    """Return the claims as a page of Markdown: a table, then each with its rule."""
    lines = [
        f"# Statements of the paper, by the study {_text(study)}",
        "",
        f"{headline(judged)}. σ is a standard error; for several numbers 3σ stands for what the"
        " largest of so many deviations exceeds as rarely as a single one 3σ.",
        "",
        "| | statement | paper | measured | number | prediction | verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    for claim, finding in judged:
        cells = (
            claim.number,
            claim.statement,
            claim.equation,
            claim.measured,
            _number(finding),
            f"{finding.prediction:.4g}" if isfinite(finding.prediction) else "",
            finding.verdict,
        )
        lines.append(f"| {' | '.join(map(_text, cells))} |")
    lines += ["", "## What the verdicts rest on", ""]
    for claim, finding in judged:
        where = _elsewhere(claim, finding)
        lines.append(
            f"* {claim.number}: {_text(finding.reason)}. Prediction: {claim.source}.{where}"
        )
    lines += ["", "## Rules", ""]
    for rule in dict.fromkeys(claim.rule for claim in CLAIMS):
        numbers = ", ".join(claim.number for claim in CLAIMS if claim.rule == rule)
        lines.append(f"* {numbers}: {_text(rule)}.")
    return "\n".join([*lines, ""])


def _elsewhere(claim: Claim, finding: Finding) -> str:
    if finding.verdict != UNDECIDED:
        return ""
    if not claim.study:
        return " No study decides it."
    return f" Made to decide it: `config/studies/{claim.study}.yaml`."


def _number(finding: Finding) -> str:
    return plus_minus(finding.estimate, finding.stderr) if isfinite(finding.estimate) else ""


def _text(text: str) -> str:
    """Return plain text such that a table of Markdown shows it as it is."""
    for sign in ("\\", "|", "*", "_", "`", "<"):
        text = text.replace(sign, f"\\{sign}")
    return text
