from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from miscope.errors import BadValue
from miscope.figures.animate import animate
from miscope.figures.film_file import MissingLibrary, check_libraries, write_film
from miscope.testing import tables
from miscope.workspace import open_workspace

SHADES = (0, 80, 160, 240)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four pictures of odd sizes, each of one grey, one of them smaller than the rest."""
    image = pytest.importorskip("PIL.Image")
    folder = tmp_path_factory.mktemp("frames")
    sizes = [(61, 41), (61, 41), (51, 31), (61, 41)]
    for i, (size, shade) in enumerate(zip(sizes, SHADES, strict=True)):
        image.new("RGB", size, (shade,) * 3).save(folder / f"{i}.png")
    return [folder / f"{i}.png" for i in range(4)]


def test_an_mp4_plays_every_frame_at_an_even_size_and_holds_the_last(frames: list[Path], tmp_path: Path):
    av = pytest.importorskip("av")
    path = tmp_path / "film.mp4"
    write_film(frames, path, pause=100, rest=500)
    with av.open(path) as film:
        stream = film.streams.video[0]
        shown = [frame.to_ndarray(format="gray") for frame in film.decode(video=0)]
        codec = stream.codec_context
        assert (codec.name, codec.pix_fmt, stream.average_rate) == ("h264", "yuv420p", Fraction(10))
    assert [frame.shape for frame in shown] == [(42, 62)] * 8
    middle = np.array([int(frame[10, 10]) for frame in shown])
    # Four levels of the encoder's own loss at this quality; neighbouring shades are eighty apart.
    assert np.abs(middle - np.array([*SHADES, *[SHADES[-1]] * 4])).max() <= 4
    assert shown[2][35, 55] >= 250, "what is smaller lies on white"


@pytest.mark.parametrize("suffix", [".webp", ".gif"])
def test_an_image_that_moves_has_every_frame_and_rests_at_the_end(frames: list[Path], tmp_path: Path, suffix: str):
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / f"film{suffix}"
    write_film(frames, path, pause=100, rest=500)
    pauses, shades = [], []
    with image.open(path) as film:
        assert (film.n_frames, film.size) == (4, (62, 42))
        for number in range(4):
            film.seek(number)
            film.load()
            pauses.append(film.info["duration"])
            shades.append(film.convert("L").getpixel((10, 10)))
        assert film.info["loop"] == 0
    assert (pauses, shades) == ([100, 100, 100, 500], list(SHADES))


def test_a_colour_of_a_gif_is_the_same_in_every_frame_and_near_what_was_drawn(tmp_path: Path):
    image = pytest.importorskip("PIL.Image")
    # More distinct colours than a GIF has: 1,000 shades from blue to yellow along the bar of every frame, beside which
    # the second frame is filled with the bluest alone.
    shares = np.linspace(0, 1, 1000)[:, None]
    bar = np.round((1 - shares) * [0, 0, 250] + shares * [250, 240, 0]).astype(np.uint8)
    pictures = [np.tile(bar, (30, 1, 1)), np.concatenate([np.tile(bar, (2, 1, 1)), np.tile(bar[:1], (28, 1000, 1))])]
    for number, picture in enumerate(pictures):
        image.fromarray(picture).save(tmp_path / f"{number}.png")
    path = tmp_path / "film.gif"
    write_film([tmp_path / "0.png", tmp_path / "1.png"], path, pause=100, rest=100)
    shown = []
    with image.open(path) as film:
        for number, picture in enumerate(pictures):
            film.seek(number)
            shown.append(np.asarray(film.convert("RGB")).astype(int))
            assert np.abs(shown[-1] - picture).max() <= 6
    assert (shown[0][0] == shown[1][0]).all()


def test_a_gif_of_few_colours_has_exactly_these(tmp_path: Path):
    image = pytest.importorskip("PIL.Image")
    random = np.random.default_rng(0)
    colours = random.integers(0, 256, (200, 3), dtype=np.uint8)
    pictures = [colours[random.integers(0, 200, (20, 30))] for _ in range(3)]
    for number, picture in enumerate(pictures):
        image.fromarray(picture).save(tmp_path / f"{number}.png")
    path = tmp_path / "film.gif"
    write_film([tmp_path / f"{number}.png" for number in range(3)], path, pause=100, rest=100)
    with image.open(path) as film:
        for number, picture in enumerate(pictures):
            film.seek(number)
            assert (np.asarray(film.convert("RGB")) == picture).all()


def test_a_library_that_is_not_installed_is_named_with_the_extra_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingLibrary) as error:
        check_libraries(tmp_path / "film.mp4")
    assert str(error.value) == (
        "film.mp4 needs PyAV, which encodes the frames.\n"
        "The package av is not installed.\n"
        "Install it:  pip install 'miscope-core[film]'"
    )
    check_libraries(tmp_path / "film.webp")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingLibrary, match="Pillow"):
        check_libraries(tmp_path / "film.webp")


def test_a_film_of_another_kind_or_pace_is_refused_before_anything_is_drawn(tmp_path: Path):
    from types import ModuleType

    from miscope import Grain, View, hookimpl

    small = ModuleType("small")
    view = View(name="small.bar", title="Bar", grain=Grain.CHECKPOINT, draw=lambda shown: None)  # type: ignore[arg-type]
    small.miscope_views = hookimpl(lambda: [view])  # type: ignore[attr-defined]
    place = open_workspace(tmp_path, tables(small=small))
    variant = place.variant("toy.sum")
    with pytest.raises(BadValue) as error:
        list(animate(place, "small.bar", variant, tmp_path / "film.avi"))
    assert str(error.value) == (
        "A film cannot be written as 'film.avi'.\nThe suffix says how: .gif, .webp, .mp4, .html.\nTry film.mp4."
    )
    with pytest.raises(BadValue, match=r"It has 0\.1 to 60 of them"):
        list(animate(place, "small.bar", variant, tmp_path / "film.mp4", fps=0))
