"""Changes of the references that nothing the tasks ask for depends on, by the hash that `gradschool audit` shows.

The references walk over trees of any form with `update_each`, which is an exercise of its own; a step is asked for
dicts of arrays alone. What a step never hands to the walk may change there without changing the step.

Exercise(reference=optimizers.adam, ..., equivalent=WALK | SLOTS | TWO_SLOTS)
"""

# every exercise of the chapter
TUPLES = dict.fromkeys(
    [
        "fd1fa873095b",  # branches: list | tuple
        "0d8c84ffbe5d",  # rebuilt: the return for tuples
        "f3ced6c83d7b",  # rebuilt: named tuples
    ],
    "The task speaks of dicts and lists of arrays; tuples never come in.",
)
# all but update_each, whose own probes have lists
LISTS = TUPLES | dict.fromkeys(
    [
        "ff3ec7e79645",  # rebuilt: isinstance(tree, tuple)
        "416b9d889c8f",  # branches: the return for lists and tuples
        "d17d4b6ea342",  # rebuilt: isinstance(tree, list)
        "11d324cb4e69",  # rebuilt: the return for lists
    ],
    "The task speaks of dicts of arrays; lists never come in.",
)
ALONE = {"559964124701": "The list has one entry there: its first is its last."}
# the steps
WALK = LISTS | ALONE | {"a62dd078b1c1": "The loop only refuses names that differ; a step is given the same names."}
LEARNED = {"2a7f4deb5013": "A step has a gradient for every array: no tree holds None, so `any` and `all` are false."}
# steps with something to remember, which always get several trees back
SLOTS = LEARNED | {
    "5204aeb0f501": "There are always several trees: neither 1 nor 0 is their number.",
    "d98b4f093bb1": "There are always several trees: neither 1 nor 0 is their number.",
    "7a28bb218053": "There are always several trees: the case of one is never reached.",
}
# steps that remember two things and more
TWO_SLOTS = SLOTS | dict.fromkeys(
    ["b974c4d16318", "a4ff9de660f3"], "There are always three trees and more: neither 1 nor 2 is their number."
)
SGD = WALK | LEARNED | {
    "f5b63a303806": "Of one tree beside the parameters nothing is kept: the rest is empty with either bound.",
    "a599ff2a2331": "Of one tree beside the parameters nothing is kept: the rest is empty from 1 as from 2.",
    "12777b6f37ae": "One tree comes back: the case of several, where this range stands, is never reached.",
    "b27db0a75fd0": "One tree comes back: the case of several, where this range stands, is never reached.",
}  # fmt: skip
ADAMW = WALK | dict.fromkeys(
    [
        "737a3c458890", "44bf842ac2cc", "d645c2adfdad", "ffa541d48ad7", "70b5705f2931", "22c05e4caa8c", "5349533a0dac",
        "e1ec7c992043", "afbc17fcee56", "ec2459decbd4", "ead69d582117", "595dad3be81b", "015ecc5ba378", "daa9a52e7713",
        "35c2347ca830", "8c58165de7e8", "4d37e90df171", "eb6a287814b9", "cae7eee31389", "06984bd000d0",
    ],
    "It is in Adam's other form, `eps_hat`, which AdamW never takes.",
) | dict.fromkeys(
    ["8c915609d4fb", "90d8125e29bc"], "`weight_decay` is a number or a dict in the task, never a list or a tuple."
)  # fmt: skip
