"""Who looks at the folders of variants, and stops doing so at any moment."""

from __future__ import annotations

import gc
import threading
from weakref import finalize

from miscope.store.layout import Layout
from miscope_panel.page.folder_watch import FolderWatch


class Looker:
    """Stops looking when it is collected, which only the collector of garbage does."""

    def __init__(self, watch: FolderWatch, names: int) -> None:
        self.itself = self
        finalize(self, watch.attend(frozenset(f"toy.sum/v{number}" for number in range(names))))


def test_who_is_collected_while_others_begin_to_look_keeps_nobody_waiting(tmp_path):
    watch, before = FolderWatch(Layout(tmp_path)), gc.get_threshold()

    def look():
        # Of so many names that garbage is collected at every moment.
        for turn in range(300):
            Looker(watch, turn % 40)

    # A thread that waits for itself ends with the process.
    looking = threading.Thread(target=look, daemon=True)
    gc.set_threshold(30)
    try:
        looking.start()
        looking.join(120)
    finally:
        gc.set_threshold(*before)
    assert not looking.is_alive()
    gc.collect()
    watch.look()
    assert not watch.known(["toy.sum/v5"])
