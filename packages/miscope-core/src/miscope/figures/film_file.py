"""Images one after the other as one moving picture: a GIF, an animated WebP, or H.264 in MP4."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miscope.errors import MiscopeError
from miscope.figures.film_palette import palette_of
from miscope.store.atomic import write_whole

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["FILMS", "MissingLibrary", "check_libraries", "write_film"]

FILMS = (".gif", ".webp", ".mp4")
"""Suffixes of what this room writes."""


class MissingLibrary(MiscopeError):
    """A film was asked for, and a package that makes such films is not installed."""

    def __init__(self, path: Path, what: str, package: str) -> None:
        super().__init__(
            f"{path.name} needs {what}.",
            f"The package {package} is not installed.",
            "Install it:  pip install 'miscope-core[film]'",
        )


def check_libraries(path: Path) -> None:
    """Raise MissingLibrary before anything is drawn for a film that could not be written."""
    try:
        import PIL  # noqa: F401
    except ImportError:
        raise MissingLibrary(path, "Pillow, which puts the frames together", "pillow") from None
    if path.suffix.lower() == ".mp4":
        try:
            import av  # noqa: F401
        except ImportError:
            raise MissingLibrary(path, "PyAV, which encodes the frames", "av") from None


def write_film(frames: Sequence[Path], path: Path, *, pause: int, rest: int) -> None:
    """The frames as the suffix of the path says; each stands `pause` ms and the last `rest` ms.

    All have the size of the largest of each side, made even: what is smaller lies on white. The file appears whole.
    """
    match path.suffix.lower():
        case ".mp4":
            write_whole(path, lambda file: _encode(frames, file, pause=pause, rest=rest))
        case suffix:
            write_whole(path, lambda file: _animate(frames, file, suffix, [pause] * (len(frames) - 1) + [rest]))


def _animate(frames: Sequence[Path], file: Any, suffix: str, pauses: list[int]) -> None:
    images = _images(frames)
    if suffix == ".gif":
        palette = palette_of(_images(frames))
        images = (palette.shown(image) for image in images)
        how: dict[str, Any] = {"format": "GIF"}
    else:
        how = {"format": "WEBP", "lossless": True}
    first = next(images)
    first.save(file, **how, save_all=True, append_images=images, duration=pauses, loop=0)


def _encode(frames: Sequence[Path], file: Any, *, pause: int, rest: int) -> None:
    """H.264 in yuv420p, which every browser and slide program plays; it wants even sides."""
    import av

    with av.open(file, mode="w", format="mp4") as film:
        stream: Any = film.add_stream("libx264", rate=Fraction(1000, pause), options={"crf": "18"})
        stream.pix_fmt = "yuv420p"
        last = None
        for image in _images(frames):
            if last is None:
                stream.width, stream.height = image.size
            last = av.VideoFrame.from_image(image)
            film.mux(stream.encode(last))
        for _ in range(max(0, round(rest / pause) - 1)):
            assert last is not None
            last.pts = None
            film.mux(stream.encode(last))
        film.mux(stream.encode())


def _images(frames: Sequence[Path]) -> Iterator[Image]:
    """Each frame on white, all of one even size; one in memory at a time."""
    from PIL import Image

    sizes = []
    for path in frames:
        with Image.open(path) as image:
            sizes.append(image.size)
    width, height = (max(sides) + max(sides) % 2 for sides in zip(*sizes, strict=True))
    for path in frames:
        with Image.open(path) as image:
            whole = Image.new("RGB", (width, height), "white")
            whole.paste(image.convert("RGB"), (0, 0))
            yield whole
