"""augment: pictures that are moved a little, each by its own numbers. Optional."""

from __future__ import annotations

import math

import numpy as np

from gradschool.lessons.augmentation import augment
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Hint, Misconception, Property, Variant
from gradschool_grader.sigma import SixSigma

from .common import CHAPTER, MOVED, seeded


# --------------------------------------------------------------------------------------------------- how it goes wrong
def one_moved(image, down, right):
    H, W = image.shape
    moved = np.zeros_like(image)
    top, left = max(down, 0), max(right, 0)
    part = image[top - down : H - max(down, 0), left - right : W - max(right, 0)]
    moved[top : top + len(part), left : left + part.shape[1]] = part
    return moved


def by_image(draw, move=one_moved):
    """draw(rng, shift) -> (down, right) for each image."""

    def answer(images, rng, shift=1):
        return np.array([move(image, *draw(rng, shift)) for image in images]).reshape(images.shape)

    return answer


def evenly(rng, shift):
    return rng.integers(-shift, shift + 1, size=2)


def rolled(image, down, right):
    return np.roll(image, (down, right), axis=(0, 1))


def edges_repeated(image, down, right):
    s = max(abs(down), abs(right))
    H, W = image.shape
    return np.pad(image, s, mode="edge")[s - down : s - down + H, s - right : s - right + W]


def one_for_all(images, rng, shift=1):
    down, right = evenly(rng, shift)
    return np.array([one_moved(image, down, right) for image in images]).reshape(images.shape)


def in_place(images, rng, shift=1):
    images[:] = augment(images, rng, shift)
    return images


def all_nine(images, rng, shift=1):
    steps = range(-shift, shift + 1)
    return np.array([one_moved(image, d, r) for image in images for d in steps for r in steps])


# ---------------------------------------------------------------------------------------------- other right answers
def by_ways(images, rng, shift=1):
    """All images of one way at a time."""
    moved, side = np.zeros_like(images), 2 * shift + 1
    ways = rng.integers(side**2, size=len(images))
    for way in np.unique(ways):
        which, down, right = ways == way, way // side - shift, way % side - shift
        moved[which] = [one_moved(image, down, right) for image in images[which]]
    return moved


def by_indices(images, rng, shift=1):
    N, H, W = images.shape
    wide = np.pad(images, ((0, 0), (shift, shift), (shift, shift)))
    rows = rng.integers(0, 2 * shift + 1, size=(N, 1)) + np.arange(H)
    columns = rng.integers(0, 2 * shift + 1, size=(N, 1)) + np.arange(W)
    return wide[np.arange(N)[:, None, None], rows[:, :, None], columns[:, None, :]]


# ------------------------------------------------------------------------------------------------------------ probes
SAYS = {
    "down": "Images are moved down more often than up, or up more often than down.",
    "right": "Images are moved to one side more often than to the other.",
    "far": "Images are moved too far too often, or not far enough.",
    "far sideways": "Images are moved too far sideways too often, or not far enough.",
    "together": "Where an image is moved down goes by where it is moved sideways.",
    "neighbours": "How an image is moved goes by how the one before it is.",
}


def moved_well(images, shift):
    steps = range(-shift, shift + 1)
    mean = shift * (shift + 1) / 3
    spread = math.sqrt(sum((d * d - mean) ** 2 for d in steps) / len(steps))

    def scores(values):
        moved = values[0]
        if not isinstance(moved, np.ndarray) or moved.shape != images.shape:
            return "The answer has not the shape of the images."
        by, (_, H, W) = np.full((len(images), 2), 99), images.shape
        wide = np.pad(images, ((0, 0), (shift, shift), (shift, shift)))
        for down in steps:
            for right in steps:
                ours = wide[:, shift - down : shift - down + H, shift - right : shift - right + W]
                by[(ours == moved).all(axis=(1, 2))] = down, right
        if (by == 99).any():
            wrong = (by == 99).any(axis=1)
            same = np.allclose(np.sort(moved[wrong].reshape(-1, H * W)), np.sort(images[wrong].reshape(-1, H * W)))
            return f"Some images are not moved as they should be{': nothing in them is lost' if same else ''}."
        if len(np.unique(by, axis=0)) == 1:
            return "All images are moved by the same numbers."
        if not (by == shift).any(axis=0).all():  # once in 10^18 draws of a right answer
            return "No image is moved by as much as `shift` down, or none to the right."
        n, d = len(by), by / math.sqrt(mean)
        far = (by**2 - mean) / spread
        return {
            "down": d[:, 0].sum() / math.sqrt(n), "right": d[:, 1].sum() / math.sqrt(n),
            "far": far[:, 0].sum() / math.sqrt(n), "far sideways": far[:, 1].sum() / math.sqrt(n),
            "together": (d[:, 0] * d[:, 1]).sum() / math.sqrt(n),
            "neighbours": (d[1:, 0] * d[:-1, 0]).sum() / math.sqrt(n - 1),
        }  # fmt: skip

    return SixSigma(scores, SAYS)


def asked(rng, shift, given=True):
    N, H, W = int(rng.integers(230, 250)), *(int(n) for n in rng.choice(np.arange(4, 8), size=2, replace=False))
    images = rng.uniform(0.1, 1.0, size=(N, H, W))
    options = {"shift": shift} if given else {}
    return Property(Call(images=images, rng=seeded(rng), **options), moved_well(images, shift))


def refuses():
    return Call(images=np.ones((1, 3, 4)), rng=Helper("no_generator"))


def bug(name, wrong, hint, says, published=""):
    return Misconception(name, wrong, hint, says, MOVED, published)


AUGMENT = Exercise(
    reference=augment,
    chapter=CHAPTER,
    title="Optional: pictures moved a little",
    difficulty=2,
    minutes=15,
    task="""(Optional.) Move every image of `images` (N, H, W) by its own random number of places down and to the right:
from `-shift` to `shift`, each number with the same probability, and the two independent of each other. What comes in at
an edge is 0, what goes out is lost. Draw from `rng`; return a new array of the same shape.""",
    example="""\
augment(np.array([[[1, 2, 3]]]), np.random.default_rng(9))  # [[[2 3 0]]]""",
    groups=[
        Group("one place", 1, lambda rng: [asked(rng, 1, given=False), refuses()], "By one place at most, from `rng`."),
        Group("two places", 1, lambda rng: [asked(rng, 2)], "By at most two places."),
    ],
    misconceptions=[
        bug("wraps_around", by_image(evenly, rolled), "What comes in on the left when an image is moved to the right?",
            "what goes out on one side came in on the other"),
        bug("edges_repeated", by_image(evenly, edges_repeated), "What comes in at an edge?",
            "the edge were repeated",
            published="Keras' old `ImageDataGenerator`"),
        bug("one_for_all", one_for_all, "Compare two images of your answer: can one be moved up and the other down?",
            "all images were moved by the same numbers"),
        bug("last_one_never", by_image(lambda rng, shift: rng.integers(-shift, shift, size=2)),
            "Which is the largest number that rng.integers(-1, 1) gives?", "nothing were moved by `shift` itself"),
        bug("down_and_right_only", by_image(lambda rng, shift: rng.integers(0, shift + 1, size=2)),
            "Is any image of yours moved up?", "images were only moved down and to the right"),
        bug("always_far", by_image(lambda rng, shift: shift * rng.choice([-1, 1], size=2)),
            "Is any image of yours left where it is?", "every image were moved by `shift` itself"),
        bug("diagonals", by_image(lambda rng, shift: [rng.integers(-shift, shift + 1)] * 2),
            "Is any image of yours moved down, and not sideways?", "images were moved along the diagonal"),
        bug("own_seed", lambda images, rng, shift=1: augment(images, np.random.default_rng(0), shift),
            "The same images in the next epoch: are they moved in another way?", "`rng` were not used"),
        bug("in_place", in_place, "Look at `images` after the call. Are they what they were?",
            "the images themselves were changed"),
        bug("all_ways", all_nine, "How many images go in, and how many come out?", "every image came in all ways"),
    ],
    variants=[
        Variant("image by image", by_image(evenly)),
        Variant("all of one way at a time", by_ways),
        Variant("by indices", by_indices),
    ],
    equivalent={"2547cb9ae8fc": "One more image of zeros in the frame, behind the last, which nobody looks at."},
    hints=[
        Hint("A moved image is a window on a larger one, which has a frame of zeros."),
        Hint('Look at "Data out of data". Where does the window begin if nothing is moved?'),
        Hint("A worked sibling, a row moved by one to the right: np.pad(row, 1)[0 : len(row)]."),
        Hint(
            "    frame all images with `shift` zeros\n"
            "    for each: top, left = two random integers from 0 to 2 shift\n"
            "    cut out H rows from top, W columns from left"
        ),
    ],
)  # fmt: skip
