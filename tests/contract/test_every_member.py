import json

import numpy as np
import pytest
from safetensors.numpy import load, save

from kekule.features import FINGERPRINTS, GraphSchema
from kekule.models import BASELINES, NETWORKS, TrainSettings, boosting, fingerprint_models
from kekule.models.members import (
    MEMBERS,
    NETWORK,
    OF_GRAPHS,
    OF_MOLECULES,
    Material,
    Size,
    Stored,
    restored,
    train_member,
)
from kekule.models.members.network import NetworkMember, mean_log_probability
from stand_in_tables import tables_of

EXACT = 0.0
CLOSE = {NETWORK: 2e-6, "logistic": 1e-12, "WL-SVM": 1e-12}  # float32; sums of a matrix product
BARE = "network without descriptors"
NAMES = (*MEMBERS, BARE)
TRAIN, HELD, ASKED = np.arange(0, 110), np.arange(110, 130), np.arange(130, 188)


@pytest.fixture(autouse=True, scope="module")
def _few_trees():
    """So that each member can be trained often; a tree of them is like the others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fingerprint_models, "TREES", 100)
        patch.setattr(boosting, "TREES", 60)
        yield


def member_named(name):
    if name not in (NETWORK, BARE):
        return MEMBERS[name]
    settings = NETWORKS["gin"].Settings(hidden=8, layers=2)
    train = TrainSettings(epochs=2, device="cpu")
    return NetworkMember(settings, train, score=mean_log_probability, descriptors=name == NETWORK)


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def material(packed_mutag):
    tables = tables_of(packed_mutag)
    counts = tables["ecfp"]
    others = {
        "fcfp": counts[:, ::2],
        "avalon": counts.astype(np.uint16) * 3,
        "atom-pair": counts[:, 3:40],
        "maccs": (counts > 0)[:, :64].astype(np.uint8),
        "erg": (counts[:, :32] * 0.3).astype(np.float32),
    }
    return Material(packed_mutag, {**tables, **others})


@pytest.fixture(scope="module")
def targets(mutag_targets):
    """By the number of classes; a few rows of a third class that is not chance."""

    def of(n_classes):
        third = (np.arange(len(mutag_targets)) % 4 == 0) if n_classes == 3 else 0
        return mutag_targets + third

    return of


@pytest.fixture(scope="module")
def trained(material, targets):
    """Each member trained once, for so many classes."""
    made = {}

    def build(name, n_classes=2):
        if (name, n_classes) not in made:
            made[name, n_classes] = learnt(name, material, targets(n_classes), n_classes)
        return made[name, n_classes]

    return build


def learnt(name, material, targets, n_classes=2, *, train=TRAIN, held=HELD):
    return train_member(
        member_named(name),
        material,
        targets,
        train_rows=train,
        held_rows=held,
        n_classes=n_classes,
        seed=1,
    )


def back(stored, material, n_classes=2, n_tasks=1):
    schema = material.graphs.schema
    return restored(stored, schema=schema, n_classes=n_classes, n_tasks=n_tasks)


def close(name, one, other):
    tolerance = CLOSE.get(name, CLOSE[NETWORK] if name == BARE else EXACT)
    np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)


def test_every_member_suits_molecules_or_graphs_and_needs_what_there_is():
    assert set(OF_MOLECULES) | set(OF_GRAPHS) == set(MEMBERS)
    assert set(OF_GRAPHS) - {NETWORK} == {m for m in MEMBERS if not MEMBERS.needs(m)}
    for name in MEMBERS:
        assert MEMBERS.needs(name) == MEMBERS[name].needs
        assert set(MEMBERS.needs(name)) <= set(FINGERPRINTS)
        if name in BASELINES:
            assert MEMBERS.needs(name) == BASELINES.needs(name)
    assert set(MEMBERS["logistic"].needs) == set(FINGERPRINTS)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_answers_are_distributions_and_better_than_chance(
    name, n_classes, trained, material, targets
):
    given = trained(name, n_classes).probabilities(material)

    assert given.shape == (188, n_classes)
    assert given.dtype == np.float64
    assert (given >= 0).all()
    np.testing.assert_allclose(given.sum(1), 1, atol=1e-12)
    if name not in (NETWORK, BARE):  # of two epochs
        truth = targets(n_classes)
        hits = given[ASKED].argmax(1) == truth[ASKED]
        assert hits.mean() >= np.bincount(truth[ASKED]).max() / len(ASKED)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_row_is_answered_alone_as_among_others(name, n_classes, trained, material):
    one = trained(name, n_classes)
    together = one.probabilities(material.take(ASKED))

    for k in (0, 7, 57):
        close(name, one.probabilities(material.take(ASKED[[k]]))[0], together[k])


def test_rows_in_another_order_are_answered_in_that_order(name, trained, material):
    one, order = trained(name), np.random.default_rng(0).permutation(ASKED)

    close(name, one.probabilities(material.take(order)), one.probabilities(material)[order])


def test_renumbering_nodes_changes_no_answer(name, trained, material, renumbered):
    other = renumbered(material.graphs, np.random.default_rng(0))
    given = trained(name).probabilities(material)

    again = trained(name).probabilities(Material(other, material.tables))
    np.testing.assert_allclose(again, given, atol=2e-6)


def test_other_rows_are_not_read_and_a_seed_gives_the_same_again(name, trained, material, targets):
    other = targets(2).copy()
    other[ASKED] = 1 - other[ASKED]
    other[ASKED[::2]] = -1

    again = learnt(name, material, other).probabilities(material)
    np.testing.assert_array_equal(again, trained(name).probabilities(material))


def test_a_restored_member_answers_the_same_to_the_last_bit(name, trained, material):
    for n_classes in (2, 3):
        one = trained(name, n_classes)
        settings, arrays = one.stored()
        through = Stored(json.loads(json.dumps(settings, allow_nan=False)), load(save(arrays)))
        again = back(through, material, n_classes)

        assert again.needs == one.needs
        np.testing.assert_array_equal(again.probabilities(material), one.probabilities(material))
        np.testing.assert_array_equal(again.stored().settings, settings)


def test_no_rows_are_answered_by_no_rows(name, trained, material):
    for n_classes in (2, 3):
        given = trained(name, n_classes).probabilities(material.take(np.zeros(0, dtype=np.int64)))
        assert given.shape == (0, n_classes)


def test_a_class_missing_in_training_gets_no_more_than_a_network_s_rest(name, material, targets):
    one = learnt(name, material, targets(2) * 2, 4)
    given = one.probabilities(material)

    np.testing.assert_allclose(given.sum(1), 1, atol=1e-12)
    if name not in (NETWORK, BARE):
        assert (given[:, [1, 3]] == 0).all()
    again = back(one.stored(), material, 4)
    np.testing.assert_array_equal(again.probabilities(material), given)


def test_training_rows_of_one_class_leave_one_answer(name, material):
    one = learnt(name, material, np.full(188, 2), 3)
    given = one.probabilities(material)

    assert (given.argmax(1) == 2).all() or name in (NETWORK, BARE)
    if name not in (NETWORK, BARE):
        assert (given == [0, 0, 1]).all()
    assert np.array_equal(back(one.stored(), material, 3).probabilities(material), given)


@pytest.mark.parametrize("rows", [[0, 1], [0, 1, 2, 3, 4]])
def test_a_handful_of_training_rows_is_enough(name, rows, material, targets):
    different = targets(2).copy()
    different[rows] = np.arange(len(rows)) % 2
    one = learnt(name, material, different, train=np.array(rows))
    given = one.probabilities(material)

    assert np.isfinite(given).all()
    np.testing.assert_allclose(given.sum(1), 1, atol=1e-12)
    assert np.array_equal(back(one.stored(), material).probabilities(material), given)


def test_several_tasks_are_answered_side_by_side(name, material, targets):
    several = np.stack([targets(2), 1 - targets(2), np.full(188, -1)], axis=1)
    several[::3, 0] = -1
    one = learnt(name, material, several)
    given = one.probabilities(material)
    again = back(one.stored(), material, n_tasks=3)

    assert given.shape == (188, 3, 2)
    np.testing.assert_allclose(given.sum(-1), 1, atol=1e-12)
    assert np.array_equal(again.probabilities(material), given)
    for n_tasks in (1, 2, 4):
        with pytest.raises(ValueError, match=r"task|weights"):
            back(one.stored(), material, n_tasks=n_tasks)


def damages(array):
    """The array spoilt in several ways, each with a word for it."""
    flat = array.reshape(-1)
    longer = np.concatenate([flat, flat[:1] if len(flat) else np.zeros(1, array.dtype)])
    if array.ndim and array.size:
        yield "cut short", flat[:-1]
    yield "longer", longer
    yield "of another type", np.zeros_like(array, dtype=np.float16)
    yield "with another axis", array[None]
    if array.size and array.dtype.kind == "f":
        for value in (np.nan, np.inf, -np.inf):
            yield f"with {value}", changed(array, value)
    if array.size and array.dtype == np.uint64 and len(array) > 1:
        yield "in another order", array[::-1].copy()
        yield "with one twice", changed(array, array[0], at=1)
    elif array.size and array.dtype.kind in "iu" and array.dtype != np.uint64:
        yield "with a number far too large", changed(array, np.iinfo(array.dtype).max)
        if array.dtype.kind == "i":
            yield "with a number below all", changed(array, np.iinfo(array.dtype).min)


def changed(array, value, at=-1):
    other = array.copy()
    other.reshape(-1)[at] = value
    return other


def test_every_damaged_array_is_refused_in_words(name, trained, material):
    for n_classes in (2, 3):
        settings, arrays = trained(name, n_classes).stored()
        for part, array in arrays.items():
            for what, other in damages(array):
                if part.endswith("num_batches_tracked") and "large" in what:
                    continue  # a count like any other
                damaged = Stored(settings, {**arrays, part: other})
                with pytest.raises(ValueError, match=r"^member"):
                    back(damaged, material, n_classes)


def test_arrays_too_few_or_too_many_are_refused(name, trained, material):
    settings, arrays = trained(name).stored()
    for part in arrays:
        fewer = {other: array for other, array in arrays.items() if other != part}
        with pytest.raises(ValueError, match=r"member.*no array|sum to one|is none|reads"):
            back(Stored(settings, fewer), material)
    with pytest.raises(ValueError, match="'another' is extra"):
        back(Stored(settings, {**arrays, "another": np.zeros(1)}), material)


def test_damaged_settings_are_refused(name, trained, material):
    settings, arrays = trained(name).stored()
    wrong = [None, -1, 1.5, "x", [], {}, [0, 0], [1, 0], [0, 10**12], ["a", "a"], [[1]], True]
    for key in settings:
        for value in wrong:
            if settings[key] == value:
                continue
            with pytest.raises(ValueError, match="member"):
                back(Stored({**settings, key: value}, arrays), material)
        fewer = {k: v for k, v in settings.items() if k != key}
        with pytest.raises(ValueError, match="member"):
            back(Stored(fewer, arrays), material)


def test_random_damage_is_refused_or_harmless(name, trained, material):
    settings, arrays = trained(name).stored()
    rng, asked = np.random.default_rng(0), material.take(ASKED[:5])
    whole = [part for part in arrays if arrays[part].dtype.kind in "iu" and arrays[part].size]
    whole = [part for part in whole if arrays[part].dtype != np.uint64] or [*arrays]
    for _ in range(60):
        part = whole[rng.integers(len(whole))]
        other = arrays[part].copy()
        at = rng.integers(other.size)
        other.reshape(-1)[at] += rng.integers(-3, 4) if other.dtype.kind == "i" else 1
        try:
            one = back(Stored(settings, {**arrays, part: other}), material)
        except ValueError:
            continue
        given = one.probabilities(asked)
        assert np.isfinite(given).all()
        np.testing.assert_allclose(given.sum(-1), 1, atol=1e-12)


def test_a_member_of_other_classes_or_another_schema_is_refused(name, trained, material):
    stored = trained(name, 3).stored()
    with pytest.raises(ValueError, match="member"):
        back(stored, material, 2)
    if name in (NETWORK, BARE, "WL-LightGBM"):  # the others read no code of it, or its hash
        with pytest.raises(ValueError, match="member"):
            restored(stored, schema=GraphSchema((), ()), n_classes=3)


def test_fingerprints_of_another_width_are_refused(name, trained, material):
    one = trained(name)
    for table in one.needs:
        narrower = {**material.tables, table: material.tables[table][:, :-1]}
        with pytest.raises(ValueError, match="columns"):
            one.probabilities(Material(material.graphs, narrower))
        fewer = {k: v for k, v in material.tables.items() if k != table}
        with pytest.raises(ValueError, match=f"there is no {table}"):
            one.probabilities(Material(material.graphs, fewer))


def test_a_training_takes_longer_the_more_there_is_to_learn(name):
    member = member_named(name)
    small = member.seconds(Size(500, 2000, 12_000, 26_000, 2))

    assert 0 < small < member.seconds(Size(5000, 2000, 120_000, 260_000, 2)) < 1000
    assert member.seconds(Size(500, 2000, 12_000, 26_000, 3)) >= small
