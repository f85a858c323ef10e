# %% [markdown]
# # Every checkpoint
#
# A figure of the last checkpoint says what a network became. How it became that is in the others. A widget shows
# several views of a variant under one step cursor.

# %%
import miscope

workspace = miscope.open("parity")
variant = workspace.variant("toys.parity", bits=10, degree=2, examples=200, width=64, checkpoints="every:50")
for _ in variant.train(steps=1500, threads=1):
    pass
variant.analyze("events.grokking", "parameters.norms", "parameters.trajectory", "ranks.weights")

# %% [markdown]
# Play it, drag it, click into the losses, or press the arrow keys; `?` lists all keys. The curve stays and the cursor
# moves over it; what shows one checkpoint is drawn when the cursor comes there.

# %%
widget = miscope.scrub(variant, ["behaviour.losses", "ranks.spectrum", "parameters.trajectory"])
widget

# %% [markdown]
# Python moves the cursor too. It settles on the checkpoint at or before.

# %%
generalised = int(variant.arrays("events.grokking")["generalised"])
widget.step = generalised
print(f"generalised at {generalised}, shown at {widget.step}")

# %% [markdown]
# Numbers of all checkpoints come stacked, with the steps beside them.

# %%
norms = variant.arrays("parameters.norms")
names = [name for name in norms if name != "step" and norms[name].ndim == 1]
for name in names[:4]:
    before, after = norms[name][norms["step"] <= generalised][-1], norms[name][-1]
    print(f"{name:24} {before:7.2f} when it generalised, {after:7.2f} at the end")

# %% [markdown]
# A single figure of a step, for a paper: `.export("pdf")` writes it, `.film("film.html")` a page with a slider that
# needs no kernel.

# %%
variant.at(500).view("ranks.spectrum")
