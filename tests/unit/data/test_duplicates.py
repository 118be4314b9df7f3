import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kekule.data.duplicates import resolve_duplicates
from kekule.data.molecule_table import MISSING, Targets
from kekule.data.standardisation import POLICIES, standardise_smiles

POLICY_NAMES = ["keep", "drop-conflicts", "majority", "first"]


def targets_of(*rows, tasks=("toxic",)):
    codes = np.array(rows, dtype=np.int64).reshape(len(rows), len(tasks))
    return Targets(tuple(tasks), (("no", "yes"),) * len(tasks), codes)


def resolved(keys, targets=None, policy="drop-conflicts", usable=None):
    usable = np.ones(len(keys), dtype=bool) if usable is None else np.array(usable)
    return resolve_duplicates(list(keys), targets, policy, usable=usable)


def test_rows_that_agree_are_merged_in_the_first_of_them():
    result = resolved("ABAA", targets_of(1, 0, 1, 1))

    assert result.kept.tolist() == [True, True, False, False]
    assert result.reasons == ["", "", *["duplicate of row 0, with the same label"] * 2]
    assert result.summary == "2 duplicates of 1 molecule: 2 rows merged."


def test_rows_in_conflict_are_all_set_aside_and_name_each_other():
    result = resolved("ABA", targets_of(1, 0, 0))

    assert result.kept.tolist() == [False, True, False]
    assert result.reasons[0] == "same molecule as row 2, with another label of toxic"
    assert result.reasons[2] == "same molecule as row 0, with another label of toxic"
    assert result.summary == (
        "1 duplicate of 1 molecule: 0 rows merged, 2 rows in 1 conflict set aside."
    )


def test_a_row_without_a_label_is_set_aside_with_the_conflict_it_stands_in():
    result = resolved("AAA", targets_of(1, MISSING, 0))

    assert not result.kept.any()
    assert result.reasons[1] == "same molecule as rows 0 and 2, whose labels of toxic differ"


def test_the_majority_keeps_the_first_row_that_goes_with_it():
    result = resolved("AAA", targets_of(0, 1, 1), "majority")

    assert result.kept.tolist() == [False, True, False]
    assert result.reasons[0] == (
        "same molecule as row 1, with another label of toxic; kept is the majority's"
    )
    assert result.reasons[2] == "duplicate of row 1, with the same label"
    assert result.summary.endswith(
        "0 rows merged, 1 conflict left to the majority, 2 rows set aside."
    )


def test_where_there_is_no_majority_none_is_kept():
    result = resolved("AABBB", targets_of(0, 1, 1, 1, 0), "majority")

    assert result.kept.tolist() == [False, False, True, False, False]
    assert result.reasons[0].endswith(
        "with another label of toxic, and no label is in the majority"
    )


def test_first_believes_the_first_row():
    result = resolved("AAA", targets_of(0, 1, 1), "first")

    assert result.kept.tolist() == [True, False, False]
    assert result.reasons[1].endswith("with another label of toxic; kept is the first")


def test_the_kept_row_takes_the_labels_it_lacks():
    targets = targets_of([1, MISSING], [MISSING, 0], [1, 0], tasks=("toxic", "mutagenic"))
    result = resolved("AAA", targets)

    assert result.kept.tolist() == [True, False, False]
    assert result.targets.codes[0].tolist() == [1, 0]
    assert result.reasons[1] == "duplicate of row 0, which takes over its label of mutagenic"
    assert targets.codes[0].tolist() == [1, MISSING]  # what was given is left as it was


@pytest.mark.parametrize("policy", ["drop-conflicts", "majority"])
def test_a_label_in_conflict_is_set_aside_and_those_of_other_tasks_stay(policy):
    targets = targets_of([1, 0], [1, 1], [MISSING, 0], [1, 1], tasks=("toxic", "mutagenic"))
    result = resolved("AAAA", targets, policy)

    assert result.kept.tolist() == [True, False, False, False]
    assert result.targets.codes[0].tolist() == [1, MISSING]
    assert result.groups[0].conflicts == result.groups[0].dropped == ("mutagenic",)
    assert result.remarks[0] == (
        "its label of mutagenic is set aside, as rows 0, 1, 2 and 1 more differ in it"
    )
    assert result.reasons[1] == (
        "duplicate of row 0; of mutagenic their labels differ and are set aside"
    )


def test_labels_that_are_set_aside_are_counted_apart_from_rows():
    targets = targets_of([1, 0], [1, 1], [0, MISSING], [1, MISSING], tasks=("a", "b"))
    result = resolved("AABB", targets)

    assert result.kept.tolist() == [True, False, False, False]
    assert result.reasons[2] == "same molecule as row 3, with another label of a"
    assert result.summary == (
        "2 duplicates of 2 molecules: 1 row merged, 1 label in conflict set aside, "
        "and 2 rows left with no label."
    )


def test_a_molecule_that_disagrees_about_every_task_is_set_aside_whole():
    result = resolved("AA", targets_of([1, 0], [0, 1], tasks=("toxic", "mutagenic")))

    assert not result.kept.any()
    assert result.remarks == ["", ""]
    assert result.reasons[0] == "same molecule as row 1, with another label of toxic and mutagenic"


def test_rows_that_cannot_be_used_are_no_duplicates():
    result = resolved("AAA", targets_of(1, 0, 1), usable=[True, False, True])

    assert result.kept.tolist() == [True, False, False]
    assert result.reasons == ["", "", "duplicate of row 0, with the same label"]


def test_an_empty_key_is_the_duplicate_of_none():
    assert resolved(["", ""], targets_of(1, 0)).kept.all()


def test_without_labels_nothing_is_in_conflict():
    result = resolved("AAB")

    assert result.kept.tolist() == [True, False, True]
    assert result.targets is None
    assert result.reasons[1] == "duplicate of row 0"


def test_a_table_without_duplicates_is_left_alone():
    result = resolved("ABC", targets_of(0, 1, 1))

    assert result.kept.all()
    assert result.groups == ()
    assert result.summary == "No molecule stands in the table twice."


def test_an_empty_table_has_no_duplicates():
    result = resolved("", targets_of())
    assert (len(result.kept), result.reasons, result.groups) == (0, [], ())


def test_an_unknown_policy_is_refused_by_name():
    with pytest.raises(ValueError, match=r"'drop'.*drop-conflicts"):
        resolved("AA", None, "drop")


tables = st.lists(
    st.tuples(st.sampled_from("ABC"), st.integers(-1, 2), st.integers(-1, 1), st.booleans()),
    max_size=12,
)


@pytest.mark.parametrize("policy", POLICY_NAMES)
@given(rows=tables)
def test_every_usable_row_is_kept_or_told_why_not_and_no_molecule_is_kept_twice(policy, rows):
    keys = [key for key, *_ in rows]
    targets = targets_of(*[row[1:3] for row in rows], tasks=("a", "b"))
    usable = np.array([row[3] for row in rows], dtype=bool)
    result = resolved(keys, targets, policy, usable)
    told = np.array([bool(reason) for reason in result.reasons], dtype=bool)

    assert (result.kept ^ told)[usable].all()
    assert not (result.kept | told)[~usable].any()
    if policy == "keep":
        assert result.kept.tolist() == usable.tolist()
        assert (result.targets.codes == targets.codes).all()
    else:
        kept = [keys[row] for row in np.flatnonzero(result.kept)]
        assert len(kept) == len(set(kept))
        assert result.n_merged + result.n_set_aside == told.sum()
        for group in result.groups:
            if policy == "drop-conflicts" and group.kept is not None:
                assert group.dropped == group.conflicts
                lost = ["ab".index(task) for task in group.conflicts]
                assert (result.targets.codes[group.kept, lost] == MISSING).all()
        known = (targets.codes != MISSING).any(axis=1)
        labelled = {key for key, has, use in zip(keys, known, usable, strict=True) if has and use}
        still = (result.targets.codes != MISSING).any(axis=1)
        assert all(still[row] for row in np.flatnonzero(result.kept) if keys[row] in labelled)
        if policy == "first":
            assert set(kept) == {
                key for key, usable_row in zip(keys, usable, strict=True) if usable_row
            }


@pytest.mark.parametrize("policy", POLICY_NAMES[1:])
@given(rows=tables)
def test_settling_what_is_settled_changes_nothing(policy, rows):
    keys = [key for key, *_ in rows]
    targets = targets_of(*[row[1:3] for row in rows], tasks=("a", "b"))
    once = resolved(keys, targets, policy)
    twice = resolved(keys, once.targets, policy, once.kept)

    assert twice.kept.tolist() == once.kept.tolist()
    assert (twice.targets.codes == once.targets.codes).all()


@pytest.mark.parametrize(
    ("policy", "duplicates", "molecules", "conflicts"),
    [
        ("parent", 73, 68, 11),
        pytest.param("as-given", 64, 60, 10, marks=pytest.mark.slow),
        pytest.param("parent-flat", 97, 88, 14, marks=pytest.mark.slow),
    ],
)
def test_bbbp_has_the_duplicates_it_is_known_for(
    data_root, policy, duplicates, molecules, conflicts
):
    table = pd.read_csv(data_root / "moleculenet" / "BBBP.csv")
    rows = standardise_smiles(table.smiles, POLICIES[policy])
    usable = np.array([bool(smiles) for smiles in rows.smiles])
    result = resolved(rows.smiles, targets_of(*table.p_np), "drop-conflicts", usable)

    assert usable.sum() == len(table) - 11
    assert (result.n_duplicates, len(result.groups)) == (duplicates, molecules)
    assert result.n_conflicts == conflicts
    assert result.kept.sum() == usable.sum() - duplicates - conflicts
