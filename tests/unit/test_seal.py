"""No bit of a file that glasspipe wrote changes unnoticed."""

import numpy as np
import pytest
from workbench import part, stages

from glasspipe.errors import DataError
from glasspipe.files import dataset
from glasspipe.files.seal import check_seal, seal
from glasspipe.settings.point import point_from

POINT = point_from({"defects": {"number": 5, "concentration": 0.1}, "realisations": 2})


def flipped(content, bit):
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_any_bit_of_content_and_seal(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"content")
    seal(path)
    sealed = path.read_bytes()
    check_seal(path, needed=True)
    for bit in range(8 * len(sealed)):
        path.write_bytes(flipped(sealed, bit))
        with pytest.raises(DataError, match=r"file: (damaged|truncated)"):
            check_seal(path, needed=True)


@pytest.mark.parametrize("size", [0, 1, 49, 1 << 20, (1 << 20) + 1])
def test_files_of_any_size(tmp_path, size):
    path = tmp_path / "file"
    path.write_bytes(bytes(size))
    check_seal(path, needed=False)
    with pytest.raises(DataError, match="truncated, changed or not written by glasspipe"):
        check_seal(path, needed=True)
    seal(path)
    check_seal(path, needed=True)
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(DataError, match="truncated, changed or not written by glasspipe"):
        check_seal(path, needed=True)


def test_a_stage_file_is_refused_in_one_line_wherever_it_is_damaged(tmp_path):
    path = tmp_path / "r.nc"
    stages.sample(POINT, path)
    whole = path.read_bytes()
    for bit in np.random.default_rng(1).integers(8 * len(whole), size=300):
        path.write_bytes(flipped(whole, int(bit)))
        with (
            pytest.raises(DataError, match=r"r\.nc: (damaged|truncated)") as caught,
            dataset.stage_file(path, part(POINT, "sample")),
        ):
            pass
        assert "\n" not in str(caught.value)
