"""The page is written in letters that one file each brings."""

from __future__ import annotations

import re
from pathlib import Path

import panel_material_ui

from miscope_panel.page.letters import LETTERS, faces


def test_each_weight_is_one_file_that_is_there():
    files = re.findall(r'url\("static/extensions/panel-material-ui/([^"]+)"\)', faces())
    assert [name.split("-")[:3] for name in files] == [["roboto", "latin", "400"], ["roboto", "latin", "700"]]
    assert all((Path(panel_material_ui.__file__).parent / "dist" / name).is_file() for name in files)


def test_no_family_of_the_page_is_the_one_that_brings_twenty():
    assert "Roboto" not in [family.strip(' "') for family in LETTERS.split(",")]
