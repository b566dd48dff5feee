"""Glyphs: digits 28 x 28 rendered from Matplotlib's own fonts, shifted, turned and noisy. Images without a download.

X, y = glyphs(1000, np.random.default_rng(0))       # X (1000, 28, 28) in [0, 1], y (1000,) the digit
"""

from __future__ import annotations

import functools

import numpy as np

from .needed import needed

FONTS = ("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono", "STIXGeneral", "cmr10", "cmtt10")
SIZE = 28


def glyphs(
    n: int, rng: np.random.Generator, characters: str = "0123456789", shift: int = 3, noise: float = 0.08
) -> tuple[np.ndarray, np.ndarray]:
    """n images (n, 28, 28) float32 in [0, 1] of `characters` in several fonts, and their numbers (n,).

    Each is moved by up to `shift` pixels each way and has normal noise of deviation `noise`.
    """
    needed("matplotlib", "matplotlib", "glyphs")
    atlas = render(characters)
    y = rng.integers(len(characters), size=n)
    style = rng.integers(atlas.shape[1], size=n)
    moves = rng.integers(-shift, shift + 1, size=(n, 2))
    X = np.stack([moved(atlas[k, s], *move) for k, s, move in zip(y, style, moves, strict=True)]) if n else atlas[0, :0]
    X = X + noise * rng.normal(size=X.shape)
    return X.clip(0, 1).astype(np.float32), y


def moved(image: np.ndarray, down: int, right: int) -> np.ndarray:
    """The image moved, with empty pixels where it came from."""
    padded = np.pad(image, SIZE)
    return padded[SIZE - down : 2 * SIZE - down, SIZE - right : 2 * SIZE - right]


@functools.cache
def render(characters: str) -> np.ndarray:
    """Every character in every font, upright and slightly turned: (characters, styles, 28, 28)."""
    styles = [(font, angle) for font in FONTS for angle in (-12, 0, 12)]
    return np.stack([np.stack([draw(character, font, angle) for font, angle in styles]) for character in characters])


def draw(character: str, font: str, angle: float) -> np.ndarray:
    """One character centred in 28 x 28, its larger side about 20 pixels, as grey values in [0, 1]."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.patches import PathPatch
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    path = TextPath((0, 0), character, size=20, prop=FontProperties(family=font)).transformed(
        Affine2D().rotate_deg(angle)
    )
    box = path.get_extents()
    scale = 20 / max(box.width, box.height)
    centred = path.transformed(
        Affine2D().translate(-(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2).scale(scale).translate(SIZE / 2, SIZE / 2)
    )
    figure = Figure(figsize=(1, 1), dpi=SIZE, facecolor="black")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, SIZE), ylim=(0, SIZE))
    axes.axis("off")
    axes.add_patch(PathPatch(centred, facecolor="white", edgecolor="none"))
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., 0] / 255.0
