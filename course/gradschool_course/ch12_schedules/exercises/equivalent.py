"""Changes of the references that nothing the tasks ask for depends on, by the hash that `gradschool audit` shows."""

REFUSES = "It refuses what the task promises not to occur."
MEET = "Where the two pieces meet they have the same value."

POSITIVE = {"b06a684e07a0": REFUSES}
POWER = {"c6c8ac34bc9d": REFUSES}
EXPONENTIAL = {"e50b73c8e668": REFUSES}
PER_EPOCH = {"1928b5fc6b5c": REFUSES}
POLYNOMIAL = {"094c82b681f0": REFUSES, "3bdd3d93da5b": "Steps are counted from 0: nothing is cut off below."}
WARMUP = {
    "173c4d8c6ddf": REFUSES,
    "49190fb100f6": MEET,
} | dict.fromkeys(
    ["164bbb1112ad", "03a395b66aff", "d1668c2ca430"],
    "It only gives a constant the shape of the steps, and `where` does that as well.",
)  # fmt: skip
COSINE = {
    "f3e763b2e657": REFUSES,
} | dict.fromkeys(
    ["9e258fadfd59", "acff8a279b1e", "d03c0cd7b3f8"],
    "For periods of one length it is a short cut: walking through them gives the same.",
) | dict.fromkeys(
    ["a1a9ff397d12", "39974011d73b"],
    "Without restarts no `shrink` is given: 1 to any power is 1.",
)  # fmt: skip
CYCLICAL = {"97eeb261fa67": REFUSES, "c37370e84acb": MEET}
PLATEAU = dict.fromkeys(
    ["dbc428d2ac1c", "abe5a0a743e5"],
    "A cooldown of 1 is the epoch of the reduction alone, and one below 0 is cut off: both are none.",
) | dict.fromkeys(
    ["7758d4a46ab0", "95c195c555d0"],
    "The first update counts one down and cuts off below 0: it finds 0 in any case.",
) | {
    "969d49e4c8fd": "Rates are positive: whether the floor is at 0 or below makes no difference.",
}  # fmt: skip
