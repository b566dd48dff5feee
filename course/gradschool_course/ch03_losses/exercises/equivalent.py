"""Changes of the references that nothing the tasks ask for depends on, by the hash that `gradschool audit` shows.

The losses share one frame. What a loss keeps for its gradient is probed by the exercises on gradients: for a loss only
its value counts.

Exercise(reference=gs.l1_loss, ..., equivalent=FRAME | PAIRED | L1_CACHE)
"""

CACHE = "It only enters the cache, which the gradient's exercise probes; the value of the loss does not depend on it."
DTYPE = "It chooses the dtype in which the same number is computed; the task asks for the number."

FRAME = {
    "e7dcdebe2830": 'Without a mask, "mask-included" is refused before: the count that stands here is never used.',
    "0d395823e7d3": 'Without a mask, "mask-included" is refused before: the count that stands here is never used.',
    "64cb91cf58d9": "A divisor of 0 becomes 1 in the last line, so that 0 and 1 are the same here.",
    "ba8f546d0be4": DTYPE + " The weights come as an array.",
    "618cb3018e25": DTYPE + " The mask comes as an array.",
    "b02b88465a44": "Terms that are not reduced are not divided: this divisor only enters the cache.",
    "2bc25675707c": DTYPE,
}
PAIRED = {"534550b51d7b": DTYPE}
# losses of probabilities, which are floats by nature: what makes floats of whole numbers has nothing to do
PROBABILITIES = dict.fromkeys(
    ["649829db7d3b", "5957bbc6afba"],
    "Probabilities are floats: there are no whole numbers that would have to become such.",
)

L1_CACHE = dict.fromkeys(["16d1c7838d3e", "29272513a8df"], CACHE)
L2_CACHE = dict.fromkeys(["216c48da297b", "2134c0c2a790"], CACHE)
HALF_MSE_CACHE = dict.fromkeys(["2ad5f08776a7", "5d50ced04545"], CACHE)
HUBER = dict.fromkeys(["f7f6a4291781", "4b4a8b338b4b"], CACHE) | {
    "217b021cfee8": "`huber` hands its own delta on: this default is never used.",
    "ca6c6289bccd": "`huber` hands its own delta on: this default is never used.",
    "145e7a22ac99": "Where |d| is delta, parabola and line meet: either gives the same number.",
}
CROSS_ENTROPY = PROBABILITIES | PAIRED | dict.fromkeys(["55dd4da0b768", "b801734a5199"], CACHE) | {
    "a001904cc9ca": "Probabilities are floats: there are no whole numbers that would have to become such.",
    "782e1c82a487": DTYPE + " Shapes that differ are not part of the task.",
    "1495d64f04f0": "It refuses what are no probabilities; the task promises that they are.",
}  # fmt: skip
SPARSE = PROBABILITIES | dict.fromkeys(["ab9d2c567fb3", "7c951246328d"], CACHE) | {
    "d0fe4183450e": "The weights come as an array.",
    "66d66d813fc6": "Probabilities are floats: there are no whole numbers that would have to become such.",
    "f2ae393735ae": "It refuses what are no probabilities; the task promises that they are.",
    "30c7c9a739e9": "The axis has one entry: its first is its last.",
}  # fmt: skip
BCE = {
    "2ff726e59108": "At z = 0 both branches give 0.",
} | dict.fromkeys(
    [
        "ec78e72ce0a2", "569f8b62266a", "9c4d02532df8", "605f66637913", "bb57814566de", "06a9f3e43119", "5759ab56a0c4",
        "7a9ae39a7a95", "06f5a8fb7e2c", "11872445beb2", "2df61ed2fc2b", "af8c076278e4", "1cf2297f54d7",
    ],
    CACHE,
)  # fmt: skip
SOFTMAX = dict.fromkeys(["e5d808040883", "756a694b9e11", "a371cfc4a9d3"], CACHE) | {
    "5afcd392107d": DTYPE + " Shapes that differ are not part of the task.",
}
SPARSE_BACKWARD = {"a585954479c1": "The axis has one entry: its first is its last."}
