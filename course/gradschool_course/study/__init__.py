"""The recorded experiments at full size: `gradschool study X-c` trains what was trained there, and puts the figures of
both side by side. Nothing that is graded needs them; they take minutes to hours, and images that are downloaded.
"""
