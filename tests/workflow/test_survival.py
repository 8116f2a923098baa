"""Whatever is done to a finished study behind its back, the next run says so or mends it."""

import os
import time

from glasspipe.stages import study_files

MERGED = ("--until", "aggregate")


def rotten(path, content):
    """Give a file other bytes and its old time, as a disk does."""
    before = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def failed(bench):
    """Run as far as anything goes; return what the only job said that failed."""
    done = bench.run("--keep-going", *MERGED)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    [told] = done.stderr.partition("\n\nfailed:\n")[2].partition("\nComplete log")[0].splitlines()
    _, log, line = told.split(": ", 2)
    assert (bench.cwd / log).read_text("utf-8") == f"{line}\n"
    return line


def data(bench):
    """Return the bytes of the data files."""
    files = bench.results.glob("data/*/*/*.nc")
    return {str(file.relative_to(bench.results)): file.read_bytes() for file in files}


def test_damaged_files_are_named_and_made_again(copied, finished):
    """The defects of one point are cut off, a bit of the statistics of the other is flipped."""
    one, other = study_files.load(copied.results).points
    points = copied.results / "points"
    [sample], [fields] = one.files["sample"], one.files["fields"]
    rotten(sample, sample.read_bytes()[:-100])
    statistics = points / f"{other.name}.nc"
    content = bytearray(statistics.read_bytes())
    content[len(content) // 2] ^= 1
    rotten(statistics, content)
    for missing in (fields, points / f"{one.name}.nc", copied.results / "summary.csv"):
        missing.unlink()
    for stage, path, why in (
        ("fields", sample, "truncated, changed or not written by glasspipe"),
        ("aggregate", statistics, "damaged: it is not what was written"),
    ):
        assert failed(copied) == f"glasspipe {stage}: {path.relative_to(copied.cwd)}: {why}"
        path.unlink()
    copied.run_well(*MERGED)
    assert copied.merged() == finished.merged()
    assert data(copied) == data(finished)


def test_files_of_the_future(copied, finished):
    """A clock was ahead: whatever is made of them would be older than they are."""
    ahead = time.time() + 1e8
    for path in (copied.results / "points").iterdir():
        os.utime(path, (ahead, ahead))
    (copied.results / "fits.csv").unlink()
    copied.run_well(*MERGED)
    assert copied.merged() == finished.merged()
    assert copied.planned(*MERGED) == {}
