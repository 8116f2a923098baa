"""Names and hashes of what a study is made of: readable, safe as paths, and told apart.

What a name stands for is in its hash; the swept values before it are for the reader.
"""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

_LONGEST_SLUG = 60


def hash_of(value: Any) -> str:
    """Return a hash, 64 hexadecimal digits, of mappings, lists, texts and finite numbers."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return sha256(text.encode()).hexdigest()


def name_of(swept: Mapping[str, Any], hash_: str) -> str:
    """Return a name of swept values, by dotted key, and of a hash.

    A value stands in it whole or not at all; `etc` stands for those that do not.
    """
    slug = ""
    for key, value in swept.items():
        word = f"{key.rpartition('.')[2]}-{_word(value)}"
        longer = re.sub(r"[^A-Za-z0-9._+-]+", "-", f"{slug}-{word}").strip("-")
        if len(longer) > _LONGEST_SLUG:
            slug = f"{slug}-etc".strip("-")
            break
        slug = longer
    return f"{slug or 'point'}-{hash_[:10]}"


def _word(value: Any) -> str:
    """Write a swept value."""
    if isinstance(value, Mapping):
        return "-".join(_word(item) for item in value.values())
    return Path(value).name if isinstance(value, str) else str(value).removesuffix(".0")
