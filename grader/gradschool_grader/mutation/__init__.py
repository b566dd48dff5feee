"""Small wrong changes of a piece of Python: the audit must reject each, and diagnosis recognises many.

changes    what could stand in the place of one node of syntax
mutants    whole sources with one such change
"""
