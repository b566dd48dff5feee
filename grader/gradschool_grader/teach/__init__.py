"""Everything that needs nbgrader, which only teachers install: `pip install 'gradschool[teach]'`.

nbgrader stays the system of record. The judge stands in the place of its Execute, by configuration, so the stock
command, formgrader's button and `gradschool grade` come to the same grade by the same classes.

    exporter   reads whatever was handed in and makes a notebook of it that nbgrader can keep
    judge      verdicts in the place of outputs
    saving     grades and diagnoses into the gradebook, one transaction a submission
    assign     generate_assignment;   grade   a whole class, in parallel;   mend   what the exporter does to a notebook
"""
