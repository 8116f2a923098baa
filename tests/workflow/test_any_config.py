"""Whatever the schema allows runs to its figures and tables, or is refused in one line.

`make fuzz` tries many more, other ones each time.
"""

import os
from tempfile import TemporaryDirectory

import pytest
from configs import studies
from hypothesis import HealthCheck, event, given, settings
from workbench import look_at_all

from glasspipe.errors import ConfigError, DataError

EXAMPLES = int(os.environ.get("FUZZ", "6"))


@pytest.mark.usefixtures("coarse")
@settings(
    max_examples=EXAMPLES,
    derandomize="FUZZ" not in os.environ,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
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
