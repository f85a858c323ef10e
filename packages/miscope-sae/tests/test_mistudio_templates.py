"""Hyperparameters of miStudio: what maps is kept, and each template says what did not and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import miscope_sae
from miscope.studies.template_exchange import Action, import_templates
from miscope.studies.templates import Templates
from miscope.testing import tables
from miscope.workspace import open_workspace


def exported(*items: dict[str, Any]) -> str:
    return json.dumps({"version": "1.0", "templates": list(items)})


def item(encoder: str = "standard_saelens", **hyperparameters: object) -> dict[str, Any]:
    given = {"latent_dim": 64, "l1_alpha": 0.01, "learning_rate": 3e-4, "total_steps": 6000, **hyperparameters}
    said = {"name": "Wide", "description": "of layer 12", "is_favorite": True, "model_id": "7f", "usage_count": 9}
    return {**said, "encoder_type": encoder, "hyperparameters": given}


@pytest.fixture
def templates(tmp_path: Path) -> Templates:
    return Templates(open_workspace(tmp_path / "ws", tables(sae=miscope_sae)))


def test_what_maps_of_a_template_of_mistudio_is_kept_and_the_rest_is_named_with_the_reason(templates):
    more = {"hidden_dim": 768, "resample_dead_neurons": True, "resample_interval": 500, "dead_neuron_threshold": 300}
    odd = {"normalize_activations": "anthropic_rescale", "checkpoint_interval": 1000, "l0_alpha": None, "warmup": 7}
    (report,) = import_templates(templates, exported(item(**more, **odd)))
    assert (report.name, report.action, report.error) == ("Wide", Action.CREATED, "")
    assert report.left_out == (
        "hidden_dim: the width is read from the site",
        "normalize_activations: anthropic_rescale was per row, constant_norm is one scalar",
        "warmup: sae.standard has no such field",
        "model_id: it is of the place where it was written",
        "usage_count: it is of the place where it was written",
    )
    (kept,) = templates.all()
    assert (kept.facts.description, kept.facts.favourite, kept.uses) == ("of layer 12", True, 0)
    assert kept.study.values["base"] == {
        **{"latents": 64, "l1_alpha": 0.01, "learning_rate": 3e-4, "steps": 6000, "resample_steps": 500},
        **{"dead_window_steps": 300, "normalize_activations": "constant_norm", "checkpoints": "every:1000"},
    }


def test_resampling_that_is_off_is_left_out(templates):
    (report,) = import_templates(templates, exported(item(resample_interval=500)), dry_run=True)
    assert report.left_out[0] == "resample_interval: resample_dead_neurons is off"
    assert templates.all() == []


@pytest.mark.parametrize(("percent", "kept"), [(10.0, 6), (5, 3), (0.1, 1)])
def test_a_share_of_latents_that_are_kept_is_their_number_and_of_the_architecture_that_keeps_some(
    tmp_path: Path, percent: float, kept: int
) -> None:
    templates = Templates(open_workspace(tmp_path / "ws", tables(sae=miscope_sae)))
    (report,) = import_templates(templates, exported(item(top_k_sparsity=percent)))
    assert (report.action, report.error) == (Action.CREATED, "")
    (one,) = templates.all()
    assert one.study.values["family"] == "sae.topk"
    assert one.study.values["base"] == {"latents": 64, "learning_rate": 3e-4, "steps": 6000, "k": kept}
    assert report.left_out[0] == "l1_alpha: sae.topk has no such field"


@pytest.mark.parametrize(("latents", "percent"), [(1e308, 1e308), (float("inf"), 5.0), (64, float("nan"))])
def test_a_share_that_comes_to_no_number_costs_its_item_alone(tmp_path: Path, latents: float, percent: float) -> None:
    templates = Templates(open_workspace(tmp_path / "ws", tables(sae=miscope_sae)))
    odd = item(latent_dim=latents, top_k_sparsity=percent) | {"name": "Odd"}
    _, sound = import_templates(templates, exported(odd, item(top_k_sparsity=5.0)))
    assert (sound.action, sound.error) == (Action.CREATED, "")


def test_without_a_share_the_architecture_is_the_one_that_is_named(tmp_path: Path) -> None:
    templates = Templates(open_workspace(tmp_path / "ws", tables(sae=miscope_sae)))
    import_templates(templates, exported(item(top_k_sparsity=None)))
    (one,) = templates.all()
    assert (one.study.values["family"], one.study.values["base"]["latents"]) == ("sae.standard", 64)
