"""The seed of sparse autoencoders: each requirement and each item of its checklist has an answer to be looked up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "sae-seed.md").read_text(encoding="utf-8")


def row(first: str) -> list[str]:
    """The cells of the row of docs/sae-seed.md that begins so."""
    (found,) = [line for line in PAGE.splitlines() if line.startswith(f"| {first} |")]
    return [cell.strip() for cell in found.strip("|").split("|")]


# Section 2.
REQUIREMENTS = [
    f"FR-{part}.{n}" for part, count in ((1, 5), (2, 5), (3, 5), (4, 5), (5, 5)) for n in range(1, count + 1)
]


def test_each_requirement_has_a_row_that_says_what_answers_it() -> None:
    page = (ROOT / "docs" / "sae.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("| FR-")]
    answered: list[str] = []
    for asked, answer in rows:
        assert answer.strip()
        named = re.findall(r"FR-(\d)\.(\d)", asked)
        if " to " in asked:
            (part, first), (_, last) = named
            named = [(part, str(n)) for n in range(int(first), int(last) + 1)]
        answered += [f"FR-{part}.{n}" for part, n in named]
    assert answered == REQUIREMENTS


# Section 11: the row, and the test that does it, of autoencoders or of any training.
SAE, PANEL = "packages/miscope-sae/tests", "packages/miscope-panel/tests"
CHECKLIST = {
    "Start Standard SAE training": (f"{SAE}/test_recovery.py", "test_an_architecture_finds_the_known_features"),
    "Start JumpReLU training": (f"{SAE}/test_recovery.py", "test_an_architecture_finds_the_known_features"),
    "Real-time metrics streaming": (
        f"{PANEL}/served/test_watching.py",
        "test_a_training_that_ended_is_told_from_its_beginning_and_the_socket_is_closed",
    ),
    "Stop training gracefully": (
        f"{SAE}/test_resumed_autoencoders.py",
        "test_an_interrupted_training_ends_in_the_same_bits",
    ),
    "Checkpoint creation": (
        f"{SAE}/test_sae_command.py",
        "test_one_line_trains_an_autoencoder_and_says_how_well_it_reconstructs",
    ),
    "Delete training": (
        f"{PANEL}/test_trainings_api.py",
        "test_a_deleted_run_leaves_the_list_and_is_put_back",
    ),
    "Retry training": (
        f"{PANEL}/test_trainings_again.py",
        "test_a_training_is_retried_as_it_was_from_scratch_or_with_another_seed",
    ),
    "Template save/load": (f"{PANEL}/test_templates_api.py", "test_a_template_is_kept_and_found_by_its_id"),
    "Template import/export": (
        f"{PANEL}/test_templates_api.py",
        "test_what_is_exported_is_imported_with_a_report_for_each_and_each_policy",
    ),
    "Hyperparameters modal": (
        f"{PANEL}/test_training_results.py",
        "test_the_configuration_is_the_body_that_asks_for_the_same",
    ),
}


@pytest.mark.parametrize(("item", "tested"), CHECKLIST.items())
def test_each_item_of_the_checklist_is_a_test_that_the_page_names(item: str, tested: tuple[str, str]) -> None:
    file, name = tested
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")
    (_, answer) = row(item)
    assert answer == "the same" or file.partition("/tests/")[2] in answer
