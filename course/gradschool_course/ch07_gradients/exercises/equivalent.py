"""Changes of the references that nothing the tasks ask for depends on, by the hash that `gradschool audit` shows."""

VECTORS = dict.fromkeys(
    ["e7320f5039b8", "81602963a39a", "0ddfdfb1e353", "bef016658e41", "36e522f59857"],
    "Weights that are drawn have two axes or more: the fans of a vector are an exercise of their own.",
)
SCALING = VECTORS | {
    "3ffade7ba090": "A normal number is exactly 2 never, as far as anybody will see.",
    "14df0965a9c9": "No fan is below 2 but that of an array without weights.",
}
NAMED = {"ac5134e0386b": "variance_scaling itself is asked for an array without weights; here its fan is above 0."}
OUTPUTS = dict.fromkeys(
    ["934b1b6eed22", "02ac6bafd3d3", "229ab329837f", "15fe76383a3f"],
    "Only fan in is used here: what fan out is makes no difference.",
)
MEAN = dict.fromkeys(
    ["c704f9eef6d4", "ba1eae257c67", "93925c346765", "4e00173e6b3f", "cd45357029b4", "c213fad2a500", "99e725d19de4"],
    "Only fan in is used here: what the mean of both is makes no difference.",
)
ORTHOGONAL = {
    "7b60f8d8c430": "Dividing by 1 or -1 is multiplying by it.",
    "221bda309d26": "All signs turned round are as random as before.",
    "33d31f9e8bc0": "All signs turned round are as random as before.",
    "a2ba92c82c52": "The diagonal of R is 0 only for a matrix that is not drawn.",
    "9fdbbb416670": "Seen from 1, an entry above 1 has the same sign; those below do not make any sign certain.",
    "97a22b277f96": "Seen from -1, an entry below -1 has the same sign; those above do not make any sign certain.",
    "cbe23a6c33d9": "The transpose of a square orthogonal matrix is as good.",
}
SIGNALS = dict.fromkeys(
    ["1a95ef4bbcfa", "0d848a8e2d3b"], "Every entry is written over."
) | dict.fromkeys(
    ["b98508cec2b2", "3c190738c367", "548ac9b9042f"],
    "Means of equally many numbers: their mean is the mean of all, in whichever order.",
)  # fmt: skip
NORMS = {"79245384c88a": "Every entry is written over."} | dict.fromkeys(
    ["8d6e1c7dd83c", "3674926338c7", "b0e6a73519c7", "d516f9d096e6", "4542941801d7"],
    "Scores of a network at its start are small: nothing overflows, and a shift leaves the softmax as it is.",
)  # fmt: skip
CONSTANTS: dict[str, str] = {}
PRELU = {"cf0f70a6dd71": "At 0 a term of the sum is g times 0 on either side."}
