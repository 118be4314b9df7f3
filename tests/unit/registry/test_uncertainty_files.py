"""What a bundle keeps of a model's sureness comes back whole, or is refused in words."""

import itertools
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from kekule._errors import BundleError
from kekule.evaluation import uncertainty_domain
from kekule.evaluation.conformal import SCORES
from kekule.evaluation.domain import fit_domain
from kekule.evaluation.domain_worth import Bin, DomainWorth
from kekule.evaluation.shares import share
from kekule.evaluation.uncertainty_domain import MOST_ROWS, WIDTHS
from kekule.evaluation.uncertainty_fitting import fit_uncertainty
from kekule.evaluation.uncertainty_settings import UncertaintySettings
from kekule.evaluation.uncertainty_stored import RANGES
from kekule.features.wl_folded import wl_folded
from kekule.registry import uncertainty_files
from kekule.registry.manifest import read_manifest, write_manifest
from kekule.registry.uncertainty_files import read_uncertainty, write_uncertainty

NAMES = ("calibration.json", "conformal.json", "domain.npz")
WORTH = DomainWorth(
    share(3, 90), share(2, 10), (Bin(0.1, 0.5, share(4, 50)), Bin(0.5, 1.0, share(1, 50)))
)


@pytest.fixture(scope="module")
def fitted(packed_mutag):
    return with_domain(drawn(1), wl_folded(packed_mutag), "wl")


@pytest.fixture
def written(fitted, tmp_path):
    write_uncertainty(tmp_path, fitted)
    return tmp_path


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("n_tasks", [1, 3])
def test_it_says_the_same_of_every_row_as_before_it_was_written(n_tasks, n_classes, tmp_path):
    uncertainty = drawn(n_tasks, n_classes)
    write_uncertainty(tmp_path, uncertainty)
    new = np.random.default_rng(9).dirichlet(np.ones(n_classes), (20, n_tasks))
    new = new[:, 0] if n_tasks == 1 else new

    again = read(tmp_path, n_classes=n_classes, n_tasks=n_tasks)
    assert again.to_json() == uncertainty.to_json()
    assert again.domain is None
    for method in ("calibrated", "labels", "sets"):
        np.testing.assert_array_equal(
            getattr(again, method)(new), getattr(uncertainty, method)(new)
        )


@pytest.mark.parametrize("worth", [None, WORTH])
def test_a_domain_comes_back_with_its_worth_and_what_it_counts(fitted, tmp_path, worth):
    with_worth = replace(fitted, domain=replace(fitted.domain, worth=worth))
    write_uncertainty(tmp_path, with_worth)
    again = read(tmp_path)

    assert again.similarity == "wl"
    assert again.domain.worth == worth
    queries = fitted.domain.references[:30]
    for one, other in zip(
        again.domain.closeness(queries), fitted.domain.closeness(queries), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    assert (again.domain.threshold, again.domain.k) == (fitted.domain.threshold, fitted.domain.k)


def test_fingerprint_counts_keep_a_byte_each(tmp_path):
    counts = np.random.default_rng(0).integers(0, 3, (40, WIDTHS["ecfp"])).astype(np.uint8)
    write_uncertainty(tmp_path, with_domain(drawn(1), counts, "ecfp"))

    again = read(tmp_path)
    assert again.similarity == "ecfp"
    assert again.domain.references.dtype == np.uint8
    assert (again.domain.references != counts).sum() == 0


def test_the_same_model_is_written_in_the_same_bytes(fitted, written, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    write_uncertainty(other, fitted)
    for name in NAMES:
        assert (other / name).read_bytes() == (written / name).read_bytes()


def test_a_bundle_made_before_there_were_such_files_has_none(tmp_path):
    assert read_uncertainty(tmp_path, {"files": {"weights.safetensors": ""}}, n_classes=2) is None


def test_a_file_the_manifest_does_not_list_is_not_read(written):
    (written / "domain.npz").write_bytes(b"not looked at")
    found = read_uncertainty(written, {"files": dict.fromkeys(NAMES[:2], "")}, n_classes=2)

    assert found.domain is None


def test_a_manifest_written_over_the_files_verifies_them(written, fitted):
    write_manifest(written, {})
    manifest = read_manifest(written, needed=NAMES)

    found = read_uncertainty(written, manifest, n_classes=2)
    assert found.to_json() == fitted.to_json()


@pytest.mark.parametrize("missing", NAMES[:2])
def test_one_file_without_the_other_is_named(written, missing):
    listed = {"files": {name: "" for name in NAMES if name != missing}}
    with pytest.raises(BundleError, match=rf"it belongs to {missing}"):
        read_uncertainty(written, listed, n_classes=2)


@pytest.mark.parametrize(("n_classes", "n_tasks"), [(3, 1), (2, 2)])
def test_files_of_another_model_are_refused(written, n_classes, n_tasks):
    with pytest.raises(BundleError, match=r"1 task\(s\) with \[2\] classes, and the model has"):
        read(written, n_classes=n_classes, n_tasks=n_tasks)


@pytest.mark.parametrize("name", NAMES[:2])
@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"tasks": [{}]}', b"null", b"\xff"])
def test_json_that_is_not_what_it_must_be_is_refused_and_names_its_file(written, name, content):
    (written / name).write_bytes(content)
    with pytest.raises(BundleError, match=name):
        read(written)


def test_a_threshold_out_of_range_is_refused(written):
    told = json.loads((written / NAMES[0]).read_text())
    told["tasks"][0]["threshold"]["value"] = 2
    (written / NAMES[0]).write_text(json.dumps(told))

    with pytest.raises(BundleError, match="2 is no number from 0 to 1"):
        read(written)


DAMAGES = [
    (NAMES[0], ("tasks", 0, "calibrator", "kind"), "eval"),
    (NAMES[0], ("tasks", 0, "rows"), 10**9 + 1),
    (NAMES[0], ("settings", "confidence"), 2),
    (NAMES[0], ("settings", "confidence"), "0.9"),
    (NAMES[0], ("tasks",), []),
    (NAMES[0], ("tasks", 0, "threshold", "aim"), "all"),
    (NAMES[1], ("tasks",), []),
    (NAMES[1], ("tasks", 0, "score"), "eval"),
    (NAMES[1], ("tasks", 0, "calibration", 0), None),
    *(
        (NAMES[1], ("tasks", 0, "calibration", 1, 0), value)
        for value in ("0.5", True, None, [0.5], 5, -5, -0.001, 1.001, 10**400, "nan")
    ),
]


@pytest.mark.parametrize(("name", "place", "value"), DAMAGES)
def test_the_one_file_that_is_damaged_is_named(written, name, place, value):
    put(written / name, place, value)
    with pytest.raises(BundleError, match=rf"{name}: it is damaged: .+\. Copy") as caught:
        read(written)
    assert sum(other in str(caught.value) for other in NAMES) == 1


@pytest.mark.parametrize("name", NAMES[:2])
def test_whatever_stands_in_any_place_is_read_or_refused_by_name(written, name):
    told = json.loads((written / name).read_text())
    if name == NAMES[1]:
        told["tasks"][0]["calibration"] = [[0.1, 0.2], [0.3]]
    odd = (None, True, -1, 0.5, 10**400, "x", "", [], [[]], [1, 2], {}, {"a": 1})
    places = list(places_in(told))
    assert len(places) > 7
    for place, value in itertools.product(places, odd):
        (written / name).write_text(json.dumps(told))
        put(written / name, place, value)
        why, found = "", None
        try:
            found = read(written)
        except BundleError as error:
            why = str(error)
        assert (name in why) == (found is None)


@pytest.mark.parametrize(
    ("place", "value"),
    [(("tasks", 0, "calibration"), [[0.1], [0.2], [0.3]]), (("tasks",), 2)],
)
def test_files_that_are_sound_and_do_not_fit_each_other_are_both_named(written, place, value):
    told = json.loads((written / NAMES[1]).read_text())
    put(written / NAMES[1], place, 2 * told["tasks"] if value == 2 else value)
    with pytest.raises(BundleError, match=r"calibration\.json, conformal\.json: they do not fit"):
        read(written)


@pytest.mark.parametrize(
    ("score", "value", "fits"),
    [
        *(("hinge", value, True) for value in (0, 1, 0.0, 1.0, 1e-300)),
        *(("hinge", value, False) for value in (-1e-9, 1 + 1e-9, -1, 2)),
        *(("margin", value, True) for value in (-1, 1, -1.0, 1.0, 0.0)),
        *(("margin", value, False) for value in (-1 - 1e-9, 1 + 1e-9, 2, "1")),
    ],
)
def test_scores_are_those_that_probabilities_can_have(written, score, value, fits):
    put(written / NAMES[1], ("tasks", 0, "score"), score)
    put(written / NAMES[1], ("tasks", 0, "calibration", 0), [value])
    if fits:
        assert read(written).tasks[0].conformal.calibration[0] == [value]
        return
    with pytest.raises(BundleError, match=rf"conformal\.json: .*the {score} score .* no number"):
        read(written)


@pytest.mark.parametrize("score", SCORES)
def test_every_score_has_a_range_that_holds_all_it_gives(score):
    low, high = RANGES[score]
    given = np.random.default_rng(0).dirichlet(np.ones(4) / 9, 500)
    given = np.concatenate([given, np.eye(4)])
    found = SCORES[score](given)

    assert low <= found.min() <= low + 1e-6
    assert high - 1e-6 <= found.max() <= high


def forgeries():
    """Arrays that somebody might put in place of sound ones, each with a change."""
    nothing = np.zeros(0, dtype=np.int64)
    yield from ((name, None) for name in ("indptr", "rows", "k", "similarity", "bins", "worth"))
    yield from (("extra", nothing), ("data", lambda a: a[:-1]), ("indptr", lambda a: a[:-1]))
    yield from (("data", lambda a: -a), ("data", lambda a: a + 0.5), ("data", lambda a: a * 2**30))
    yield from (("indices", lambda a: a + 2048), ("indices", lambda a: -a - 1))
    yield from (("indptr", lambda a: a[::-1].copy()), ("indptr", lambda a: a * 10**6))
    yield from (("shape", lambda a: a * 2), ("shape", np.array([10**15, 2048])))
    yield from (("shape", np.array([188, 10**15])), ("shape", np.int64(3)))
    yield from (("rows", lambda a: a[:-1]), ("rows", lambda a: -a - 1), ("rows", nothing))
    yield from (("threshold", np.float64(np.nan)), ("threshold", np.float64(1.5)))
    yield from (("threshold", np.zeros(2)), ("k", np.int64(0)), ("k", np.int64(10**6)))
    yield from (("measure", np.int64(-1)), ("measure", np.int64(7)), ("similarity", np.int64(9)))
    yield from (("similarity", np.int64(0)),) if WIDTHS["ecfp"] != WIDTHS["wl"] else ()
    yield from (("worth", np.array([[5, 3], [1, 2]])), ("worth", np.array([3, 4])))
    yield from (("worth", np.array([[-1, 3], [1, 2]])), ("worth", np.zeros((2, 2))))
    yield from (("bins", lambda a: a * np.nan), ("bins", lambda a: a[:-1]))
    whole = ("indptr", "indices", "data", "shape", "rows", "k", "measure", "similarity", "worth")
    yield from ((name, lambda a: a.astype(np.float64)) for name in whole)
    yield from (("worth", lambda a: a * 10**8), ("worth", lambda a: a[:, ::-1] + [1, 0]))
    yield from (("worth", lambda a: a - 5), ("worth", lambda a: a[:-1]), ("worth", lambda a: a.T))
    yield from (("worth", lambda a: np.where(a == 90, 2**63 + 5, a).astype(np.uint64)),)
    yield from (("bins", lambda a: a + 0.1), ("bins", lambda a: a - 0.2), ("bins", lambda a: -a))
    yield from (("bins", lambda a: a[:, ::-1]), ("bins", lambda a: a[::-1]))
    yield from (("bins", lambda a: a.reshape(-1)), ("bins", lambda a: a + np.array([0, np.inf])))
    yield from (("rows", lambda a: a.astype(np.uint64) + np.uint64(2**63)),)
    yield from (("rows", np.array(["a"] * 188)), ("rows", np.array([None], dtype=object)))


@pytest.mark.parametrize(("name", "change"), list(forgeries()))
def test_arrays_that_are_no_domain_are_refused_and_never_asked(written, name, change):
    with np.load(written / "domain.npz") as loaded:
        arrays = dict(loaded)
    if change is None:
        del arrays[name]
    else:
        arrays[name] = change(arrays[name]) if callable(change) else change
    np.savez(written / "domain.npz", **arrays)

    with pytest.raises(BundleError, match=r"domain\.npz: it holds no domain: .+\. Copy"):
        read(written)


@pytest.mark.parametrize("name", ["k", "measure", "similarity", "threshold"])
def test_a_list_where_there_is_to_be_one_number_is_refused(written, name):
    with np.load(written / "domain.npz") as loaded:
        arrays = dict(loaded)
    np.savez(written / "domain.npz", **arrays | {name: arrays[name][None]})

    with pytest.raises(BundleError, match=rf"{name}\.npy is \w+ \(1,\)"):
        read(written)


def test_an_array_that_promises_more_than_its_bytes_hold_is_not_made_room_for(written):
    promise = b"{'descr': '<i8', 'fortran_order': False, 'shape': (100000000000000,), }"
    header = promise + b" " * (118 - len(promise) - 1) + b"\n"
    with np.load(written / "domain.npz") as loaded:
        arrays = {name: value for name, value in loaded.items() if name != "rows"}
    np.savez(written / "domain.npz", **arrays)
    with zipfile.ZipFile(written / "domain.npz", "a") as members:
        members.writestr("rows.npy", b"\x93NUMPY\x01\x00" + b"\x76\x00" + header + b"\0" * 64)

    with pytest.raises(BundleError, match=r"rows\.npy is int64 \(100000000000000,\) in \d+ bytes"):
        read(written)


def test_arrays_that_unpack_to_more_than_is_allowed_are_not_unpacked(written, monkeypatch):
    monkeypatch.setattr(uncertainty_files, "LARGEST", 1000)
    with pytest.raises(BundleError, match=r"take \d+ bytes, at most 1000"):
        read(written)


def test_more_rows_than_are_allowed_are_refused_however_few_bytes_they_take(written):
    with np.load(written / "domain.npz") as loaded:
        arrays = dict(loaded)
    arrays["shape"] = np.array([MOST_ROWS + 1, WIDTHS["wl"]])
    arrays["indptr"], arrays["rows"] = (
        np.zeros(MOST_ROWS + more, dtype=np.uint8) for more in (2, 1)
    )
    arrays["indices"] = arrays["data"] = np.zeros(0, dtype=np.int32)
    np.savez_compressed(written / "domain.npz", **arrays)

    assert (written / "domain.npz").stat().st_size < 100_000
    with pytest.raises(BundleError, match=r"rows of shape \[5000001, 2048\], .* m up to 5000000"):
        read(written)


def test_arrays_of_more_than_256_mib_are_not_unpacked(written):
    with np.load(written / "domain.npz") as loaded:
        arrays = {name: value for name, value in loaded.items() if name != "rows"}
    np.savez(written / "domain.npz", **arrays)
    with (
        zipfile.ZipFile(
            written / "domain.npz", "a", zipfile.ZIP_DEFLATED, compresslevel=1
        ) as members,
        members.open("rows.npy", "w") as member,
    ):
        for _ in range(256):
            member.write(bytes(1024 * 1024))

    with pytest.raises(BundleError, match=r"take 268\d+ bytes, at most 268435456"):
        read(written)


def test_a_domain_that_a_run_may_draw_is_one_that_a_bundle_may_hold():
    headers = 20 * 200
    assert uncertainty_domain.LARGEST + headers < uncertainty_files.LARGEST


def test_a_name_that_is_there_twice_is_refused(written):
    with zipfile.ZipFile(written / "domain.npz") as members:
        again = members.read("k.npy")
    with (
        pytest.warns(UserWarning, match="Duplicate name"),
        zipfile.ZipFile(written / "domain.npz", "a") as members,
    ):
        members.writestr("k.npy", again)
    with pytest.raises(BundleError, match="its arrays are"):
        read(written)


@pytest.mark.parametrize("share_kept", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_short_is_refused(written, share_kept):
    whole = (written / "domain.npz").read_bytes()
    (written / "domain.npz").write_bytes(whole[: int(share_kept * len(whole))])
    with pytest.raises(BundleError, match=r"domain\.npz"):
        read(written)


@pytest.mark.parametrize("seed", range(40))
def test_changed_bytes_are_refused_or_change_nothing_that_cannot_be_asked(written, fitted, seed):
    rng = np.random.default_rng(seed)
    content = bytearray((written / "domain.npz").read_bytes())
    for place in rng.integers(0, len(content), 3):
        content[place] ^= int(rng.integers(1, 256))
    (written / "domain.npz").write_bytes(bytes(content))

    try:
        found = read(written)
    except BundleError:
        return
    near = found.domain.closeness(fitted.domain.references[:5])
    assert ((near.similarity >= 0) & (near.similarity <= 1)).all()


def places_in(told, path=()):
    """Path of every part of nested JSON."""
    for key, value in told.items() if isinstance(told, dict) else enumerate(told):
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places_in(value, (*path, key))


def put(path, place, value):
    """Write a value into the JSON of a file."""
    told = json.loads(path.read_text())
    target = told
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    path.write_text(json.dumps(told))


def read(folder, *, n_classes=2, n_tasks=1):
    listed = {name: "" for name in NAMES if (folder / name).exists()}
    return read_uncertainty(folder, {"files": listed}, n_classes=n_classes, n_tasks=n_tasks)


def drawn(n_tasks, n_classes=2):
    """Fitted on rows drawn at random, with a threshold where there can be one."""
    rng = np.random.default_rng(n_tasks)
    given = rng.dirichlet(np.ones(n_classes), (150, n_tasks))
    truth = (rng.random((150, n_tasks, 1)) > given.cumsum(2)).sum(2).clip(0, n_classes - 1)
    aim = "recall>=0.8" if n_classes == 2 else "accuracy"
    settings = UncertaintySettings(calibration="platt", threshold=aim)
    one = n_tasks == 1
    return fit_uncertainty(
        given[:, 0] if one else given,
        truth[:, 0] if one else truth,
        settings=settings,
        n_classes=n_classes,
        fitted_on="rows drawn at random",
    )


def with_domain(uncertainty, counts, similarity):
    domain = fit_domain(counts, rows=7 * np.arange(counts.shape[0])).with_worth(WORTH)
    return replace(uncertainty, domain=domain, similarity=similarity)
