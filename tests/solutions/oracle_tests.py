"""Which tests compare which functions with something independent: another framework, or a plainer way to the number.

    ORACLES["relu"]                     # {"oracles/test_ops.py::test_activations_are_pytorchs", ...}

It is read from the text of the tests, so that no framework is imported: a test compares a function where it, its
parameters, or what these use of their module, say `gs.NAME`, `S.NAME` or "NAME". Of tests/oracles every test counts; of
this folder those in PLAIN, whose oracle is a loop, a count of all cases or a formula of a paper.
"""

import ast
from pathlib import Path

TESTS = Path(__file__).parent.parent
PLAIN = {
    "test_lbfgs.py": ["test_finds_the_final_loss_of_scipy_on_a_logistic_regression"],
    "test_ops_attention.py": [
        "test_causal_mask_hides_what_comes_after",
        "test_positional_encoding_is_pairs_of_sine_and_cosine_that_turn_ever_slower",
    ],
    "test_ops_ctc.py": [
        "test_alignments_are_the_shares_of_paths_in_each_state",
        "test_greedy_spells_the_most_probable_path",
    ],
    "test_optimizers_published.py": ["test_moves_as_the_formula_says", "test_nag_moves_as_its_formula_says"],
    "test_recurrent_initializers.py": ["test_the_forget_gate_starts_open_and_the_others_do_not"],
    "test_schedules.py": [
        "test_one_cycle_is_three_straight_lines",
        "test_momentum_is_lowest_where_the_rate_is_highest",
    ],
}


def said_and_used(node):
    """What a piece of code mentions: attributes of the library, and words in quotes; and names of its module."""
    said, used = set(), set()
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id in ("gs", "S"):
            said.add(part.attr)
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            said.add(part.value)
        elif isinstance(part, ast.Name):
            used.add(part.id)
    return said, used


def parts_of(file):
    """{name: (what it says, what it uses)} for the functions and tables of a module."""
    parts = {}
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            parts[node.name] = said_and_used(node)
        elif isinstance(node, ast.Assign):
            parts |= {target.id: said_and_used(node.value) for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gradschool"):
            parts |= {alias.name: ({alias.name}, set()) for alias in node.names}
    return parts


def reached(parts, start):
    """All that a test says, with what it reaches of its module."""
    waiting, seen, said = [start], set(), set()
    while waiting:
        name = waiting.pop()
        if name in parts and name not in seen:
            seen.add(name)
            said |= parts[name][0]
            waiting += parts[name][1]
    return said


def oracles():
    files = [(file, None) for file in sorted((TESTS / "oracles").glob("test_*.py"))]
    files += [(TESTS / "solutions" / name, tests) for name, tests in PLAIN.items()]
    found = {}
    for file, chosen in files:
        parts = parts_of(file)
        for test in chosen or [name for name in parts if name.startswith("test_")]:
            for name in reached(parts, test):
                found.setdefault(name, set()).add(f"{file.parent.name}/{file.name}::{test}")
    return found


ORACLES = oracles()
