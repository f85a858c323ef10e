"""What a plug-in may offer: six hooks, each taking nothing and yielding records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import typer

    from miscope.analyzer import Analyzer
    from miscope.executor import Executor
    from miscope.family import Family
    from miscope.lens import Lens
    from miscope.view import View

__all__ = ["HOOK_API", "PROJECT", "hookimpl", "hookspec"]

PROJECT = "miscope"
"""Name of the pluggy project and of the entry-point group."""

HOOK_API = 2
"""Version of the hooks and of the records they yield; docs/hooks.md says what it promises."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def miscope_families() -> Iterable[Family]:
    """Kinds of model this plug-in can build and train.

    A small one: the sum of two embeddings, read out, learns (a + b) mod n.

    .. code-block:: python

        import torch
        from torch import nn

        from miscope import Examples, Family, HookedModel, Params, Probe, Role, Task, TrainingConfig, classification
        from miscope import hookimpl


        class PairParams(Params):
            n: int = 5


        class Net(nn.Module):
            def __init__(self, n):
                super().__init__()
                self.W_E, self.W_U = nn.Parameter(torch.zeros(n, 8)), nn.Parameter(torch.zeros(8, n))
                self.hook_embed = nn.Identity()

            def forward(self, tokens):
                return self.hook_embed(self.W_E[tokens].sum(dim=1, keepdim=True)) @ self.W_U


        class PairFamily(Family):
            name = "example.pair"
            title = "Example: (a + b) mod n"
            params = PairParams

            def model(self, params):
                net = Net(params.n)
                roles = [
                    Role(name="W_E", axes=("token", "d_model"), shape=(params.n, 8)),
                    Role(name="W_U", axes=("d_model", "vocab_out"), shape=(8, params.n)),
                ]
                return HookedModel(net, roles=roles, sites={"hook_embed": net.hook_embed}, place=dict)

            def examples(self, params):
                pairs = torch.cartesian_prod(torch.arange(params.n), torch.arange(params.n))
                return Examples(inputs=pairs, labels=pairs.sum(dim=1) % params.n)

            def probes(self, variant):
                every = self.examples(variant.params)
                a, b = every.inputs.numpy().T
                columns = {"a": a, "b": b, "sum": every.labels.numpy()}
                probe = Probe(name="grid", inputs=every.inputs, labels=every.labels, columns=columns, grid=("a", "b"))
                return {"grid": probe}

            def training(self, params):
                return TrainingConfig(steps=20, learning_rate=0.01, checkpoints="every:10")

            def task(self, variant):
                every, roles = self.examples(variant.params), self.model(variant.params).roles.values()
                train, test = every.part(0, len(every) // 2), every.part(len(every) // 2, len(every))

                def initial_weights():
                    generator = torch.Generator().manual_seed(0)
                    return {role.name: torch.randn(role.shape, generator=generator) for role in roles}

                return Task(train=train, test=test, initial_weights=initial_weights, objective=classification())

            def bases(self, params):
                return {}


        @hookimpl
        def miscope_families():
            yield PairFamily()
    """
    return ()


@hookspec
def miscope_analyzers() -> Iterable[Analyzer]:
    """Analyzers this plug-in provides.

    .. code-block:: python

        import numpy as np

        from miscope import Analyzer, Grain, Needs, hookimpl


        def norms(snapshot):
            "Frobenius norm of each weight."
            return {role: np.asarray(weight.norm()) for role, weight in snapshot.weights.items()}


        @hookimpl
        def miscope_analyzers():
            yield Analyzer(
                name="example.norms",
                version=1,
                grain=Grain.CHECKPOINT,
                compute=norms,
                needs=Needs(weights=("*",)),
                not_invariant_to=("relu scaling",),
                outputs={"ROLE": "() norm of that weight, in its unit"},
            )
    """
    return ()


@hookspec
def miscope_views() -> Iterable[View]:
    """Views this plug-in provides.

    .. code-block:: python

        from miscope import Grain, Needs, View, hookimpl


        def draw(shown):
            "Training loss over training."
            import plotly.graph_objects as go

            loss = shown.metrics["train_loss"]
            return go.Figure(go.Scatter(x=loss.steps, y=loss.values, name="train loss"))


        @hookimpl
        def miscope_views():
            yield View(
                name="example.loss",
                title="Training loss",
                grain=Grain.TRAJECTORY,
                draw=draw,
                needs=Needs(metrics=("train_loss",)),
            )
    """
    return ()


@hookspec
def miscope_executors() -> Iterable[Executor]:
    """Places this plug-in can run jobs.

    .. code-block:: python

        from concurrent.futures import ThreadPoolExecutor

        from miscope import Executor, hookimpl


        class Pair(Executor):
            name = "example.pair"

            def run(self, work, jobs, *, lost=None):
                with ThreadPoolExecutor(2) as pool:
                    yield from pool.map(work, jobs)


        @hookimpl
        def miscope_executors():
            yield Pair()
    """
    return ()


@hookspec
def miscope_lenses() -> Iterable[Lens]:
    """Named sets of views this plug-in provides.

    .. code-block:: python

        from miscope import Lens, LensSection, LensView, hookimpl


        @hookimpl
        def miscope_lenses():
            curves = (LensView(view="behaviour.losses"), LensView(view="behaviour.accuracies"))
            yield Lens(
                name="example.learning",
                title="Example: learning",
                question="When is it learned?",
                sections=(LensSection(title="Curves", views=curves),),
            )
    """
    return ()


@hookspec
def miscope_commands(cli: typer.Typer) -> None:
    """Add commands to `miscope`.

    .. code-block:: python

        from typing import Annotated

        import typer

        from miscope import hookimpl
        from miscope.cli.options import WorkspaceOption, opened


        def largest_run(count: Annotated[int, typer.Argument(help="How many.")] = 1, workspace: WorkspaceOption = None):
            "Print the variants with the most checkpoints."
            place = opened(workspace)
            for name in sorted(place.names(), key=lambda name: -len(place.store.steps(name)))[:count]:
                print(name)


        @hookimpl
        def miscope_commands(cli):
            cli.command(name="example-largest")(largest_run)
    """
