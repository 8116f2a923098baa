"""Whatever becomes of a file of a study, who reads it says so in one line, or makes the same of it.

`make fuzz` tries many more, other ones each time.
"""

from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from configs import fuzzed
from hypothesis import event, given
from hypothesis import strategies as st
from workbench import run

from glasspipe.cli import main
from glasspipe.stages import stages_of
from glasspipe.stages.work import chunks, works

STUDY = {
    "study": "any",
    "defects": {"number": 6},
    "realisations": 1,
    "freeze": {"sweeps": 20, "steps": 5, "replicas": 2},
    "aggregate": {"bootstrap": 3, "pairs": 2},
    "sweep": {"defects.concentration": {"values": [0.1, 0.3]}},
}
TEXT = (".csv", ".json")
"""Files in which a change may be another number, and no damage."""
OF_ANY = ("info", "reproduce")
"""Commands for any file, be it in the place of another."""
OTHER = (b"", b"text\n", b"{}", b"[]", b"null", b"{", b"\x89HDF\r\n\x1a\n", b"PAR1", b"\xff\xfe")


@dataclass(frozen=True)
class Use:
    """A command, the files that it reads and one that it makes; ``out`` stands for a new one."""

    command: tuple[str, ...]
    reads: tuple[Path, ...]
    makes: Path | None = None


def uses(folder, study):
    """Whatever reads the files of a study."""
    results = [path for path in folder.glob("*") if path.is_file()]
    points = [*folder.glob("points/*"), *folder.glob("defects.parquet/*")]
    data = sorted(folder.glob("data/*/*/*.nc"))
    for name, parts in works(study, stages_of(study)).items():
        for work in parts.values():
            for chunk in chunks(study):
                inputs = [work.upstream(read).chunk_file(chunk) for read in work.stage.reads]
                files = tuple(folder / file for file in (work.point_file, *inputs))
                command = (name, *map(str, files), "-o", "out")
                yield Use(command, files, folder / work.chunk_file(chunk))
    for point in study.points:
        command = ("aggregate", str(folder), "--point", point.name)
        yield Use(command, tuple(data), folder / "points" / f"{point.name}.nc")
    yield Use(("aggregate", str(folder)), (*points, folder / "study.json"), folder / "summary.csv")
    for command in ("summary", "watch", "clean", "compare", "table"):
        more = {"compare": [str(folder)], "table": ["--columns", "B:std"]}.get(command, [])
        yield Use((command, str(folder), *more), tuple(results))
    for path in (*results, *points, *data):
        yield Use(("info", str(path)), (path,))
        yield Use(("reproduce", str(path)), (path,))


def said(command):
    """Run a command; return its status and what it says on both streams."""
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as errors:
        status = main(command)
    return status, out.getvalue(), errors.getvalue()


class Bench:
    """A study that is as it was after each use of it."""

    def __init__(self, folder):
        self.folder = folder / "any"
        self.out = str(folder / "out")
        self.uses = list(uses(self.folder, run(self.folder, STUDY)))
        self.files = {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        self.sound = {use: self.result(use) for use in self.uses}

    def result(self, use):
        """What a command says and makes."""
        command = [self.out if word == "out" else word for word in use.command]
        try:
            status, out, errors = said(command)
            made = Path(self.out) if "out" in use.command else use.makes
            return status, made.read_bytes() if made and status == 0 else out, errors
        finally:
            Path(self.out).unlink(missing_ok=True)
            for path, content in self.files.items():
                if not path.is_file() or path.read_bytes() != content:
                    path.write_bytes(content)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("made"))


def damages(size, alike):
    """What may happen to a file of so many bytes, if there are other files alike."""
    place = st.integers(0, max(size - 1, 0))
    flips = st.tuples(st.just("flipped"), place, st.integers(0, 7))
    return st.one_of(
        flips,
        flips,
        st.tuples(st.just("truncated"), place),
        st.tuples(st.just("other"), st.sampled_from(OTHER)),
        st.tuples(st.just("swapped"), st.sampled_from(alike)),
    )


def damaged(content, kind, where, bit=0):
    """Return other bytes."""
    if kind == "truncated":
        return content[:where]
    if kind == "flipped":
        return content[:where] + bytes([content[where] ^ (1 << bit)]) + content[where + 1 :]
    return where if kind == "other" else where.read_bytes()


@fuzzed(100)
@given(data=st.data())
def test_any_damage(bench, data):
    command = data.draw(st.sampled_from(sorted({use.command[0] for use in bench.uses})))
    use = data.draw(st.sampled_from([use for use in bench.uses if use.command[0] == command]))
    path = data.draw(st.sampled_from(use.reads))
    content = bench.files[path]
    alike = [name for name in bench.files if name.suffix == path.suffix]
    path.write_bytes(damaged(content, *data.draw(damages(len(content), alike))))
    status, made, errors = bench.result(use)
    event(f"{command}: {status}")
    if status == 2:
        [line] = errors.splitlines()
        assert line.startswith(f"glasspipe {command}: ")
    elif path.suffix not in TEXT and command not in OF_ANY:
        assert (status, made) == bench.sound[use][:2]
