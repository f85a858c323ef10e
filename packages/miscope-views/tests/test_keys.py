from __future__ import annotations

import numpy as np

from miscope import ViewData
from miscope.family import make_variant
from miscope.testing import ToyFourierFamily
from miscope.testing.toy import cosines
from miscope_views import keys

BALLOT = np.zeros((2, 4, 14), dtype=bool)
BALLOT[1, :, 4] = True
BALLOT[1, 0, 7] = True
HARMONIC = np.zeros((2, 14), dtype=bool)
HARMONIC[1, 9] = True
STACKED = {
    "step": np.array([0, 100]),
    "label": np.array([[str(k) for k in range(1, 15)]] * 2),
    "voter": np.array([["neurons", "answer", "own answer", "embedding"]] * 2),
    "vote": BALLOT,
    "votes": BALLOT.sum(axis=1).astype(np.uint8),
    "key": BALLOT.sum(axis=1) >= 2,
    "harmonic": HARMONIC,
}


def shown(step: int | None) -> ViewData:
    arrays = STACKED if step is None else {name: array[1] for name, array in STACKED.items()}
    variant = make_variant(ToyFourierFamily(), {})
    reads = {"keys.votes": arrays}
    return ViewData(variant=variant, step=step, steps=STACKED["step"], artifacts=reads, bases={"sum": cosines(29)})


def test_only_components_that_were_ever_key_have_a_bar():
    figure = keys.presence(shown(None))

    assert list(figure.data[1].y) == ["5"]
    assert figure.data[1].z.tolist() == [[0, 4]]
    assert list(figure.data[0].y) == [0, 1]


def test_votes_are_dots_and_harmonics_stand_apart():
    figure = keys.votes(shown(100))

    assert [list(trace.x) for trace in figure.data] == [["5", "8"], ["5"], ["5"], ["5"], ["10"]]
    assert "key: 5" in figure.layout.title.subtitle.text


def test_what_breaks_the_loss_has_a_row_of_its_own_and_no_vote():
    from dataclasses import replace

    seen, causal = shown(100), np.zeros(14, dtype=bool)
    causal[[4, 12]] = True
    figure = keys.votes(replace(seen, artifacts={**seen.artifacts, "progress.losses": {"causal": causal}}))

    assert list(figure.data[4].x) == ["5", "13"]
    assert list(figure.layout.yaxis.categoryarray)[-2].startswith("causal")
    assert "key: 5" in figure.layout.title.subtitle.text


def test_a_component_that_is_not_key_at_the_end_is_named_transient():
    from dataclasses import replace

    gone = {name: array[::-1] for name, array in STACKED.items() if name != "step"} | {"step": STACKED["step"]}
    passed = keys.presence(replace(shown(None), artifacts={"keys.votes": gone}))
    stayed = keys.presence(shown(None))

    assert passed.layout.yaxis.ticktext[0].startswith("transient 5")
    assert stayed.layout.yaxis.ticktext[0].startswith("5 <span")
