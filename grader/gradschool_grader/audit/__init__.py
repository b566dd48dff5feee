"""The audit proves a course's grading: no wrong answer passes, no right one fails, every known mistake is named.

It tries answers without thought, every misconception, every variant, the solutions of other exercises, and every small
change of the reference, at many seeds; what is not as it must be becomes a case that names exercise, seed and group.

    report = audit("my_package:course")
    for case in report.cases: print(case)
"""

from .result import Case as Case
from .result import ExerciseAudit as ExerciseAudit
from .result import Report as Report
from .run import SEEDS as SEEDS
from .run import audit as audit
from .run import audit_exercise as audit_exercise
