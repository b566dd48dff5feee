"""Changes of the references that nothing the tasks ask for depends on, by the hash that `gradschool audit` shows."""

GROUPS = {"b824a52bbf25": "Any negative size asks `reshape` for what is left."}
LAYERS = {"32b08fed056f": "Every batch has statistics of the same layers: the last has those of the first."}
