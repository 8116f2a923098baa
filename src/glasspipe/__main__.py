"""Run as ``python -m glasspipe``."""

import sys

from glasspipe.cli import main

sys.exit(main())
