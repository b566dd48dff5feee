"""A route round an exercise is seen however it is spelt, and an honest answer is never suspected."""

import ast

import numpy as np
import pytest
from tiny_course import course, library

import gradschool_grader.routes
from gradschool_grader.course import Course
from gradschool_grader.routes import Forbidden, Reading, forbidden, parsed, words_of
from gradschool_grader.source import solution
from gradschool_grader.submission import read_submission

RULES = Forbidden(["torch", "lib", "numpy.gradient", "scipy.special"], ["lib.one_hot"])


def routes(*cells, name="f"):
    read = [(number, parsed(text)) for number, text in enumerate(cells, 1)]
    assert all(tree for _, tree in read)
    trees = [(number, tree) for number, tree in read if tree]
    found = Reading(trees).routes(name, RULES)
    assert Reading(trees, dict(enumerate(cells, 1))).routes(name, RULES) == found  # the text only says it sooner
    return found


TAKEN = {
    "import torch\ndef f(x): return torch.relu(x)": "torch.relu",
    "import torch.nn.functional as F\ndef f(x): return F.relu(x)": "torch.nn.functional.relu",
    "from torch import relu as r\ndef f(x): return r(x)": "torch.relu",
    "def f(x):\n    import torch\n    return torch.relu(x).numpy()": "torch.relu",
    "import lib as g\nf = g.adam": "lib.adam",
    "from lib import f": "lib.f",
    "from lib import *\ndef f(x): return adam(x)": "lib.adam",
    "import lib\nstep = lib.adam\ndef f(x): return step(x)": "lib.adam",
    "import lib\ndef f(x):\n    step = lib.adam\n    return step(x)": "lib.adam",
    "import lib\nf, g = lib.adam, 3": "lib.adam",
    "import lib\nf = lambda x: lib.adam(x)": "lib.adam",
    "import lib\nfrom functools import partial\nf = partial(lib.adam, b1=0.5)": "lib.adam",
    "import lib\ndef f(x): return getattr(lib, 'adam')(x)": "lib.adam",
    "import lib\ndef f(x): return getattr(lib, 'ad' + 'am')(x)": "lib.adam",
    "import lib\ndef f(x): return vars(lib)['adam'](x)": "lib.adam",
    "import lib\ndef f(x): return lib.__dict__['adam'](x)": "lib.adam",
    "def f(x): return __import__('torch').relu(x)": "torch.relu",
    "import importlib\ndef f(x): return importlib.import_module('torch').relu(x)": "torch.relu",
    "import sys\ndef f(x): return sys.modules['lib'].adam(x)": "lib.adam",
    "import numpy as np\ndef f(y, h): return np.gradient(y, h)": "numpy.gradient",
    "from scipy import special\ndef f(x): return special.expit(x)": "scipy.special.expit",
    "import lib\nclass f:\n    def step(self, x):\n        return lib.adam(x)": "lib.adam",
    "import lib\n@lib.op\ndef f(x): return x": "lib.op",
    "import lib\ndef f(x, step=lib.adam): return step(x)": "lib.adam",
    "import lib as ｌ\nｆ = l.ａｄａｍ": "lib.adam",
    "import numpy\r\ry = 3\rdef f(x):\r  return numpy.gradient(x)": "numpy.gradient",
    "import lib as a\nb = a\n\n@b.op\ndef f(\n  x\n): return x": "lib.op",
}


@pytest.mark.parametrize(("text", "path"), TAKEN.items())
def test_every_spelling_of_a_route_is_seen(text, path):
    (found,) = routes(text)
    assert found.startswith(f"`f` names `{path}` (cell 1, line ")


HONEST = [
    "import numpy as np\ndef f(x): return np.exp(x)",
    "import lib\ndef f(y): return lib.one_hot(y, 3)",
    "from lib import one_hot\ndef f(y): return one_hot(y, 3)",
    "import torch, lib\ndef f(x): return x * x\nlib.adam(f)",
    "import lib\ndef f(lib): return lib.adam",
    "import lib\ndef f(x): return [lib for lib in x]",
    "from lib import adam\ndef adam(p): return p\ndef f(p): return adam(p)",
    "from lib import f\ndef f(x): return x",
    "def f(x):\n    'like torch.relu, without torch'\n    return x  # not lib.adam",
    "import scipy\ndef f(x): return scipy.fft.fft(x)",
    "def f(x): return g(x)",
]


@pytest.mark.parametrize("text", HONEST)
def test_an_honest_answer_is_not_suspected(text):
    assert routes(text) == []


def test_most_honest_answers_are_known_by_their_text():
    text = "import numpy as np\nE = 1e-8\ndef g(x): return x + E\ndef f(x): return np.sqrt(g(x))"
    assert Reading([(1, ast.parse(text))], {1: text}).innocent("f", RULES)


@pytest.mark.parametrize(("text", "innocent"), [
    ('def f(x):\n    """like torch"""\n    return x', True),
    ('def f(x):\n    """like\n    torch"""\n\n    return x', True),
    ('def f(x): "like torch"; return x', False),
    ('def f(x):\n    """like us"""; import torch\n    return x', False),
    ('def f(x,\n      y="""a\nb""", z=torch): """a"""; return z', False),
    ('@torch.no_grad()\ndef f(x):\n    "torch"\n    return x', False),
    ('class f:\n    "torch"\n    def g(self): return 3', True),
    ('class f:\n    "us"\n    def g(self): return torch', False),
    ("if 3:\n    def f(x):\n        return x", True),
])  # fmt: skip
def test_of_the_text_only_the_docstring_says_nothing(text, innocent):
    assert Reading([(1, ast.parse(text))], {1: text}).innocent("f", RULES) == innocent


def test_the_way_through_functions_of_ones_own_is_followed_and_named():
    cells = ("import lib", "def helper(x):\n    return lib.adam(x)", "def f(x):\n    return helper(x)")
    assert routes(*cells) == ["`f` names `lib.adam` by way of `helper` (cell 2, line 2): the task is to write this "
                              "yourself."]  # fmt: skip
    assert routes(*cells, "def helper(x):\n    return x") == []  # the last definition counts


def test_what_is_computed_is_said_to_be_hidden():
    (found,) = routes("import lib\ndef f(x, how): return getattr(lib, how)(x)")
    assert found.startswith("`f` names something of `lib` (")
    (found,) = routes("def f(x): return __import__(chr(116) + 'orch').relu(x)")
    assert found.startswith("`f` imports a module by a name that is computed (")
    (found,) = routes("def f(x): return eval('x')")
    assert found.startswith("`f` uses `eval` (cell 1, line 1): its text does not tell")


HARD = {
    "itself": "f = f",
    "circle": "a = b\nb = a\nf = a",
    "multiplying": "def f(x):\n" + "".join(f"    a{i} = a{i + 1}\n" * 3 for i in range(40)) + "    a0()",
    "nested": "def f(x): return " + "(" * 90 + "x" + ")" * 90,
    "deep": "def f(x): return " + "-" * 3000 + "x",
    "long": "def f(x): return x" + ".a" * 20_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HARD)
def test_text_that_is_written_to_be_hard_to_read_stops_nothing(name):
    tree = parsed(HARD[name])
    assert Reading([(1, tree)] if tree else [], {1: HARD[name]}).routes("f", RULES) == []


@pytest.mark.parametrize("text", [
    "def f(x): return lib.adam(x) + x" + ".a" * 2_000,
    "def f(x): return lib.adam(" + "-" * 2_000 + "x)",
    HARD["multiplying"] + "\n    lib.adam(x)",
    "def f(x):\n    " + "\n    ".join(f"g{i}" for i in range(900)) + "\n    h(x)\ndef h(x): lib.adam(x)\n"
    + "".join(f"def g{i}(x):\n    " + "a = b.c\n    " * 60 + "\n" for i in range(900)),
], ids=["long", "deep", "multiplying", "many"])  # fmt: skip
def test_hard_text_in_front_of_a_route_is_flagged_itself(text):
    (flag,) = routes("import lib", text)
    assert flag == "`f` is written to be hard to read: not everything that it calls could be followed."


def test_a_line_of_many_definitions_is_read_once(monkeypatch):
    """A hundred kilobytes took minutes: it was read for each of them."""
    read = []
    monkeypatch.setattr(gradschool_grader.routes, "words_of", lambda *given: read.append(given) or words_of(*given))
    names = [f"v{i}" for i in range(4_000)]
    text = "; ".join(f"{name} = 1" for name in names) + f"\ndef f(x): return ({', '.join(names)})"
    assert Reading([(1, ast.parse(text))], {1: text}).innocent("f", RULES)
    assert len(read) == 2


def test_what_is_flagged_has_a_length_for_people():
    text = "import lib\ndef f(x):\n" + "".join(f"    lib.a{i}\n" for i in range(500)) + f"    lib.{'a' * 9_000}"
    assert 1 < len(routes(text)) <= 10
    assert all(len(flag) < 300 for flag in routes("import lib\ndef f(x): lib." + "a" * 9_000))


def test_no_solution_is_a_route():
    for exercise in course.exercises:
        tree = ast.parse("import numpy as np\n" + solution(exercise))
        assert Reading([(1, tree)]).routes(exercise.name, forbidden(course, exercise)) == []


def test_the_packages_of_the_references_are_forbidden_but_for_what_is_public():
    rules = forbidden(course, course.exercise("square"))
    assert rules.covers("tiny_course.library.square")
    assert rules.covers("tiny_course")
    assert not rules.covers("tiny_course.constant")
    assert not rules.covers("tiny_course.helpers.constant")
    more = Course("more", "More", course.chapters, forbidden=["numpy.square"])
    assert forbidden(more, course.exercise("square")).covers("numpy.square")


def test_a_submission_is_flagged_and_keeps_its_points():
    text = b"import numpy as np\n# %%\nimport tiny_course.library as lib\ndef square(x):\n    return lib.square(x)\n"
    submission = read_submission(text, course, name="ch01_tiny.py")
    (flag,) = submission.facts(course.exercise("square")).flags
    assert flag == "`square` names `tiny_course.library.square` (cell 2, line 3): the task is to write this yourself."
    assert library.square(np.array([3.0]))[0] == 9.0
