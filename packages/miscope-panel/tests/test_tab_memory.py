"""What a browser keeps of a page, and gives back once its server was started again."""

import json

from miscope_panel.page.annotation_editor import AnnotationEditor
from miscope_panel.page.errands import Errands
from miscope_panel.page.tab_memory import TabMemory


def test_what_came_back_is_kept_for_the_next_time_too_whether_it_was_taken_or_not():
    memory, told = TabMemory(), []
    memory.on_change = told.append
    memory.on_back("runs.editor", lambda text: None)
    memory.bring_back({"runs.editor": "typed", "elsewhere": "waits"})
    assert told[-1] == {"runs.editor": "typed", "elsewhere": "waits"}
    memory.keep("runs.editor", "")
    assert told[-1] == {"elsewhere": "waits"}


def test_what_was_kept_since_is_not_overwritten_by_what_comes_back():
    memory, told = TabMemory(), []
    memory.keep("runs.selected", "now")
    memory.on_change = told.append
    memory.bring_back({"runs.selected": "before"})
    assert told == [{"runs.selected": "now"}]


def test_an_editor_that_comes_back_open_takes_the_keys_from_nobody(monkeypatch, empty, at_once):
    empty.store.save_variant(empty.variant("toy.sum", seed=0).value)
    editor, asked = AnnotationEditor(empty.value, Errands(at_once), writable=True), []
    monkeypatch.setattr(editor.tags, "focus", lambda: asked.append("tags"))
    name = "toy.sum/v5-seed0-width16"
    editor.reopen(json.dumps({"name": name, "tags": [], "notes": "diverged", "revision": 0}))
    assert (editor.view.visible, editor.notes.value, asked) == (True, "diverged", [])
    editor.close.param.trigger("clicks")
    editor.open(name)
    assert (editor.view.visible, editor.notes.value, asked) == (True, "", ["tags"])
