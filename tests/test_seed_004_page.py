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


# What has to hold of any such system, in the order of the page's rows: the tests that ask it.
CORE = "packages/miscope-core/tests"
ACCEPTANCE = (
    ("tests/test_seed_004.py", "test_a_value_outside_a_range_is_refused_over_http_with_its_field"),
    (f"{SAE}/test_straight_through.py", "test_the_mean_latent_falls_with_its_threshold_as_calculus_has_it"),
    (f"{SAE}/test_unit_decoder.py", "test_a_projected_gradient_is_at_right_angles_to_its_row"),
    (f"{SAE}/test_unit_decoder.py", "test_after_every_update_the_rows_have_norm_1"),
    (f"{SAE}/test_recovery.py", "test_an_architecture_finds_the_known_features"),
    (f"{SAE}/test_recovery.py", "test_it_finds_others_from_another_seed"),
    (f"{SAE}/test_recovery.py", "test_an_autoencoder_without_sparsity_finds_nothing"),
    (f"{SAE}/test_skip.py", "test_with_the_input_itself_past_them_no_latent_is_needed_and_that_is_said"),
    (f"{SAE}/test_skip.py", "test_what_is_learned_past_them_leaves_latents_their_work"),
    (
        f"{SAE}/test_transcoder.py",
        "test_a_transcoder_finds_what_each_feature_writes_and_leaves_less_than_a_linear_map",
    ),
    (f"{SAE}/test_crosscoder.py", "test_a_crosscoder_finds_features_and_when_they_are_born_die_and_turn"),
    (f"{SAE}/test_crosscoder.py", "test_with_checkpoints_in_a_drawn_order_nothing_is_found_and_no_order_is"),
    (f"{SAE}/test_resumed_autoencoders.py", "test_an_interrupted_training_ends_in_the_same_bits"),
    (
        f"{CORE}/runs/test_supervisor.py",
        "test_a_running_training_saves_when_asked_stops_with_a_checkpoint_and_goes_on_after_it_is_killed",
    ),
    (f"{PANEL}/test_trainings_again.py", "test_a_training_is_retried_as_it_was_from_scratch_or_with_another_seed"),
    (f"{PANEL}/test_trainings_api.py", "test_several_are_deleted_or_retried_and_each_says_what_became_of_it"),
    (
        f"{CORE}/test_template_exchange.py",
        "test_what_is_exported_comes_back_elsewhere_without_what_is_of_one_workspace",
    ),
    (f"{CORE}/test_template_exchange.py", "test_a_name_that_is_there_is_dealt_with_as_one_says"),
    (
        f"{SAE}/test_mistudio_templates.py",
        "test_what_maps_of_a_template_of_mistudio_is_kept_and_the_rest_is_named_with_the_reason",
    ),
    (f"{CORE}/test_templates.py", "test_a_use_is_counted_when_a_run_is_started_and_not_when_none_is"),
    (f"{SAE}/test_reconstruction.py", "test_the_mean_leaves_all_variance_and_a_copy_leaves_none"),
    (f"{SAE}/test_reconstruction.py", "test_a_wrong_bias_is_an_error_that_the_centred_measure_does_not_see"),
    (f"{SAE}/test_reconstruction.py", "test_latents_above_zero_are_counted"),
    (
        f"{SAE}/test_dead_latents.py",
        "test_a_latent_is_dead_once_it_was_silent_for_the_window_and_no_more_when_it_fires",
    ),
    (f"{SAE}/test_spliced.py", "test_a_perfect_reconstruction_costs_nothing"),
    (f"{SAE}/test_spliced.py", "test_an_ablation_that_costs_nothing_has_no_share_to_recover"),
    (
        f"{PANEL}/served/test_watching.py",
        "test_after_a_restart_one_goes_on_from_what_one_has_without_gap_or_repetition",
    ),
    (f"{PANEL}/test_training_results.py", "test_a_value_that_is_no_number_is_null"),
    (f"{SAE}/test_exchange_with_saelens.py", "test_what_was_trained_here_computes_the_same_in_saelens"),
    (f"{SAE}/test_exchange_folding.py", "test_a_scalar_of_the_inputs_is_folded"),
    (
        f"{CORE}/runs/test_supervisor.py",
        "test_a_supervisor_that_is_killed_takes_no_run_along_and_the_next_one_finds_them",
    ),
    (f"{CORE}/runs/test_reconciling.py", "test_a_run_that_wrote_no_end_was_interrupted"),
    (f"{CORE}/test_index.py", "test_snapshot_and_tail_say_the_same_as_an_index_made_anew"),
    (f"{CORE}/test_pace.py", "test_at_a_constant_rate_it_is_exact"),
    (f"{CORE}/test_pace.py", "test_updates_that_grow_faster_are_told_within_a_quarter_after_fifty"),
    (f"{SAE}/test_sae_views.py", "test_the_untrained_network_stands_beside_with_its_own_numbers"),
    (f"{SAE}/test_dead_latents.py", "test_a_training_that_is_no_number_any_more_ends_and_keeps_what_it_had"),
    (f"{PANEL}/served/test_watching.py", "test_one_that_fails_says_why_and_whether_it_can_go_on"),
    (f"{SAE}/test_families.py", "test_an_architecture_of_another_package_is_trained_by_its_name"),
    (f"{SAE}/test_families.py", "test_it_is_not_written_for_libraries_that_have_no_such"),
    ("tests/test_seed_004.py", "test_an_architecture_of_another_package_is_described_and_taken_over_http"),
)


def test_each_row_of_what_has_to_hold_names_the_files_of_its_tests_and_these_are_there() -> None:
    _, _, table = PAGE.partition("## Acceptance")
    named = [
        file for line in table.splitlines() if line.startswith("| ") for file in re.findall(r"`([^`]+\.py)`", line)
    ]
    for file, name in ACCEPTANCE:
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), name
    short = {file if file.startswith("tests/") else file.partition("/tests/")[2] for file, _ in ACCEPTANCE}
    assert set(named) == short
