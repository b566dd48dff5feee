"""Parts of an answer are called by as few names as say the same."""

from gradschool_grader.diagnosis.naming import told

STEP = ["params['W']", "params['b']", "state['m']['W']", "state['m']['b']", "state['t']"]
LAYERS = ["item 0", *(f"answer[1][{i}]['{key}']" for i in range(3) for key in "Wb")]


def test_a_tree_for_all_that_it_holds():
    assert told(STEP[:2], STEP) == "`params`"
    assert told(STEP[1:4], STEP) == "`params['b']`, `state['m']`"


def test_a_key_for_all_items_that_have_it():
    assert told(LAYERS[2::2], LAYERS) == "`['b']` of every item of `answer[1]`"
    assert told(LAYERS[2:5:2], LAYERS) == "`answer[1][0]['b']`, `answer[1][1]['b']`"


def test_a_whole_answer_and_more_names_than_one_reads():
    assert told([""], [""]) == "the answer"
    assert told([f"item {i}" for i in range(9)], [f"item {i}" for i in range(9)]).endswith("`item 3`, …")
