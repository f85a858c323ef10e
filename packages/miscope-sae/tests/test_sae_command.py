"""`miscope sae`: one line trains autoencoders of one checkpoint or of several, another writes one for SAELens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.errors import BadValue, MiscopeError, NoCheckpoint, UnknownName
from miscope.runs.run_queue import RunQueue
from miscope_sae import autoencoders, remarks
from miscope_sae.exchange.plain_autoencoder import latents, reconstruction
from miscope_sae.exchange.saelens import load_saelens
from miscope_sae.series.autoencoders import fitting_latents
from miscope_sae.training import TopKTraining

Command = Callable[..., tuple[int, str, str]]
SITE = "hook_embed"
SHORT = ("--set", "allow_out_of_range=true", "--threads", "1", "--steps", "6", "k=2")

STANDARD = (
    "latents: 16, 2 times the width 8; 280 weights, about 0.075 MB of memory.",
    "batch_size: of 120 inputs, {distinct} of them distinct, 108 are trained on, all an update; "
    "each is seen 1,500 times in 1,500 updates.",
    "learning_rate: 0.001, begins at once and falls over the last 300.",
    "checkpoints: 5, the first and the final one among them.",
    "dead_window_steps: a latent is dead after 100 updates without an activation.",
    "l1_alpha: 0.025; lambda=0.2, SAELens' l1_coefficient, rises over 75 updates; rho=0.1 with expected_l0=8.",
)


@pytest.fixture
def source(tmp_path: Path) -> BoundVariant:
    """Activations of twelve known features, at step 0 of a workspace."""
    variant = open_bound(tmp_path / "workspace").variant("sae.known-features", features=12, width=8, inputs=120)
    variant.workspace.value.keep_record(variant.value)
    return variant


def some_features(source: BoundVariant) -> int:
    """Inputs that have a feature; the others are all the same."""
    return int((source.workspace.value.context(source.value).probe().inputs > 0).any(1).sum())


def trained(place: BoundWorkspace) -> list[BoundVariant]:
    return [variant for variant in place.variants() if variant.name.startswith("sae.topk")]


def test_one_line_trains_an_autoencoder_and_says_how_well_it_reconstructs(source: BoundVariant, command: Command):
    place = source.workspace.root
    code, out, err = command("sae", "train", source.name, "--site", SITE, *SHORT, "-w", place)
    assert code == 0, err
    (variant,) = trained(open_bound(place))
    assert variant.steps == [0, 1, 2, 3, 4, 5, 6]
    assert variant.value.params.model_dump() == {
        **{"k": 2, "latents": "2x", "seed": 0, "normalize_activations": "constant_norm"},
        **{"apply_b_dec_to_input": True, "step": 0, "site": SITE, "variant": source.name},
    }
    assert variant.name.startswith("sae.topk/k2-m2x-seed0-step0-hook_embed-ofsae.known-features")
    fvu = variant.metrics()["test_fvu"].values[-1]
    assert f"{variant.name}: FVU held out {fvu:.3g}, L0 2, dead 0" in err + out
    assert command("sae", "train", source.name, "--site", SITE, *SHORT, "-w", place)[0] == 0


def test_one_line_trains_a_transcoder_and_another_writes_it(source: BoundVariant, command: Command):
    place = source.workspace
    wide = place.variant("sae.known-features", features=12, width=8, inputs=120, width_out=6)
    place.value.keep_record(wide.value)
    words = ("sae", "train", wide.name, "--site", SITE, "--architecture", "transcoder", "--target-site", "hook_out")
    code, _, err = command(*words, *SHORT[:-1], "-w", place.root)
    assert code == 0, err
    (variant,) = [one for one in place.variants() if one.value.family == "sae.transcoder"]
    assert "-tohook_out-" in variant.name
    assert variant.at("last").checkpoint.weights["W_dec"].shape == (16, 6)
    code, _, err = command("sae", "export", variant.name, "--out", place.root / "files", "-w", place.root)
    assert code == 0, err
    assert load_saelens(place.root / "files").architecture == "transcoder"


def test_one_line_trains_an_autoencoder_that_skips_and_says_what_is_left_without_latents(
    source: BoundVariant, command: Command
):
    place = source.workspace.root
    words = ("sae", "train", source.name, "--site", SITE, "--architecture", "skip", "skip_mode=identity_literal")
    code, out, err = command(*words, *SHORT[:-1], "-w", place)
    assert code == 0, err
    (variant,) = [one for one in open_bound(place).variants() if one.value.family == "sae.skip"]
    fvu, without = (variant.metrics()[f"test_{name}"].values[-1] for name in ("fvu", "skip_fvu"))
    assert f"{variant.name}: FVU held out {fvu:.3g}, without any latent {without:.3g}, L0 " in err + out


def test_one_line_trains_one_of_each_of_several_sites(source: BoundVariant, command: Command):
    place = source.workspace
    wide = place.variant("sae.known-features", features=12, width=8, inputs=120, width_out=6)
    place.value.keep_record(wide.value)
    words = ("sae", "train", wide.name, *SHORT, "-w", place.root)
    code, out, err = command(*words, "--site", SITE, "--site", "hook_out", "--dry-run")
    assert (code, trained(place)) == (0, [])
    told = err[err.index("hook_embed:\n") :].split("hook_out:\n")
    assert ["latents: 16, 2 times the width 8" in each for each in told] == [True, False]
    assert ["latents: 24, 4 times the width 6" in each for each in told] == [False, True]
    code, out, err = command(*words, "--site", SITE, "--site", "hook_out")
    assert code == 0, err
    assert f"2 of sae.topk at hook_embed, hook_out of {wide.name}" in out + err
    sizes = {one.value.params.model_dump()["site"]: one.at(6).checkpoint.weights for one in trained(place)}
    assert {site: tuple(weights["W_enc"].shape) for site, weights in sizes.items()} == {
        **{"hook_embed": (8, 16), "hook_out": (6, 24)}
    }
    before = {one.name for one in trained(place)}
    assert {one.name for one in autoencoders(wide, "hook_*", k=2, steps=6, allow_out_of_range=True)} == before
    assert {one.name for one in autoencoders(wide, [SITE, "hook_*"], k=2, steps=6, allow_out_of_range=True)} == before


def test_a_site_that_is_not_there_is_named_among_several_and_nothing_is_trained(source: BoundVariant, command: Command):
    place = source.workspace
    for asked, other in (("hook_uot", "None that is known here is spelt like it."), ("blocks.*", None)):
        code, _, err = command("sae", "train", source.name, "--site", SITE, "--site", asked, *SHORT, "-w", place.root)
        assert code == 1
        assert f"There is no site named {asked!r}.\n" in err
        assert f"\n{source.name} has: hook_embed." in err
        assert other is None or other in err
    assert trained(place) == []


def test_a_crosscoder_is_one_of_all_the_checkpoints_that_are_named(tmp_path: Path, command: Command):
    place = open_bound(tmp_path / "workspace")
    source = place.variant("sae.known-births", features=12, width=8, inputs=120)
    place.value.keep_record(source.value)
    words = ("sae", "train", source.name, "--site", SITE, *SHORT[:-1], "latents=16", "-w", place.root)
    for more, steps in ((("--step", "every:2"), [0, 2, 4, 5]), (("--step", "2,4"), [2, 4])):
        code, _, err = command(*words, *more, "--architecture", "crosscoder")
        assert code == 0, err
        told = [
            one.value.params.model_dump()["source_steps"] for one in open_bound(place.root).variants("sae.crosscoder")
        ]
        assert tuple(steps) in told, told
    code, _, err = command(*words, "--architecture", "crosscoder")
    assert (code, err) == (
        1,
        "A crosscoder is of 2 checkpoints at least, and this is 1.\n"
        "It has latents that several checkpoints share.\n"
        "Name several: --step all, --step every:100 or --step 0,500; in Python step='all'.\n",
    )
    with pytest.raises(BadValue, match=r"A crosscoder is of 2 checkpoints at least, and this is 1\."):
        autoencoders(source, SITE, architecture="crosscoder")


def test_it_can_be_put_into_the_queue_with_its_analysis(source: BoundVariant, command: Command, monkeypatch):
    monkeypatch.setattr("miscope.runs.supervisor.start_supervisor", lambda root: None)
    place = source.workspace.root
    words = ("sae", "train", source.name, "--site", SITE, "--steps", "6", "k=2", "--set", "allow_out_of_range=true")
    code, _, err = command(*words, "--queue", "--then", "analyze", "-w", place)
    assert code == 0, err
    assert [run.kind for run in RunQueue(place).runs()] == ["train", "analyze"]


def test_what_is_not_there_is_refused_in_words(source: BoundVariant):
    with pytest.raises(UnknownName) as error:
        autoencoders(source, "hook_embd")
    assert str(error.value) == (
        f"There is no site named 'hook_embd'.\nDid you mean 'hook_embed'?\n{source.name} has: hook_embed."
    )
    with pytest.raises(UnknownName) as error:
        autoencoders(source, SITE, architecture="topkk")
    assert str(error.value) == (
        "There is no architecture named 'topkk'.\nDid you mean 'topk'?\n"
        "Those there are: standard, jumprelu, topk, batchtopk, gated, matryoshka, skip, transcoder, crosscoder, "
        "crosscoder-batchtopk."
    )
    with pytest.raises(BadValue) as refused:
        autoencoders(source, SITE, architecture="sae.known-features")
    assert str(refused.value) == (
        "sae.known-features is no architecture of autoencoders.\n"
        "Those there are: standard, jumprelu, topk, batchtopk, gated, matryoshka, skip, transcoder, crosscoder, "
        "crosscoder-batchtopk.\n"
        "Choose one of them."
    )
    for step in (7, "7", -1, "-1"):
        with pytest.raises(MiscopeError, match=f"no checkpoint at step {step}"):
            autoencoders(source, SITE, step=step)
    with pytest.raises(BadValue) as refused:
        autoencoders(source, SITE, step="lats")
    assert str(refused.value) == (
        "'lats' does not say which checkpoints.\n"
        "It is a list, or a schedule like those of training.\n"
        "Write last, first, best, all, 0,100,500 or every:1000 or log:60 or 0-500:100."
    )
    with pytest.raises(UnknownName) as error:
        autoencoders(source, SITE, architecture="transcoder", target_site="hook_uot")
    assert str(error.value) == (
        f"There is no site named 'hook_uot'.\nNone that is known here is spelt like it.\n{source.name} has: hook_embed."
    )
    assert trained(source.workspace) == []


APART = (
    "{name!r} is not given among the fields of an architecture.\n"
    "It says what an autoencoder is built on, or which architecture it is.\n"
    "Give it as {how}.\n"
)


@pytest.mark.parametrize(
    ("word", "how"),
    [
        ("variant=toy", "VARIANT, the first word; in Python as the first argument"),
        ("site=hook_out", "--site SITE; in Python as the second argument"),
        ("step=0", "--step STEP; in Python as step=STEP"),
        ("source_steps=0,1", "--step STEP; in Python as step=STEP"),
        ("architecture=gated", "--architecture NAME; in Python as architecture=NAME"),
        ("preset=[1]", "--preset NAME; in Python as preset=NAME"),
    ],
)
def test_what_it_is_built_on_is_no_field(source: BoundVariant, word: str, how: str, command: Command):
    words = ("sae", "train", source.name, "--site", SITE, "-w", source.workspace.root)
    told = (1, "", APART.format(name=word.partition("=")[0], how=how))
    assert command(*words, word) == told
    assert command(*words, "--set", word) == told


def test_an_unknown_field_is_not_answered_with_what_is_given_otherwise(source: BoundVariant):
    with pytest.raises(UnknownName) as error:
        autoencoders(source, SITE, variatn="toy")
    assert str(error.value) == (
        "There is no field named 'variatn'.\nNone that is known here is spelt like it.\n"
        "sae.topk takes k, latents, seed, positions, data, normalize_activations, apply_b_dec_to_input; training: "
        "optimizer, learning_rate, betas, eps, momentum, muon_momentum, muon_nesterov, muon_ns_steps, muon_adjust_lr, "
        f"muon_exclude, weight_decay, no_decay and {len(TopKTraining.model_fields) - 12} others. "
        "`miscope families sae.topk` lists them."
    )
    with pytest.raises(BadValue) as refused:
        autoencoders(source, SITE, variant="toy")
    assert str(refused.value) + "\n" == APART.format(
        name="variant", how="VARIANT, the first word; in Python as the first argument"
    )


def test_a_transcoder_that_is_not_told_what_it_reconstructs_is_refused_with_the_flag(source: BoundVariant):
    with pytest.raises(BadValue) as refused:
        autoencoders(source, SITE, architecture="transcoder")
    assert str(refused.value) == (
        "sae.transcoder reconstructs another site than it reads, and was not told which.\n"
        "'target_site' is a site of the same network.\n"
        "Give it as --target-site SITE; in Python as target_site=SITE."
    )
    with pytest.raises(UnknownName, match=r"There is no site named '\[1\]'"):
        autoencoders(source, SITE, architecture="transcoder", target_site=[1])


@pytest.mark.parametrize("steps", [0, -5])
def test_a_training_of_no_length_is_refused_by_that_name(source: BoundVariant, steps: int):
    with pytest.raises(BadValue) as refused:
        autoencoders(source, SITE, steps=steps)
    assert refused.value.field == "steps"


def test_more_latents_than_memory_holds_are_refused_before_any_is_made(source: BoundVariant, command: Command):
    words = ("sae", "train", source.name, "--site", SITE, "k=2", "--set", "allow_out_of_range=true")
    many = (*words, "latents=999999999", "-w", source.workspace.root)
    code, out, err = command(*many, "--dry-run")
    assert code == 1
    assert out.splitlines()[1].split()[1:4] == [f"{2 * 8 * 999_999_999 + 8 + 999_999_999:,}", "1,500", "5"]
    assert err.startswith("error, latents: it takes about ")
    for more in ((), ("--set", "no_decay=b_enc")):
        code, _, err = command(*many, *more)
        assert code == 1
        assert "\nlatents: it takes about " in err
    (variant,) = autoencoders(source, SITE, k=2, latents=999_999_999, allow_out_of_range=True, no_decay="b_enc")
    with pytest.raises(BadValue, match="latents: it takes about"):
        list(variant.train(threads=1))


def test_a_range_is_kept_unless_it_is_said_that_it_need_not_be(source: BoundVariant):
    with pytest.raises(BadValue, match="steps=6: it is outside 1000 to 1000000; allow_out_of_range=true takes it"):
        autoencoders(source, SITE, steps=6)


def test_a_training_too_short_for_its_family_is_refused_before_anything_is_written(
    source: BoundVariant, command: Command
):
    place = source.workspace
    fields = (f"variant={source.name}", f"site={SITE}", "step=0", "latents=16", "k=2")
    for more in ((), ("--dry-run",), ("--queue",)):
        code, out, err = command("train", "sae.topk", *fields, "--steps", "50", *more, "-w", place.root)
        assert (code, out, err.splitlines()[-3:]) == (
            1,
            "",
            [
                "sae.topk refuses steps=50: it is outside 1000 to 1000000; "
                "allow_out_of_range=true takes it all the same.",
                "'steps' is a whole number from 0 on, by default 1500.",
                "Change it and try again; nothing was written.",
            ],
        )
    assert trained(place) == []
    code, _, err = command("train", "sae.topk", *fields, "--steps", "5", "allow_out_of_range=true", "-w", place.root)
    assert code == 0, err
    assert [one.steps[-1] for one in trained(open_bound(place.root))] == [5]


def test_too_few_inputs_for_the_usual_latents_lift_no_range(tmp_path: Path):
    place = open_bound(tmp_path / "workspace")
    few = place.variant("sae.known-features", features=12, width=8, inputs=40)
    place.value.keep_record(few.value)
    (usual,), (typed,) = autoencoders(few, SITE), autoencoders(few, SITE, latents="1x")
    assert (usual.name, usual.value.training) == (typed.name, typed.value.training)
    assert usual.value.training is not None
    assert not usual.value.training.model_dump()["allow_out_of_range"]
    assert [each.severity for each in remarks(typed) if each.field == "latents"] == ["warning", "info"]
    with pytest.raises(BadValue, match="batch_size=64: it is outside 512 to 16384"):
        autoencoders(few, SITE, batch_size=64)


def test_a_dry_run_says_what_each_takes_and_what_its_fields_come_to(source: BoundVariant, command: Command):
    place = source.workspace.root
    words = ("sae", "train", source.name, "--site", SITE, "--architecture", "standard", "--dry-run", "-w", place)
    code, out, err = command(*words)
    assert code == 0, err
    head, row = (line.split() for line in out.splitlines())
    assert head == ["variant", "weights", "steps", "checkpoints", "disk", "time"]
    assert row[1:4] == [str(2 * 8 * 16 + 8 + 16), "1,500", "5"]
    lines = err.splitlines()
    distinct = some_features(source) + 1
    assert lines[:-1] == [
        f"warning, latents: 16 for {distinct} distinct inputs among 120, fewer than 4 for each latent: a latent can "
        f"learn one by heart. {distinct // 4} latents would have 4 each.",
        *(f"info, {line.format(distinct=distinct)}" for line in STANDARD),
    ]
    assert lines[-1].startswith("time: ")
    assert lines[-1].endswith(", guessed from its size; no training of sae.standard was measured here yet")
    assert source.workspace.names() == [source.name]


def test_a_training_that_could_never_be_is_refused_before_it_begins(source: BoundVariant, command: Command):
    place = source.workspace.root
    words = ("sae", "train", source.name, "--site", SITE, "k=40", "-w", place)
    code, _, err = command(*words, "--dry-run")
    assert (code, err.splitlines()[0]) == (1, "error, k: 40 latents cannot be kept of 16.")
    for more in ((), ("--queue",)):
        code, _, err = command(*words, *more)
        assert code == 1
        assert err.splitlines()[-2:] == [
            "k: 40 latents cannot be kept of 16.",
            "Change it and try again; nothing was written.",
        ]
    assert source.workspace.names() == [source.name]
    assert list(RunQueue(place).runs()) == []


def test_each_latent_has_four_inputs_where_there_are_so_many():
    found = [fitting_latents(*sizes) for sizes in ((128, 12_769), (128, 4_000), (512, 4_096), (512, 3_481))]
    assert found == ["8x", "4x", "2x", "1x"]


def test_what_depends_on_the_length_of_a_training_goes_with_it(source: BoundVariant):
    (variant,) = autoencoders(source, SITE, steps=3000)
    training = variant.value.training
    assert training is not None
    assert (training.steps, training.lr_schedule_steps, training.lr_decay_steps) == (3000, 3000, 600)
    (jumping,) = autoencoders(source, SITE, architecture="jumprelu", steps=3000)
    assert jumping.value.training.model_dump()["sparsity_warmup_steps"] == 3000


@pytest.mark.parametrize("architecture", ["topk", "jumprelu", "gated"])
def test_an_exported_autoencoder_gives_what_was_trained(source: BoundVariant, architecture: str, command: Command):
    place = source.workspace
    fields = {"k": 2} if architecture == "topk" else {"expected_l0": 2}
    (variant,) = autoencoders(source, SITE, architecture=architecture, steps=20, allow_out_of_range=True, **fields)
    list(variant.train(threads=1))
    folder = place.root / "files"
    code, out, err = command("sae", "export", variant.name, "--out", folder, "-w", place.root)
    assert code == 0, err
    assert out.startswith(f"{folder}: reconstructions differ by ")
    context, weights = place.value.context(variant.value), variant.at("last").checkpoint.weights
    rows = context.probe().inputs
    found = context.model.answers(weights, rows, {"hook_sae_acts_post", "hook_sae_recons"})
    loaded = load_saelens(folder)
    scale = found["hook_sae_recons"].abs().max()
    assert float((reconstruction(loaded, rows) - found["hook_sae_recons"]).abs().max()) < 1e-5 * float(scale)
    assert torch.equal(latents(loaded, rows) > 0, found["hook_sae_acts_post"] > 0)
    assert loaded.metadata["hook_name"] == SITE
    assert loaded.metadata["miscope"]["variant"] == variant.name
    before = (folder / "cfg.json").read_bytes()
    code, out, err = command("sae", "export", variant.name, "--step", "first", "--out", folder, "-w", place.root)
    assert (code, out, err) == (
        1,
        "",
        f"{folder} holds an autoencoder already.\nThere is cfg.json, sae_weights.safetensors, sparsity.safetensors.\n"
        "Choose another folder, or have it replaced:  --overwrite  (in Python: overwrite=True)\n",
    )
    assert (folder / "cfg.json").read_bytes() == before
    words = ("sae", "export", variant.name, "--step", "first", "--out", folder, "--overwrite", "-w", place.root)
    assert command(*words)[0] == 0
    assert load_saelens(folder).metadata["miscope"]["step"] == 0


def test_what_is_no_autoencoder_is_not_exported(source: BoundVariant, command: Command):
    code, _, err = command(
        "sae", "export", source.name, "--out", source.workspace.root / "files", "-w", source.workspace.root
    )
    assert code == 1
    assert f"{source.name} is no autoencoder of one site.\nIt is a sae.known-features.\n" in err


def test_steps_of_what_has_no_checkpoint_are_refused_in_words(source: BoundVariant) -> None:
    untrained = source.workspace.variant("sae.topk", variant=source.name, step=0, site=SITE, latents="2x")
    for step in ("all", "every:2", "last"):
        with pytest.raises(NoCheckpoint) as told:
            autoencoders(untrained, "hook_sae_acts_post", step=step)
        assert str(told.value).splitlines()[0] == f"{untrained.name} has no checkpoints."
    with pytest.raises(BadValue) as refused:
        autoencoders(source, SITE, step=[])
    assert str(refused.value) == f"No step is given.\n{source.name} has 1.\nName one, several, or 'all'."


def test_what_is_remarked_while_it_trains_is_printed(source: BoundVariant, command: Command) -> None:
    words = ("--architecture", "standard", "--no-untrained", "--set", "allow_out_of_range=true", "--threads", "1")
    place = source.workspace.root
    code, out, err = command(
        "sae", "train", source.name, "--site", SITE, *words, "--steps", "60", "rho=1e-6", "-w", place
    )
    assert code == 0, err
    told = [line for line in (out + err).splitlines() if "the penalty is too weak to make them few." in line]
    assert len(told) == 1
