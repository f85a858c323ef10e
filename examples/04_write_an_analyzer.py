# %% [markdown]
# # Write an analyzer
#
# An instrument is a pure function from what it is shown to named arrays, and a record that says what it needs. Here is
# one: how much of the first layer's weight lies on the bits whose parity is the answer?

# %%
import numpy as np
import plotly.graph_objects as go

import miscope
import miscope_toys
import miscope_views
from miscope import Analyzer, Grain, Needs, Snapshot, View, ViewData
from miscope.testing import check_analyzer, tables


def concentration(snapshot: Snapshot):
    """Share of the squared weights of each matrix that its two strongest inputs have."""
    shares = {}
    for role, tensor in snapshot.weights.items():
        if tensor.ndim == 2:
            by_input = np.sort((tensor.double().numpy() ** 2).sum(axis=1))[::-1]
            shares[role] = np.asarray(by_input[:2].sum() / by_input.sum())
    return shares


analyzer = Analyzer(
    name="mine.concentration",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=concentration,
    needs=Needs(weights=("*",)),
    not_invariant_to=("relu scaling", "residual rotation"),
    outputs={"ROLE": "() share of the squared weights on the two strongest inputs"},
)

# %% [markdown]
# A view reads what it left by name. Of trajectory grain, it is given the arrays of all checkpoints stacked.


# %%
def draw(shown: ViewData):
    """Share of the weights on the two strongest inputs, over training."""
    over_time = shown.artifacts["mine.concentration"]
    curves = [go.Scatter(x=over_time["step"], y=over_time[name], name=name) for name in over_time if name != "step"]
    return go.Figure(curves, {"yaxis": {"title": "share on two inputs", "range": [0, 1]}})


view = View(
    name="mine.concentration",
    title="Where the weights are",
    grain=Grain.TRAJECTORY,
    draw=draw,
    needs=Needs(reads=("mine.concentration",)),
    time_axis="x",
)

# %% [markdown]
# Before it is trusted, it is checked, on a toy that is trained for some milliseconds: whether it gives the same twice,
# reads what it declares, and changes under a symmetry that leaves what the model computes as it is. This one does, and
# says so: a share is not the same once the residual stream is turned. An empty tuple is good news.

# %%
plugins = tables(analyzer, view, toys=miscope_toys, views=miscope_views)
check_analyzer(analyzer, plugins=plugins)

# %% [markdown]
# A workspace that is opened with these tables has them beside all others.

# %%
workspace = miscope.open("parity", plugins=plugins)
variant = workspace.variant("toys.parity", bits=10, degree=2, examples=200, width=64, checkpoints="every:50")
for _ in variant.train(steps=1500, threads=1):
    pass
variant.analyze("mine.concentration", "events.grokking")
variant.view("mine.concentration")

# %% [markdown]
# In a package of its own it is there in every workspace, on the command line and on the page:
# `miscope new-plugin concentration` writes one with its tests, and the tutorial goes through it.

# %%
shares = variant.arrays("mine.concentration")
{name: (float(shares[name][0].round(2)), float(shares[name][-1].round(2))) for name in shares if name != "step"}
