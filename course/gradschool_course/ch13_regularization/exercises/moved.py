"""augment: pictures that are moved a little, each by its own numbers. Optional."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from gradschool.lessons.augmentation import augment
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Hint, Misconception, Property, Refusal, Variant
from gradschool_grader.sigma import SixSigma

from .common import CHAPTER, MOVED, as_one, binomial, chi_square, normal_score, seeded, strongest


# --------------------------------------------------------------------------------------------------- how it goes wrong
def moved_by(images, ways, mode: Literal["constant", "wrap", "edge"] = "constant"):
    """Each image moved by its own (down, right), with np.pad's mode at the edges."""
    (N, H, W), s = images.shape, int(np.abs(ways).max(initial=0))
    wide = np.pad(images, ((0, 0), (s, s), (s, s)), mode=mode)
    rows, columns = s - ways[:, :1] + np.arange(H), s - ways[:, 1:] + np.arange(W)
    return wide[np.arange(N)[:, None, None], rows[:, :, None], columns[:, None, :]]


def drawn(draw, mode: Literal["constant", "wrap", "edge"] = "constant"):
    """draw(n, rng, shift) -> (n, 2), down and right for each image."""

    def answer(images, rng, shift=1):
        return moved_by(images, draw(len(images), rng, shift), mode)

    return answer


def evenly(n, rng, shift):
    return rng.integers(-shift, shift + 1, size=(n, 2))


def one_for_all(n, rng, shift):
    return evenly(1, rng, shift).repeat(n, axis=0)


def last_one_never(n, rng, shift):
    return rng.integers(-shift, shift, size=(n, 2))


def down_and_right_only(n, rng, shift):
    return rng.integers(0, shift + 1, size=(n, 2))


def always_far(n, rng, shift):
    return shift * rng.choice([-1, 1], size=(n, 2))


def diagonals(n, rng, shift):
    return rng.integers(-shift, shift + 1, size=(n, 1)).repeat(2, axis=1)


def never_still(n, rng, shift):
    """Those that would not move are drawn again."""
    by = evenly(n, rng, shift)
    while (still := ~by.any(axis=1)).any():
        by[still] = evenly(int(still.sum()), rng, shift)
    return by


def middle_likelier(n, rng, shift):
    return rng.binomial(2 * shift, 0.5, size=(n, 2)) - shift


def one_axis(n, rng, shift):
    return evenly(n, rng, shift) * np.eye(2, dtype=int)[rng.integers(2, size=n)]


def half_of_them(n, rng, shift):
    return evenly(n, rng, shift) * rng.integers(2, size=(n, 1))


def opposite_halves(n, rng, shift):
    by = evenly((n + 1) // 2, rng, shift)
    return np.concatenate([by, -by])[:n]


def same_halves(n, rng, shift):
    by = evenly((n + 1) // 2, rng, shift)
    return np.concatenate([by, by])[:n]


def dealt_out(n, rng, shift):
    """All ways equally often, shuffled like cards."""
    side = 2 * shift + 1
    ways = rng.permutation(np.arange(n) % side**2)
    return np.stack([ways // side, ways % side], axis=1) - shift


def rolled(emptied):
    """Each image rolled by its own (down, right), then emptied(image, down, right)."""

    def answer(images, rng, shift=1):
        moved = images.copy()
        for image, way in zip(moved, evenly(len(images), rng, shift), strict=True):
            image[:] = np.roll(image, way, axis=(0, 1))
            emptied(image, *way)
        return moved

    return answer


def after_down_and_right(image, down, right):
    image[: max(down, 0)] = 0
    image[:, : max(right, 0)] = 0


def opposite_edges(image, down, right):
    for lines, by in ((image, down), (image.T, right)):
        lines[len(lines) - by :] = 0
        lines[: max(-by, 0)] = 0


def in_place(images, rng, shift=1):
    images[:] = augment(images, rng, shift)
    return images


def all_nine(images, rng, shift=1):
    side = np.arange(-shift, shift + 1)
    ways = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    return moved_by(images.repeat(len(ways), axis=0), np.tile(ways, (len(images), 1)))


# ---------------------------------------------------------------------------------------------- other right answers
def one_moved(image, down, right):
    H, W = image.shape
    moved = np.zeros_like(image)
    top, left = max(down, 0), max(right, 0)
    part = image[top - down : H - max(down, 0), left - right : W - max(right, 0)]
    moved[top : top + len(part), left : left + part.shape[1]] = part
    return moved


def image_by_image(images, rng, shift=1):
    ways = [rng.integers(-shift, shift + 1, size=2) for _ in images]
    return np.array([one_moved(image, *way) for image, way in zip(images, ways, strict=True)]).reshape(images.shape)


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
    "never still": "Hardly any image stays where it is, which is one way like all others.",
    "down": "Images are moved down more often than up.",
    "up": "Images are moved up more often than down.",
    "right": "Images are moved to the right more often than to the left.",
    "left": "Images are moved to the left more often than to the right.",
    "together": "Where an image is moved down goes by where it is moved sideways.",
    "both": "Whether an image is moved sideways goes by whether it is moved down or up: both, or neither.",
    "either": "Whether an image is moved sideways goes by whether it is moved down or up: one, and not the other.",
    "far": "Images are moved by many places more often than by few, or none.",
    "near": "Images are moved by few places, or none, more often than by many.",
    "far vertically": "Images are moved down or up by many places more often than by few, or none.",
    "near vertically": "Images are moved down or up by few places, or none, more often than by many.",
    "far sideways": "Images are moved sideways by many places more often than by few, or none.",
    "near sideways": "Images are moved sideways by few places, or none, more often than by many.",
    "neighbours": "How an image is moved goes by how the one before it is.",
    "same again": "Images are moved as others were that stand at a certain distance in the batch.",
    "crosswise": "How far images are moved down goes by how far others were moved sideways.",
    "opposite": "Images are moved the other way than others were that stand at a certain distance in the batch.",
    "uneven": "Some ways in which an image can be moved are more frequent than others.",
    "dealt out": "The ways in which images can be moved are more nearly equally frequent than by chance.",
}


def moved_well(images, shift):
    """Statistics of how the images are moved in several calls."""

    def scores(values):
        calls = []
        for moved in values:
            by = moves(moved, images, shift)
            if not isinstance(by, np.ndarray):
                return by
            calls.append(by)
        if all((by == calls[0]).all() for by in calls):
            return "Another call, with other random numbers, moves all images in the same way again."
        by = np.concatenate(calls)
        if not (by == shift).any(axis=0).all():  # once in 10^67 draws of a right answer
            return "No image is moved by as much as `shift` down, or none to the right."
        if (abs(by) == shift).all():
            return "All images are moved by as much as `shift`."
        return as_one(fairness(by, shift) | evenness(calls, shift))

    return SixSigma(scores, SAYS)


def moves(moved, images, shift):
    """(down, right) of every image in one call, or what is wrong with them."""
    if not isinstance(moved, np.ndarray) or moved.shape != images.shape:
        return "The answer has not the shape of the images."
    by, known = ways_of(moved, images, shift)
    if not known.all():
        return unlike(moved[~known], images[~known], shift)
    return "All images are moved by the same numbers." if len(np.unique(by, axis=0)) == 1 else by


def unlike(moved, images, shift):
    """What is wrong with images that were not moved in any of the ways."""
    came, went = (np.sort(x.reshape(len(x), -1)) for x in (moved, images))
    if np.allclose(came, went):
        return "Some images are not moved as they should be: nothing in them is lost."
    by, inside = ways_of(moved, images, shift, lambda ours: np.isnan(ours) | (ours == moved))
    if inside.all():
        return f"What comes in {filled_sides(moved, by)} is not 0."
    by, less = ways_of(moved, images, shift, lambda ours: np.isnan(ours) | (ours == moved) | (moved == 0))
    if less.all():
        return Refusal("Some images have lost more than what goes out at an edge.", about=filled_sides(moved, by))
    return "Some images are not moved as they should be."


def filled_sides(moved, by):
    """Where something comes in that is not 0."""
    images = list(zip(moved, *by.T.tolist(), strict=True))
    sides = {
        "at the top": any(image[: max(down, 0)].any() for image, down, _ in images),
        "at the bottom": any(image[min(down, 0) or len(image) :].any() for image, down, _ in images),
        "on the left": any(image[:, : max(right, 0)].any() for image, _, right in images),
        "on the right": any(image[:, min(right, 0) or image.shape[1] :].any() for image, _, right in images),
    }
    return "at the edges" if all(sides.values()) else " and ".join(side for side, filled in sides.items() if filled)


def ways_of(moved, images, shift, like=None):
    """(down, right) for every image, and whether it was moved in one of the ways at all.

    `like(ours)` says which numbers are as they should be, where what comes in is nan; without it all must be equal.
    """
    by, known = np.zeros((len(images), 2), int), np.zeros(len(images), bool)
    (_, H, W), steps = images.shape, range(-shift, shift + 1)
    wide = np.pad(images, ((0, 0), (shift, shift), (shift, shift)), constant_values=np.nan if like else 0)
    for down in steps:
        for right in steps:
            ours = wide[:, shift - down : shift - down + H, shift - right : shift - right + W]
            fits = (like(ours) if like else ours == moved).all(axis=(1, 2))
            by[fits], known[fits] = (down, right), True
    return by, known


def fairness(by, shift):
    """How far moves are from a table with equal chances and from independence, in standard deviations."""
    n = len(by)
    variance = shift * (shift + 1) / 3
    d, squares = by / math.sqrt(variance), by**2 - variance
    squares = squares / math.sqrt((np.arange(-shift, shift + 1) ** 4).mean() - variance**2)
    down, right = d.sum(axis=0) / math.sqrt(n)
    both = float(np.prod(squares - squares.mean(axis=0), axis=1).sum()) / math.sqrt(n)
    far = squares.sum(axis=0) / math.sqrt(n)
    again, ways = at_a_distance(d), (2 * shift + 1) ** 2
    return {
        "never still": min(0.0, normal_score(binomial(n, 1 / ways)[: 1 + int((by == 0).all(axis=1).sum())].sum())),
        "down" if down > 0 else "up": down, "right" if right > 0 else "left": right,
        "together": np.prod(d, axis=1).sum() / math.sqrt(n),
        "both" if both > 0 else "either": both,
        "far" if far.sum() > 0 else "near": far.sum() / math.sqrt(2),
        "far vertically" if far[0] > 0 else "near vertically": far[0],
        "far sideways" if far[1] > 0 else "near sideways": far[1],
        "neighbours": (d[1:] * d[:-1]).sum() / math.sqrt(2 * (n - 1)),
        "same again" if again > 0 else "opposite": again,
        "crosswise": crosswise(d),
    }  # fmt: skip


def evenness(calls, shift):
    """Whether some ways are more frequent over all calls, and whether all are as frequent in each of them.

    In a batch of nine ways even cards that are dealt out are too even once in ten million right draws: it takes some.
    """
    side = 2 * shift + 1
    counts = np.array([np.bincount((by + shift) @ (side, 1), minlength=side**2) for by in calls])
    return {"uneven": max(0.0, table(counts.sum(axis=0))), "dealt out": min(0.0, table(counts))}


def at_a_distance(d):
    """The largest correlation of moves with those k images further on, k from 2 to half a batch; as one of so many."""
    n, k = len(d), np.arange(2, len(d) // 2 + 2)
    products = np.fft.irfft((np.abs(np.fft.rfft(d, 2 * n, axis=0)) ** 2).sum(axis=1), 2 * n)[k]
    scores = products / np.sqrt(2 * (n - k))
    return math.copysign(strongest(scores), scores[np.abs(scores).argmax()])


def crosswise(d):
    """The largest correlation of moves down with moves sideways of those k images further on or back, as one of all."""
    n, k = len(d), np.arange(1, len(d) // 2 + 2)
    down, right = np.fft.rfft(d, 2 * n, axis=0).T
    products = np.fft.irfft(down.conj() * right, 2 * n)
    return strongest(np.concatenate([products[k], products[-k]]) / np.sqrt(n - np.concatenate([k, k])))


def table(counts):
    """χ² of counts that should be equal along the last axis, as a standard normal number."""
    free = counts.size - counts.size // counts.shape[-1]
    return chi_square(float(((counts / counts.mean() - 1) ** 2).sum() * counts.mean()), free)


def asked(rng, shift, given=True):
    N = int(rng.integers(150, 167) if shift == 1 else rng.integers(233, 250))
    H, W = (int(n) for n in rng.choice(np.arange(4, 8), size=2, replace=False))
    images = rng.uniform(0.1, 1.0, size=(N, H, W))
    options = {"shift": shift} if given else {}
    return Property(Call(images=images, rng=seeded(rng), **options), moved_well(images, shift), times=3)


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
        bug("wraps_around", drawn(evenly, "wrap"), "What comes in on the left when an image is moved to the right?",
            "what goes out on one side came in on the other"),
        bug("wraps_up_and_left", rolled(after_down_and_right),
            "What comes in at the bottom when an image is moved up?",
            "what goes out at the top or on the left came in on the other side"),
        bug("opposite_edge_emptied", rolled(opposite_edges),
            "An image is moved down. Which of its rows are empty then, the first or the last?",
            "the edge at which an image goes out were emptied, and not the one where it comes in"),
        bug("edges_repeated", drawn(evenly, "edge"), "What comes in at an edge?",
            "the edge were repeated",
            published="Keras' old `ImageDataGenerator`"),
        bug("one_for_all", drawn(one_for_all),
            "Compare two images of your answer: can one be moved up and the other down?",
            "all images were moved by the same numbers"),
        bug("last_one_never", drawn(last_one_never),
            "Which is the largest number that rng.integers(-1, 1) gives?", "nothing were moved by `shift` itself"),
        bug("down_and_right_only", drawn(down_and_right_only),
            "Is any image of yours moved up?", "images were only moved down and to the right"),
        bug("always_far", drawn(always_far),
            "Is any image of yours left where it is?", "every image were moved by `shift` itself"),
        bug("diagonals", drawn(diagonals),
            "Is any image of yours moved down, and not sideways?", "images were moved along the diagonal"),
        bug("never_still", drawn(never_still),
            "Is an image that stays where it is one of the ways?", "every image were moved, and none left where it is"),
        bug("middle_likelier", drawn(middle_likelier),
            "Count in your answer: is a move by 1 as frequent as none?",
            "short moves were more probable than long ones"),
        bug("one_axis", drawn(one_axis), "Is any image of yours moved down and to the right?",
            "images were moved either down or sideways, and never both"),
        bug("half_of_them", drawn(half_of_them), "Count in your answer: how many images stay where they are?",
            "half of the images were left where they are"),
        bug("opposite_halves", drawn(opposite_halves),
            "How is the first image of the second half moved, and how the first of all?",
            "the second half of the batch were moved the opposite way of the first"),
        bug("same_halves", drawn(same_halves),
            "How is the first image of the second half moved, and how the first of all?",
            "the second half of the batch were moved as the first"),
        bug("dealt_out", drawn(dealt_out), "Count twice how many images stay where they are. Is it always as many?",
            "all ways came equally often in each batch, and not by chance for each image"),
        bug("own_seed", lambda images, rng, shift=1: augment(images, np.random.default_rng(0), shift),
            "The same images in the next epoch: are they moved in another way?", "`rng` were not used"),
        bug("in_place", in_place, "Look at `images` after the call. Are they what they were?",
            "the images themselves were changed"),
        bug("all_ways", all_nine, "How many images go in, and how many come out?", "every image came in all ways"),
    ],
    variants=[
        Variant("image by image", image_by_image),
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
