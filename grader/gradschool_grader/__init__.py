"""gradschool_grader judges submitted code against a reference and names the mistake.

    from gradschool_grader import check, predict

It knows neither a course nor its subject: exercises come from courses, which are found by entry point.
"""

from .home import check as check
from .home import predict as predict
from .home import prediction as prediction
