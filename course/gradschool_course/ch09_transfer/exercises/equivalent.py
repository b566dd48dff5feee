"""Changes of the references that nothing the tasks ask for depends on, by the hash that `gradschool audit` shows."""

HELD = "No sample of task A is of a class that is held, so that its number equals neither of the two."
SPLIT = {"0ecdf9140a42": HELD, "91f8fb493c30": HELD}
FACTORS = {"2220fc7a8c47": "A negative number of frozen layers freezes none, as 0 does."}
