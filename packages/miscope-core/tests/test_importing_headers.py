"""What the header of a safetensors file says in JSON, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from miscope.errors import BadFile
from miscope.importing.foreign.content import read_content


@pytest.mark.parametrize(("config", "why"), [
    ('{"layers" 2}', "Expecting ':' delimiter"),
    ('{"layers": }', "Expecting value"),
    ('{"layers": 2', "Expecting ',' delimiter"),
    (f'{{"layers": {"9" * 5000}}}', "Exceeds the limit (4300 digits) for integer string conversion"),
    ("{" + '"a": {' * 100_000, "maximum recursion depth exceeded while decoding a JSON object from a unicode string"),
])  # fmt: skip
def test_broken_json_is_named_in_the_parsers_whole_words(tmp_path: Path, config: str, why: str) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"w": torch.zeros(2)}, path, metadata={"config": config})
    with pytest.raises(BadFile) as refused:
        read_content(path)
    assert str(refused.value) == (
        f"{path} cannot be read.\nIts header holds broken JSON: {why}.\n"
        "Copy it again from its source; it may have been cut off."
    )
