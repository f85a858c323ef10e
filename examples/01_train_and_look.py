# %% [markdown]
# # Train, and look
#
# A small perceptron learns the parity of two bits among ten. It knows its training examples by heart long before it
# gets unseen ones right: that is grokking, and here it takes seconds. This notebook trains it and looks at how it
# happened.
#
# A workspace is a folder. Nothing is written until there is something to keep.

# %%
import miscope

workspace = miscope.open("parity")
variant = workspace.variant("toys.parity", bits=10, degree=2, examples=200, width=64, checkpoints="every:50")
variant

# %% [markdown]
# Training is an iterator: each step is yielded as it is done, and breaking off loses nothing. The same line goes on
# from the last step.

# %%
for _ in variant.train(steps=1500, threads=1):
    pass
variant

# %% [markdown]
# The losses need no analysis: they were recorded while it trained.

# %%
variant.view("behaviour.losses")

# %% [markdown]
# ## When did it happen?
#
# Instruments look at checkpoints. `events.grokking` dates what a course has: when the training set was learnt, when the
# test set was, and how sure that is. Asked again, nothing is computed twice.

# %%
variant.analyze("events.grokking", "parameters.norms")
events = variant.arrays("events.grokking")
memorised, generalised = int(events["memorised"]), int(events["generalised"])
print(f"memorised at step {memorised}, generalised at step {generalised}")

# %% [markdown]
# Now the same figure has marks at both.

# %%
variant.view("behaviour.losses")

# %% [markdown]
# ## What else is there?
#
# `variant.views` says what can be drawn now and what was not computed. After `%load_ext miscope.notebook`, Tab
# completes its names.

# %%
variant.views

# %%
variant.views.parameters
