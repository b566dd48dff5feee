"""topological_order: who goes back must have heard of all uses of a value before he leaves it."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

from gradschool.lessons.tape import topological_order
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Hint, Misconception, Property, Refusal, Variant

from .common import CHAPTER, CLOSE, ORDER


# ------------------------------------------------------------------------------------------- topological_order, wrong
def no_visited(root, parents):
    return [node for parent in parents(root) for node in no_visited(parent, parents)] + [root]


def recursive(root, parents):
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent in parents(node):
                visit(parent)
            order.append(node)

    visit(root)
    return order


def before_its_parents(root, parents):
    order, seen, todo = [], set(), [root]
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            order.append(node)
            todo += parents(node)
    return order


def by_distance(root, parents):
    """The nodes that are nearest to the root last: wrong where ways of different lengths lead to a node."""
    order, seen, todo = [], {root}, deque([root])
    while todo:
        node = todo.popleft()
        order.append(node)
        for parent in parents(node):
            if parent not in seen:
                seen.add(parent)
                todo.append(parent)
    return order[::-1]


def counted_by_user(root, parents):
    """How many use a node is counted by the users, and taken off by the uses: x · x takes off two."""
    uses, todo = {root: 0}, [root]
    while todo:
        for parent in set(parents(todo.pop())):
            if parent not in uses:
                uses[parent] = 0
                todo.append(parent)
            uses[parent] += 1
    order = [root]
    for node in order:
        for parent in parents(node):
            uses[parent] -= 1
            order += [parent] if uses[parent] == 0 else []
    return order[::-1]


def moved_to_the_end(root, parents):
    """By distance, but who is met again moves behind all others, without those that were found through it."""
    order, todo = {root: True}, deque([root])
    while todo:
        for parent in parents(todo.popleft()):
            if not order.pop(parent, False):
                todo.append(parent)
            order[parent] = True
    return list(order)[::-1]


def first_parents(root, parents):
    order = [root]
    while parents(order[-1]):
        order.append(parents(order[-1])[0])
    return order[::-1]


def turned_round(root, parents):
    return topological_order(root, parents)[::-1]


def without_root(root, parents):
    return topological_order(root, parents)[:-1]


def without_leaves(root, parents):
    return [node for node in topological_order(root, parents) if parents(node)]


# ------------------------------------------------------------------------------------------- topological_order, right
def by_two_visits(root, parents):
    order, done, todo = [], set(), [(root, False)]
    while todo:
        node, opened = todo.pop()
        if opened:
            order.append(node)
        elif node not in done:
            done.add(node)
            todo.append((node, True))
            todo += [(parent, False) for parent in parents(node)]
    return order


def in_depth(root, parents):
    """A walk in depth with a stack of its own, whose entries know which parents are left."""
    order, seen, todo = [], {root}, [(root, iter(parents(root)))]
    while todo:
        node, left = todo[-1]
        parent = next((p for p in left if p not in seen), None)
        if parent is None:
            order.append(node)
            todo.pop()
        else:
            seen.add(parent)
            todo.append((parent, iter(parents(parent))))
    return order


def by_depth(root, parents):
    """Sorted by the longest way down to a leaf."""
    depth, todo = {}, [root]
    while todo:
        node = todo[-1]
        open_ones = [parent for parent in parents(node) if parent not in depth]
        if open_ones:
            todo += open_ones
        else:
            depth[node] = 1 + max([depth[parent] for parent in parents(node)], default=0)
            todo.pop()
    return sorted(depth, key=lambda node: depth[node])


# ------------------------------------------------------------------------------------ how topological_order is probed
def reached(root, edges):
    found, todo = {root}, [root]
    while todo:
        new = set(edges[todo.pop()]) - found
        found |= new
        todo += new
    return found


def out_of_order(order, edges):
    """The nodes that come before one of their parents, each with such a parent."""
    place = {node: i for i, node in enumerate(order)}
    return [(node, parent) for node in order for parent in edges[node] if place[parent] > place[node]]


def ordered(root, edges):
    """What is true of every right answer."""

    def holds(values):
        order, wanted = [int(node) for node in values[0]], reached(root, edges)
        if len(set(order)) < len(order):
            return "A node occurs more than once."
        if not set(order) <= wanted:
            return "There is a node in it on which root does not depend."
        if root not in order:
            return "root itself is missing."
        if set(order) != wanted:
            leaves = all(not edges[node] for node in wanted - set(order))
            return (
                "The nodes that have no parents are missing." if leaves else "Nodes on which root depends are missing."
            )
        if len(order) > 1 and order[0] == root:
            late = out_of_order(order[::-1], edges)
            return "root comes first, not last." if late else "Read from its end, the list would be right."
        early = out_of_order(order, edges)
        if early:
            node, parent = early[0]
            return Refusal("A node comes before one of its parents.", f"{node} stands before {parent}, its parent.")
        return None

    return holds


def ask(rng, edges, root):
    """The graph with its nodes renamed at random, and nodes beside it that root does not depend on."""
    names = [int(n) for n in rng.permutation(len(edges) + 3)]
    renamed = [[] for _ in names]
    for node, parents in enumerate(edges):
        renamed[names[node]] = [names[parent] for parent in parents]
    for extra in range(len(edges), len(names)):
        renamed[names[extra]] = [names[root]]
    call = Call(root=names[root], parents=Helper("graph", {"edges": renamed}))
    return Property(call, ordered(names[root], renamed))


def chain(rng, n):
    """n nodes, one after another: there is one right order only."""
    names = [int(name) for name in rng.permutation(n)]
    edges: list[list[int]] = [[] for _ in names]
    for parent, node in pairwise(names):
        edges[node] = [parent]
    return Call(root=names[-1], parents=Helper("graph", {"edges": edges}))


def chains(rng):
    return [chain(rng, int(rng.integers(5, 9))), chain(rng, 3), chain(rng, 1)]


def reused(rng):
    """y = s * s over and over, and a leaf that is used everywhere."""
    doubling = [[], *[[i, i] for i in range(6)]]
    shared = [[], [0], *[[i - 1, 0] for i in range(2, 8)]]
    squared = [[], [0, 0], [0], [2]]  # and used once more, two steps away
    return [
        ask(rng, doubling, 6),
        ask(rng, shared, 7),
        ask(rng, [*squared, [1, 3]], 4),
        ask(rng, [*squared, [3, 1]], 4),
    ]


def uneven(rng):
    """Several ways of different lengths lead to the same node: a long one, and a short cut."""
    n = int(rng.integers(5, 8))
    ladder = [[], *[[i] for i in range(n)]]
    cut = [*ladder, [n, 1], [n + 1, 0]]
    late = [*ladder, [1, n], [0, n + 1]]
    wide = [[], [0], [1], [2, 0], [1], [4, 3], [0, 5, 2]]
    return [ask(rng, cut, n + 2), ask(rng, late, n + 2), ask(rng, wide, 6)]


def deep(rng):
    return [chain(rng, int(rng.integers(3200, 3400)))]  # Jupyter lets 3000 calls be open, Python alone 1000


TOPOLOGICAL = Exercise(
    reference=topological_order,
    chapter=CHAPTER,
    title="An order for the way back",
    task="""
    A result was computed from its parents, these from theirs, and so on down to nodes without parents. `parents(node)`
    gives a list of the nodes that a node was computed from directly; nodes are integers here, anything that can stand
    in a set elsewhere.

    Return a list of all nodes on which `root` depends, root included: each once, and every node after all of its
    parents. Which of several such orders it is does not matter. Graphs may be thousands of nodes deep.
    """,
    example="made_of = {3: [0, 2], 2: [0, 1], 1: [], 0: []}\n"
    "topological_order(3, lambda node: made_of[node])  # [1, 0, 2, 3]",
    difficulty=4,
    minutes=25,
    groups=[
        Group("chains", 1, chains, "One node after another.", CLOSE),
        Group("reuse", 1, reused, "Nodes that are used more than once.", CLOSE),
        Group("uneven", 2, uneven, "Ways of different lengths to the same node.", CLOSE),
        Group("deep", 1, deep, "A chain of thousands of nodes.", CLOSE),
    ],
    misconceptions=[
        Misconception("recursive", recursive,
            "How many calls may be open inside each other in Python before it gives up?",
            "graphs were never deep: one call inside another for every node", ORDER),
        Misconception("no_visited", no_visited,
            "A node is used in two places. How many times does your walk come by?",
            "nobody took note of the nodes that were visited", ORDER),
        Misconception("before_its_parents", before_its_parents,
            "When do you write a node into the list: before or after its parents?",
            "a node came as soon as it was met, before its parents", ORDER),
        Misconception("by_distance", by_distance,
            "A node is one step from root by one way and five by another. Which one decides about its place?",
            "the distance from root decided", ORDER),
        Misconception("counted_by_user", counted_by_user,
            "In x · x, how many uses of x do you count, and how many do you take off?",
            "a node that one other names twice had one use when it is counted, and two when they are taken off", ORDER),
        Misconception("moved_to_the_end", moved_to_the_end,
            "A node is met again and moves to the end. Do its parents stand behind it still?",
            "a node that is met again could be moved without its parents", ORDER),
        Misconception("first_parents_only", first_parents,
            "A sum has two parents. Where does your walk meet the second one?",
            "every node had one parent at most", ORDER),
        Misconception("turned_round", turned_round,
            "Which comes first in your list, a node or its parents? Which is asked for?",
            "the order of the way back were asked for", ORDER),
        Misconception("without_root", without_root,
            "On how many nodes does root depend, itself included?", "root were not to be listed", ORDER),
        Misconception("without_leaves", without_leaves,
            "A node without parents: does it have a place in the list?", "nodes without parents did not count", ORDER),
    ],
    variants=[
        Variant("two_visits", by_two_visits),
        Variant("in_depth", in_depth),
        Variant("by_depth", by_depth),
    ],
    hints=[
        Hint("On the way back a node may be left when all that use it have handed their gradients on. So it matters "
             "how many uses each node has."),
        Hint('Look at "In which order?": one walk from root counts the uses, a second one writes down what nobody '
             "waits for any more. A list in the place of calls inside calls has no depth."),
        Hint("A worked sibling, all nodes below root in *any* order, with a list of what is still to do:\n\n"
             "    def reachable(root, parents):\n        seen, todo = {root}, [root]\n        while todo:\n"
             "            for parent in parents(todo.pop()):\n                if parent not in seen:\n"
             "                    seen.add(parent)\n                    todo.append(parent)\n        return seen"),
        Hint("    walk down from root, every node once, and count how many times each is named as a parent\n"
             "    order = [root]\n    for each node of order, which grows: for each of its parents, one use is done;\n"
             "        if none is left, the parent joins order\n    return order, turned round"),
    ],
)  # fmt: skip
