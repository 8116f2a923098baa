"""Whatever the schema allows runs to its figures and tables, or is refused in one line.

`make fuzz` tries many more, other ones each time.
"""

from tempfile import TemporaryDirectory

import pytest
from configs import fuzzed, studies
from hypothesis import event, given
from workbench import look_at_all

from glasspipe.errors import ConfigError, DataError


@pytest.mark.usefixtures("coarse")
@fuzzed(6)
@given(config=studies())
def test_any_config(config):
    refusal = refusal_of(config)
    event("refused" if refusal else "run")
    assert "\n" not in refusal


def refusal_of(config):
    """The line that says why not, or nothing after a whole study."""
    with TemporaryDirectory() as folder:
        try:
            look_at_all(folder, config)
        except (ConfigError, DataError) as error:
            return str(error)
    return ""
