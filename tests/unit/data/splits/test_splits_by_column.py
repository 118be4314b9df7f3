import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kekule._errors import KekuleError
from kekule.data.splits import NEVER_TESTED, Dealing, SplitInputs, make_split
from kekule.data.splits.by_time import time_split


def split_by(cells, kind, rows=None, **how):
    n = len(cells)
    rows = np.arange(n) if rows is None else np.array(rows)
    codes = (np.arange(n) % 2)[:, None]
    inputs = SplitInputs(codes, rows, int(rows.max()) + 1, column=cells, column_name="assay")
    return make_split(kind, inputs, **how)


@settings(deadline=None)
@given(
    st.lists(st.integers(1990, 2020), min_size=8, max_size=120).filter(lambda t: len(set(t)) > 3),
    st.sampled_from([0.1, 0.2, 0.5]),
)
def test_the_latest_rows_are_tested_and_equal_times_are_never_parted(times, share):
    n = len(times)
    codes = (np.arange(n) % 2)[:, None]
    inputs = SplitInputs(codes, np.arange(n), n, column=[str(time) for time in times])
    split = time_split(inputs, Dealing(test=share))
    tested = np.array(times)[split.fold == 0]
    trained = np.array(times)[split.fold == NEVER_TESTED]

    assert max(trained) < min(tested)
    parted = max(np.unique(times, return_counts=True)[1])
    assert abs(len(tested) - share * n) <= max(parted / 2, parted - share * n)
    assert len(set(zip(times, split.groups.tolist(), strict=True))) == len(set(times))


@pytest.mark.parametrize(
    "cells",
    [
        ["2019", "2020", "2018.5", "2017", "1e3"],
        ["2019-05-31", "2020-01-01", "2019-05", "2018-12-31", "1999-01-01"],
        ["2020-01-01T09:00", "2020-01-01 12:00:30", "2020-01-01T08:00Z", "2019-12-31", "2019-12"],
        [
            "2020-03-01T00+01:00",
            "2020-03-01T00:30+01",
            "2020-02-29T22:59Z",
            "2020-02-28",
            "2020-01",
        ],
        ["-1", " 7 ", "-2.5", "-3", "-1e9"],
    ],
)
def test_numbers_and_iso_dates_are_put_in_order(cells):
    order = [4, 3, 2, 0, 1]
    for n_tested in range(2, 4):
        split = split_by(cells, "time", test=n_tested / 5)
        assert np.flatnonzero(split.fold == 0).tolist() == sorted(order[-n_tested:])


def test_an_instant_written_in_two_zones_is_one_time():
    cells = ["2020-01-01", "2020-01-02", "2020-03-01T01:00+01:00", "2020-03-01T00:00Z"]
    split = split_by([*cells, "2020-03-01"], "time", test=0.2)
    assert split.fold.tolist() == [NEVER_TESTED, NEVER_TESTED, 0, 0, 0]


def test_the_description_says_where_the_line_is():
    description = split_by(["2001", "2003", "2002", "2005", "2004"], "time").description
    assert description.startswith(
        "the latest 1 rows (20.0%) are tested, from 2005 on; training ends with 2004"
    )


@pytest.mark.parametrize(
    "cell", ["", "soon", "31/05/2019", "2019-02-30", "nan", "inf", "1e999", "1_0", "٢٠١٩", "12:30"]
)
def test_a_cell_that_is_no_time_is_refused_with_its_row(cell):
    with pytest.raises(KekuleError, match=r"column 'assay', row 40: .* neither a number nor a"):
        split_by(["2001", "2002", cell, "2003"], "time", rows=[3, 9, 40, 41])


def test_numbers_among_dates_are_refused():
    with pytest.raises(
        KekuleError, match="row 1: '2019' and '2018-05-01' are a number and a date"
    ):
        split_by(["2018-05-01", "2019", "2020-01-01"], "time")


def test_a_single_time_is_refused():
    with pytest.raises(KekuleError, match="all 4 rows of column 'assay' have one time"):
        split_by(["2019"] * 4, "time")


def test_a_date_at_the_end_of_the_calendar_is_refused_and_no_crash():
    with pytest.raises(KekuleError, match=r"row 1: .* neither"):
        split_by(["2019-01-01", "0001-01-01T00:00+05:00"], "time")


def test_rows_of_one_name_stay_together_whatever_blanks_are_around_it():
    cells = ["lab A", " lab A", "lab B", "lab a", "lab A\t", "lab B", "lab a", "lab a"]
    split = split_by(cells, "group", n_folds=3)

    assert split.groups.tolist() == [0, 0, 1, 2, 0, 1, 2, 2]
    assert sorted(np.bincount(split.fold).tolist()) == [2, 3, 3]


def test_an_empty_name_is_refused_with_its_row():
    message = r"column 'assay', row 7 and 1 more: the cell is empty.*Fill it in"
    with pytest.raises(KekuleError, match=message):
        split_by(["a", " ", "b", ""], "group", rows=[2, 7, 8, 9])


def test_fewer_names_than_folds_are_refused():
    with pytest.raises(KekuleError, match=r"4 rows in 2 group\(s\) cannot fill 5 folds"):
        split_by(["a", "b", "b", "a"], "group")
