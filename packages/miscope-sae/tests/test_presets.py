"""Hyperparameters that come with the package: a study each once it says what it is of; what is given goes first."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from miscope.bound import BoundVariant, open_bound
from miscope.errors import UnknownName
from miscope.studies.template_exchange import import_templates
from miscope.studies.templates import Templates
from miscope_sae import autoencoders, remarks
from miscope_sae.series.preset import PRESETS, preset_fields

Command = Callable[..., tuple[int, str, str]]
SITE = "hook_embed"
NAMES = (
    "modadd-batchtopk",
    "paper-anthropic-2024",
    "paper-gemma-scope",
    "seed-defaults",
    "toy-jumprelu",
    "toy-standard",
    "toy-topk",
)


@pytest.fixture
def source(tmp_path: Path) -> BoundVariant:
    """Activations of 12 known features in 8 dimensions, at step 0 of a workspace."""
    variant = open_bound(tmp_path / "workspace").variant("sae.known-features", features=12, width=8, inputs=1200)
    variant.workspace.value.keep_record(variant.value)
    return variant


def test_there_are_these(command: Command) -> None:
    code, out, err = command("sae", "presets")
    assert code == 0, err
    assert tuple(line.split()[0] for line in out.splitlines()[1:]) == NAMES == tuple(sorted(PRESETS.texts))
    assert command("sae", "presets", "toy-topk")[1] == PRESETS.text("toy-topk")


@pytest.mark.parametrize("name", NAMES)
def test_each_can_be_trained_within_its_ranges_and_warns_of_nothing_but_the_inputs(
    source: BoundVariant, name: str
) -> None:
    (variant,) = autoencoders(source, SITE, preset=name)
    training = variant.value.training
    assert training is not None
    assert variant.value.family == preset_fields(name)["architecture"]
    assert training.model_dump()["allow_out_of_range"] is False
    warned = [each.field for each in remarks(variant) if each.severity == "warning" and each.field != "latents"]
    # At so small a width the seed's penalty takes a share of 0.004 of a latent.
    assert warned == (["l1_alpha"] if name == "seed-defaults" else [])


@pytest.mark.parametrize("name", NAMES)
def test_what_depends_on_the_length_of_each_is_as_for_a_training_of_its_length(source: BoundVariant, name: str) -> None:
    """Of the learning rate's schedule alone: others are the paper's, or the seed's."""
    fields = preset_fields(name)
    if name == "paper-gemma-scope":
        assert fields["lr_decay_steps"] == 0
    else:
        assert (fields["lr_schedule_steps"], fields["lr_decay_steps"]) == (fields["steps"], fields["steps"] // 5)
    assert "description" in PRESETS.study(name).values


def test_the_seeds_defaults_are_the_seeds(source: BoundVariant) -> None:
    (variant,) = autoencoders(source, SITE, preset="seed-defaults")
    params, training = variant.value.params.model_dump(), variant.value.training.model_dump(mode="json")  # type: ignore[union-attr]
    assert (params["latents"], params["normalize_activations"]) == ("8x", "constant_norm")
    assert {
        "l1_alpha": training["l1_alpha"],
        "learning_rate": training["learning_rate"],
        "batch_size": training["batch_size"],
        "num_steps": training["steps"],
        "checkpoint_interval": training["checkpoints"]["n"],
        "dead_neuron_threshold": training["dead_neuron_threshold"],
        "resample_steps": training["resample_steps"],
    } == {
        "l1_alpha": 0.001,
        "learning_rate": 1e-4,
        "batch_size": 4096,
        "num_steps": 100000,
        "checkpoint_interval": 10000,
        "dead_neuron_threshold": 0.0,
        "resample_steps": None,
    }


def test_what_is_given_goes_before_the_preset_and_the_preset_before_defaults(source: BoundVariant) -> None:
    (plain,) = autoencoders(source, SITE, preset="toy-topk")
    (other,) = autoencoders(source, SITE, preset="toy-topk", k=2, steps=3000)
    assert [each.value.params.model_dump()["k"] for each in (plain, other)] == [3, 2]
    assert [each.value.training.batch_size for each in (plain, other)] == [1024, 1024]  # type: ignore[union-attr]
    lengths = [(each.value.training.steps, each.value.training.lr_decay_steps) for each in (plain, other)]  # type: ignore[union-attr]
    assert lengths == [(6000, 1200), (3000, 600)]
    (usual,) = autoencoders(source, SITE, preset="toy-topk", steps=1500)
    assert usual.value.training.lr_schedule_steps == 1500  # type: ignore[union-attr]
    (gated,) = autoencoders(source, SITE, preset="toy-standard", architecture="gated")
    assert (gated.value.family, gated.value.training.model_dump()["rho"]) == ("sae.gated", 0.075)  # type: ignore[union-attr]


def test_the_command_takes_a_preset(source: BoundVariant, command: Command) -> None:
    place = source.workspace.root
    words = ("sae", "train", source.name, "--site", SITE, "--preset", "toy-jumprelu", "--no-untrained", "-w", place)
    code, out, err = command(*words, "--steps", 2000, "--dry-run")
    assert code == 0, err
    assert out.splitlines()[1].startswith("sae.jumprelu/m2x-")
    assert "info, l0_alpha: lambda=0.4 rises over 2,000 updates" in err


def test_a_preset_that_there_is_not_is_refused_in_words(source: BoundVariant) -> None:
    with pytest.raises(UnknownName) as refused:
        autoencoders(source, SITE, preset="toy-topkk")
    assert str(refused.value) == (
        "There is no preset named 'toy-topkk'.\nDid you mean 'toy-topk'?\n`miscope sae presets` lists them."
    )


def test_they_are_kept_as_templates_of_what_they_are_to_be_of(source: BoundVariant, command: Command) -> None:
    place = source.workspace.root
    words = ("sae", "presets", "--save", "--variant", source.name, "--site", SITE, "-w", place)
    code, _, err = command(*words)
    assert code == 0, err
    assert err.splitlines() == [f"kept as the template {name!r}" for name in NAMES]
    templates = Templates(source.workspace.value)
    (run,) = templates.study(templates.find("toy-topk")).runs
    (same,) = autoencoders(source, SITE, preset="toy-topk")
    assert run.variant.name == same.name
    copy = templates.duplicate(templates.find("toy-topk"))
    assert copy.facts.name == "toy-topk (copy)"
    again = command(*words)[2].splitlines()
    assert again == [f"there already as the template {name!r}, the same" for name in NAMES]


def test_one_that_is_there_already_and_says_something_else_stays_as_it_is(source: BoundVariant, command: Command):
    place = source.workspace.root
    templates = Templates(source.workspace.value)
    assert command("sae", "presets", "toy-topk", "--save", "-w", place)[0] == 0
    kept = templates.find("toy-topk").study
    code, _, err = command(
        "sae", "presets", "toy-topk", "--save", "--site", SITE, "--variant", source.name, "-w", place
    )
    assert (code, err) == (
        0,
        "not kept: the template 'toy-topk' is another; to have this one first:  "
        f"miscope templates delete toy-topk --workspace {place}\n",
    )
    assert templates.find("toy-topk").study == kept


def test_they_are_kept_as_templates_of_any_activations_which_are_named_when_one_begins(
    source: BoundVariant, command: Command
) -> None:
    place = source.workspace.root
    code, _, err = command("sae", "presets", "--save", "-w", place)
    assert code == 0, err
    assert err.splitlines() == [f"kept as the template {name!r}" for name in NAMES]
    templates = Templates(source.workspace.value)
    kept = templates.find("toy-topk")
    assert templates.check(kept) == ("step", "site", "variant")
    (same,) = autoencoders(source, SITE, preset="toy-topk")
    named = {"variant": source.name, "site": SITE, "step": 0}
    (run,) = templates.study(kept, fields=named).runs
    assert run.variant.name == same.name
    words = [part for key, value in named.items() for part in ("--set", f"{key}={value}")]
    code, out, err = command("sweep", "toy-topk", "--dry-run", "-w", place, *words)
    assert code == 0, err
    assert same.value.slug in out
    code, _, err = command("sweep", "toy-topk", "--dry-run", "-w", place)
    assert code == 1
    assert "step" in err


def test_a_checkpoint_is_one_of_a_variant(source: BoundVariant, command: Command) -> None:
    code, _, err = command("sae", "presets", "--save", "--step", "last", "-w", source.workspace.root)
    assert (code, err) == (
        1,
        "Of which variant is the checkpoint 'last'?\nA template that names none is of any.\n"
        "Give the variant too:  --variant VARIANT\n",
    )


def test_a_template_of_mistudios_is_kept_and_trained_once_it_is_said_of_what(source: BoundVariant) -> None:
    given = {"hidden_dim": 8, "latent_dim": 16, "l1_alpha": 0.01, "learning_rate": 3e-4, "total_steps": 6000}
    item = {"name": "Wide", "encoder_type": "standard_saelens", "hyperparameters": {**given, "batch_size": 4096}}
    shared = {**item, "name": "Few", "hyperparameters": {**item["hyperparameters"], "top_k_sparsity": 12.5}}
    templates = Templates(source.workspace.value)
    report = import_templates(templates, json.dumps({"version": "1.0", "templates": [item, shared]}))
    assert [(each.action, each.error) for each in report] == [("created", "")] * 2
    assert report[0].left_out == ("hidden_dim: the width is read from the site",)
    named = {"variant": source.name, "site": SITE, "step": 0}
    (wide,), (few,) = (templates.study(templates.find(name), fields=named).runs for name in ("Wide", "Few"))
    assert (wide.variant.family, few.variant.family) == ("sae.standard", "sae.topk")
    assert (few.variant.params.model_dump()["latents"], few.variant.params.model_dump()["k"]) == ("16", 2)
    assert wide.variant.training.model_dump()["l1_alpha"] == 0.01  # type: ignore[union-attr]


def test_one_is_kept_by_its_name_and_of_a_site_that_there_is(source: BoundVariant, command: Command) -> None:
    words = ("sae", "presets", "--save", "--variant", source.name, "-w", source.workspace.root)
    code, _, err = command(*words, "toy-topk", "--site", "hook_embd")
    assert (code, err.splitlines()[:2]) == (1, ["There is no site named 'hook_embd'.", "Did you mean 'hook_embed'?"])
    assert command(*words, "toy-topkk", "--site", SITE)[0] == 1
    assert list(Templates(source.workspace.value).all()) == []
    code, _, err = command(*words, "toy-topk", "--site", SITE)
    assert (code, err) == (0, "kept as the template 'toy-topk'\n")
    assert [one.facts.name for one in Templates(source.workspace.value).all()] == ["toy-topk"]


@pytest.mark.parametrize("option", ["--variant", "--site", "--step"])
def test_what_only_a_template_is_of_is_refused_elsewhere(option: str, command: Command) -> None:
    code, out, err = command("sae", "presets", "toy-topk", option, "0")
    assert (code, out) == (2, "")
    assert f"{option} means something with --save only." in err
