"""docs/write-a-family.md: its family passes its checks and trains, and its tables name what there is."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import miscope
from miscope.analysis.applicability import applies
from miscope.analyzer import Analyzer
from miscope.errors import MiscopeError
from miscope.family import make_variant
from miscope.model_context import ModelContext
from miscope.plugins.plugins import Plugins
from miscope.testing import check_family, roundings, tables

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "write-a-family.md").read_text(encoding="utf-8")
CODE = dict(re.findall(r"```python file=(\S+)\n(.*?)```", TEXT, flags=re.DOTALL))
NEEDED = re.findall(
    r"^\| (.+?) \| ((?:`[a-z_]+\.[a-z_]+` ?)+)\|$", TEXT.partition("## Who needs what")[2], re.MULTILINE
)
AXES = re.findall(r"^\| `(\w+)` \| [^|]+ \| ((?:`[a-z_]+\.[a-z_]+` ?)+)\|$", TEXT, re.MULTILINE)
BY_NAME = {"site": "sites", "weights": "weights", "column": "columns"}
BY_FIELD = ("labels", "answer_basis", "gradients", "objective", "optimizer")
OWN_NAMES = {
    '"blocks.0.mlp.hook_post"': '"hidden"',
    '"W_E"': '"embedding"',
    '"W_U"': '"readout"',
    "blocks.0.mlp.W_": "layer.",
    '("token"': '("symbol"',
    '"d_model"': '"embedding"',
    '"d_mlp"': '"hidden"',
    '"vocab_out"': '"classes"',
}
"""Words of the page's family -> words that nothing looks for."""

INSTALLED = Plugins.installed()


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the page's files, which its code runs in."""
    for name, code in CODE.items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.modules.pop("recurrent_sum", None)


def test_the_family_of_the_page_passes_its_check_and_trains(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tests = runpy.run_path(str(written / "test_recurrent_sum.py"))
    tests["test_its_parts_fit"]()
    runpy.run_path(str(written / "use_it.py"))
    assert capsys.readouterr().out.startswith("[")


def test_a_state_dict_of_the_pages_network_is_adopted_and_computes_the_same(written: Path) -> None:
    page = runpy.run_path(str(written / "recurrent_sum.py"))
    net, family = page["Net"](5).double(), page["RecurrentSum"]()
    torch.save(net.state_dict(), written / "step_500.pt")
    workspace = miscope.open(written / "w", plugins=tables(family))
    (variant,) = workspace.adopt(written / "step_500.pt", family="recurrent.sum", params={"modulus": 5})
    assert variant.steps == [500]
    inputs = torch.cartesian_prod(torch.arange(5), torch.arange(5))
    weights = variant.at(500).checkpoint.weights
    logits = family.model(variant.value.params).run(weights, inputs, ["logits"])["logits"]
    assert roundings(logits.numpy(), net(inputs).detach().numpy()) < 100
    with pytest.raises(MiscopeError):
        workspace.adopt(written / "step_500.pt", family="recurrent.sum", params={"modulus": 7})


def test_names_of_its_own_cost_it_what_looks_at_activations() -> None:
    code = CODE["recurrent_sum.py"]
    for word, own in OWN_NAMES.items():
        assert word in code, word
        code = code.replace(word, own)
    shared, own = _applying(CODE["recurrent_sum.py"]), _applying(code)
    assert own < shared
    lost = {name.partition(".")[0] for name in shared - own}
    assert {"neurons", "phases", "dimensions", "coarseness", "geometry", "units"} <= lost


def _applying(code: str) -> set[str]:
    """Instruments to which the family defined by the code gives all that they declare."""
    defined: dict[str, Any] = {"__name__": "defined"}
    exec(compile(code, "recurrent_sum.py", "exec"), defined)
    family = defined["RecurrentSum"]()
    context = ModelContext(family, make_variant(family, {}))
    probe = context.probe()
    return {name for name, analyzer in INSTALLED.analyzers.items() if applies(analyzer.needs, context, probe) is None}


@pytest.mark.parametrize(("need", "names"), NEEDED, ids=[need for need, _ in NEEDED])
def test_who_is_said_to_need_something_declares_it(need: str, names: str) -> None:
    declares = _declaring(need)
    for name in re.findall(r"`(.+?)`", names):
        assert name in INSTALLED.analyzers, f"{name}: no analyzer is called so"
        assert declares(INSTALLED.analyzers[name]), f"{name} does not declare {need}"


def _declaring(need: str) -> Callable[[Analyzer], bool]:
    kind, _, rest = need.partition(" ")
    what = re.findall(r"`(.+?)`", need)[0].replace("\\|", "|")
    if kind in BY_NAME:
        return lambda analyzer: what in getattr(analyzer.needs, BY_NAME[kind])
    if rest.startswith("grid"):
        return lambda analyzer: analyzer.needs.grid == int(what)
    assert what in BY_FIELD
    return lambda analyzer: bool(getattr(analyzer.needs, what))


def test_every_name_that_an_instrument_demands_is_in_the_table() -> None:
    said = {need.replace("\\|", "|") for need, _ in NEEDED}
    demanded = {
        f"{word} `{pattern}`"
        for analyzer in INSTALLED.analyzers.values()
        for word, field in BY_NAME.items()
        for pattern in getattr(analyzer.needs, field)
        if pattern != "*"
    }
    assert demanded <= said


def test_the_axes_are_words_that_instruments_look_for() -> None:
    source = ROOT / "packages" / "miscope-core" / "src" / "miscope"
    code = "".join(
        path.read_text(encoding="utf-8") for part in ("analyzers", "maths") for path in (source / part).glob("*.py")
    )
    assert {axis for axis, _ in AXES} == {"token", "position", "d_model", "d_mlp", "head", "vocab_out"}
    for axis, names in AXES:
        assert f'"{axis}"' in code, axis
        assert set(re.findall(r"`(.+?)`", names)) <= set(INSTALLED.analyzers)


def test_the_pages_linear_probe_reads_a_sum_off_another_variant_and_is_looked_at(written: Path) -> None:
    family = runpy.run_path(str(written / "linear_probe.py"))["LinearProbe"]()
    workspace = miscope.open(written / "w", plugins=tables(family))
    parent = workspace.variant("toy.sum")
    list(parent.train(threads=1))
    probe = workspace.variant(family.name, variant=parent.name, step=30)
    list(probe.train(threads=1))
    losses = probe.metric("train_loss")[1]
    assert losses[-1] < losses[0] / 2
    assert {outcome.state for outcome in probe.analyze("behaviour.metrics")} == {"saved"}
    check_family(workspace.context(probe).family, probe.value.params.model_dump())
