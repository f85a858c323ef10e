"""Positions of names among labels, by hand."""

import numpy as np

from miscope.maths.label_index import label_index


def test_names_stand_where_their_label_does_whatever_its_order_and_strangers_nowhere():
    names = np.array([["10", "2", ""], ["1", "99", "2"]])
    assert label_index(names, ["2", "10", "1"]).tolist() == [[1, 0, -1], [2, -1, 0]]
    assert label_index(names[0], np.array(["10"])).tolist() == [0, -1, -1]
