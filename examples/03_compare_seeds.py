# %% [markdown]
# # Compare seeds
#
# One run is an anecdote. Three seeds of the same training say what is the same in each, and what was chance.

# %%
import miscope

workspace = miscope.open("parity")
variants = [
    workspace.variant("toys.parity", bits=10, degree=2, examples=200, width=64, seed=seed, checkpoints="every:50")
    for seed in range(3)
]
for variant in variants:
    for _ in variant.train(steps=1500, threads=1):
        pass
    variant.analyze("events.grokking", "parameters.trajectory")
workspace

# %% [markdown]
# By step, the curves lie apart: each network generalises at a step of its own.

# %%
workspace.view("behaviour.compare", variants)

# %%
for variant in variants:
    events = variant.arrays("events.grokking")
    print(variant.name, "memorised", int(events["memorised"]), "generalised", int(events["generalised"]))

# %% [markdown]
# Counted from the step at which each generalised, they can be laid over each other. The cursor of this widget counts
# that: at 0 each network is shown where it generalised, whatever step that is.

# %%
widget = miscope.compare(variants, ["behaviour.compare", "behaviour.losses"], align="grokking")
widget

# %% [markdown]
# The index answers questions over all variants at once, in SQL.

# %%
workspace.ask("select variant, value as generalised from scalars where name = 'generalised' order by value").to_pylist()
