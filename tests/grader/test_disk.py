"""Property: what a full disk does is said as that, with the disk's name; every other error stays what it is."""

import errno
import sqlite3

import pytest

from gradschool_grader.disk import DiskFull, naming_the_disk, says_when_full, size


class InvalidEntry(ValueError):
    """As nbgrader passes on what its database said."""


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EFBIG, "File too large"),
        sqlite3.OperationalError("database or disk is full"),
        sqlite3.OperationalError("disk I/O error"),
        InvalidEntry("(sqlite3.OperationalError) database or disk is full\n[SQL: INSERT INTO grade ...]"),
    ],
)
def test_a_full_disk_is_named_whoever_met_it(error, tmp_path):
    words = r"disk at .*, which holds .*(device|large|full|error)\. .* are free"
    with pytest.raises(DiskFull, match=words) as said, naming_the_disk(tmp_path):
        raise error
    assert "INSERT" not in str(said.value)
    assert str(tmp_path) in str(said.value)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EACCES, "Permission denied"),
        sqlite3.OperationalError("database is locked"),
        ValueError("database or disk is full"),
    ],
)
def test_other_errors_stay_what_they_are(error, tmp_path):
    with pytest.raises(type(error)) as met, naming_the_disk(tmp_path):
        raise error
    assert met.value is error


def test_a_function_of_a_folder_says_it_too(tmp_path):
    @says_when_full
    def fill(directory, *, much):
        """Fill it."""
        if much:
            raise OSError(errno.ENOSPC, "No space left on device")
        return directory

    assert fill(tmp_path, much=False) == tmp_path
    assert fill.__doc__ == "Fill it."
    with pytest.raises(DiskFull, match="No space left on device"):
        fill(tmp_path, much=True)


def test_sizes_are_in_the_unit_that_suits_them():
    assert [size(n) for n in (0, 999, 57_344, 8_388_608, 82 * 10**9, 3 * 10**12)] == [
        "0 bytes", "999 bytes", "57 kB", "8 MB", "82 GB", "3 TB",
    ]  # fmt: skip
