# %% [markdown]
# # A queue, and a study
#
# What takes long need not hold a notebook. A run that is asked for goes into the workspace's queue and is done by a
# process of its own: close the notebook, and find it done.

# %%
from pathlib import Path

import miscope

workspace = miscope.open("parity")
variant = workspace.variant("toys.parity", bits=10, degree=2, examples=200, width=64, checkpoints="every:50")
training = workspace.queue.train(variant, steps=600, threads=1)
analysis = workspace.queue.analyze(variant, ["events.grokking"], after=[training])
workspace.queue

# %% [markdown]
# Here we wait for them; `training.stop()`, `.pause()`, `.resume()` and `.log()` are there meanwhile.

# %%
training.wait(300), analysis.wait(300)

# %%
workspace.queue

# %%
variant.view("behaviour.losses")

# %% [markdown]
# ## A study is a file
#
# Variants and what is computed of them, in a file that lies in git beside the paper.

# %%
STUDY = """
description: Does a wider layer learn a sparse parity sooner?
family: toys.parity
base: {bits: 10, degree: 2, examples: 200, steps: 300, checkpoints: 'every:100'}
matrix:
  width: [16, 32]
run_name: "w{width}"
train: {threads: 1}
analyze: {analyzers: [parameters.norms]}
"""
Path("widths.yaml").write_text(STUDY)

# %% [markdown]
# First what it would do: every run with all its settings, and what there is of it already.

# %%
# !miscope sweep widths.yaml --workspace parity --dry-run

# %%
# !miscope sweep widths.yaml --workspace parity

# %% [markdown]
# The same line again does nothing twice, and its name is the group of its runs in every question.

# %%
workspace.ask(
    "select variant, state from runs where runs.group = 'widths' and state = 'completed' order by variant"
).to_pylist()
