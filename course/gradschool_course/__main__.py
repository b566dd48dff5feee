"""`python -m gradschool_course` is the command `gradschool`."""

from .cli import main

if __name__ == "__main__":
    main()
