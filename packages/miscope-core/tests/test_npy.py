"""Arrays as npy files: what NumPy reads is what was written, and what NumPy wrote is read."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miscope.store.npy import SMALL, read_npy, write_npy

KINDS = ("<f8", "<f4", ">i4", "<i8", "|b1", "<U3", "|S2", "<c8", "<u2")


def written(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    write_npy(file, array)
    return file.getvalue()


def by_numpy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


@given(shape=st.lists(st.integers(0, 4), max_size=4), kind=st.sampled_from(KINDS), order=st.sampled_from("CFT"))
@settings(max_examples=80)
def test_the_bytes_are_those_of_numpy_and_give_back_the_array(shape: list[int], kind: str, order: str) -> None:
    array = np.arange(int(np.prod(shape))).reshape(shape).astype(kind)
    array = array[..., ::-1] if order == "T" and shape else np.asarray(array, order="F" if order == "F" else "C")
    content = written(array)
    assert content == by_numpy(array)
    again = read_npy(content)
    assert (again.dtype, again.shape, again.flags.writeable) == (array.dtype, array.shape, True)
    assert np.array_equal(again, array)


def test_what_is_larger_is_written_and_read_alike() -> None:
    array = np.arange(SMALL // 8 + 1, dtype=np.float64)
    assert written(array) == by_numpy(array)
    assert np.array_equal(read_npy(written(array)), array)


def test_records_are_written_as_numpy_writes_them() -> None:
    array = np.array([(1, 2.5), (3, 4.5)], dtype=[("a", "<i4"), ("b", "<f8")])
    assert written(array) == by_numpy(array)
    assert np.array_equal(read_npy(written(array)), array)


def test_python_objects_are_neither_written_nor_read() -> None:
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        written(np.array([{}, None], dtype=object))
    file = io.BytesIO()
    np.save(file, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        read_npy(file.getvalue())


@pytest.mark.parametrize("length", [0, 4, 9, 60, 130])
def test_a_torn_file_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_npy(written(np.arange(9.0))[:length])
