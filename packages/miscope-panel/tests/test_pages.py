from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PAGES = 20
LAST = 2
"""What served the last page may hold it until the next comes."""


def test_a_page_that_is_closed_leaves_nothing_behind(trained):
    script = Path(__file__).with_name("closed_pages.py")
    done = subprocess.run(
        [sys.executable, script, trained.root, str(PAGES)], stdout=subprocess.PIPE, text=True, check=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["made"], found["connected"], found["sessions"]) == (PAGES, 0, 0)
    assert found["alive"] <= LAST
