"""Property: that nobody is left is said once for each time it lasts, and ends the run when it has lasted too long."""

import pytest

from gradschool_grader.absence import UNSAID, Absence, WorkersLost

LIMIT = 600.0


class Clock:
    now = 1e6

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def absence(clock):
    words = []
    made = Absence("tcp://10.0.0.1:8786", ["10.0.0.3", "10.0.0.4"], LIMIT, words.append, clock)
    made.words = words
    return made


def looks(absence, clock, *times, there=False):
    for clock.now in times:
        absence.look(there)


def test_nothing_is_said_of_a_process_that_is_started_again(absence, clock):
    looks(absence, clock, 0, UNSAID - 1)
    looks(absence, clock, UNSAID, there=True)
    looks(absence, clock, UNSAID + 1, 2 * UNSAID)
    assert absence.words == []


def test_what_it_waits_for_how_long_and_what_to_try_is_said_once(absence, clock):
    looks(absence, clock, 100, 100 + UNSAID, 100 + 2 * UNSAID, 100 + LIMIT - 1)
    (words,) = absence.words
    assert "All workers of tcp://10.0.0.1:8786 have been gone for 20 seconds; the run waits" in words
    assert "again on 10.0.0.3, 10.0.0.4: `dask worker tcp://10.0.0.1:8786 --nthreads 1`" in words
    assert "ends in 10 minutes, and the same command goes on" in words


def test_the_end_comes_at_the_limit_and_says_what_is_kept(absence, clock):
    looks(absence, clock, 0, UNSAID)
    with pytest.raises(
        WorkersLost, match=r"gone for 10 minutes, so the run ends\. What was judged is kept: start them"
    ):
        looks(absence, clock, LIMIT)


@pytest.mark.parametrize("back", [lambda absence: absence.look(there=True), Absence.over])
def test_who_comes_back_is_said_and_time_begins_anew(absence, clock, back):
    looks(absence, clock, 0, UNSAID)
    back(absence)
    assert absence.words[1:] == ["Workers of tcp://10.0.0.1:8786 are there again."]
    looks(absence, clock, LIMIT, LIMIT + UNSAID)
    assert len(absence.words) == 3
    with pytest.raises(WorkersLost):
        looks(absence, clock, 2 * LIMIT)


def test_without_patience_the_first_look_ends_it(clock):
    with pytest.raises(WorkersLost, match="for 0 seconds"):
        Absence("tcp://10.0.0.1:8786", ["10.0.0.3"], 0, clock=clock).look(there=False)
