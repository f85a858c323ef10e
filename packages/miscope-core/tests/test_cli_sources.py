"""`miscope import` says of which steps files were taken, from where, and what was changed."""

from __future__ import annotations

from typing import Any

from miscope.cli.sources import lines_on_files


def about(steps: list[int], source: str = "its name", notes: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"steps": steps, "steps_from": source, "notes": list(notes)}


def test_files_of_the_same_source_are_one_line():
    imported = {f"step_{step}.pt": about([step]) for step in (0, 500, 100, 200)}
    assert lines_on_files(imported, imported) == ["Steps 0 to 500 (4 of them): by its name."]
    assert lines_on_files(imported, {"step_100.pt"}) == ["Step 100: by its name."]


def test_a_file_is_found_under_the_longer_names_a_record_may_give_it():
    imported = {"run/a.pt": about([1]), "a.pt 0123456789ab": about([2]), "b.pt": about([3])}
    assert lines_on_files(imported, {"a.pt"}) == ["Steps 1, 2: by its name."]


def test_each_note_names_its_files():
    note = "Weights in bfloat16 were read as float32."
    imported = {"a.pt": about([1, 2], "its list 'steps'", (note,)), "b.pt": about([3], notes=(note,))}
    assert lines_on_files(imported, imported) == [
        "Steps 1, 2: by its list 'steps'.",
        "Step 3: by its name.",
        "Weights in bfloat16 were read as float32. (a.pt and 1 more)",
    ]


def test_many_sources_are_cut_short_and_counted():
    imported = {f"{step}.pt": about([step], f"its optimizer's count; its key 'epoch' is {step}") for step in range(9)}
    lines = lines_on_files(imported, imported)
    assert lines[0] == "Step 0: by its optimizer's count; its key 'epoch' is 0."
    assert lines[6:] == ["... and 3 more such lines, in the variant's record."]


def test_records_from_before_there_were_sources_say_nothing():
    assert lines_on_files({"a.pt": {"steps": [1], "sha256": ""}}, {"a.pt"}) == []
