"""A bundle is what was saved, whole, or it does not open."""

import json
import os
import pickletools
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from kekule import load
from kekule._errors import BundleError
from kekule.data import POLICIES
from kekule.features import MOLECULE_SCHEMA, molecule_graphs, pack, seen_codes
from kekule.models import NETWORKS, build_network, probabilities, weights_of
from kekule.registry import BundleContent, Predictor, open_bundle, save_bundle
from kekule.registry.manifest import _own_sum, json_bytes, read_manifest

FILES = ("bundle.json", "example.json", "recipe.yaml", "scores.json", "weights.safetensors")
SOURCE = Path(__file__).parents[3] / "src" / "kekule"


@pytest.mark.parametrize("network", NETWORKS)
def test_a_bundle_gives_the_probabilities_of_the_network_that_was_saved(
    mutag, content_of, tmp_path, network
):
    content = content_of(mutag, network=network)
    save_bundle(tmp_path / "bundle", content)
    opened = open_bundle(tmp_path / "bundle")

    assert opened.schema == content.schema
    assert opened.classes == content.classes
    for name, values in weights_of(opened.network).items():
        np.testing.assert_array_equal(values, content.weights[name])
    packed = pack(mutag, opened.schema)
    again = open_bundle(tmp_path / "bundle")
    np.testing.assert_array_equal(
        probabilities(opened.network, packed), probabilities(again.network, packed)
    )


def test_a_bundle_holds_the_files_of_its_format_and_states_what_it_is(saved, content_of, mutag):
    manifest = json.loads((saved / "bundle.json").read_text(encoding="utf-8"))

    assert sorted(path.name for path in saved.iterdir()) == sorted(FILES)
    assert manifest["format"] == 4
    assert manifest["input"] == "smiles"
    assert manifest["task"] == "binary"
    assert manifest["classes"] == ["-1", "1"]
    assert manifest["tasks"] == []
    assert manifest["schema_sha256"] == content_of(mutag).schema.sha256
    assert sorted(manifest["files"]) == sorted(set(FILES) - {"bundle.json"})
    assert {"python", "torch", "rdkit", "kekule"} <= manifest["versions"].keys()


def test_who_may_read_the_folder_may_read_every_file_of_the_bundle(saved):
    modes = {path.name: path.stat().st_mode & 0o777 for path in saved.iterdir()}
    assert len(set(modes.values())) == 1, modes


def test_a_run_folder_stands_for_the_bundle_in_it(saved, tmp_path):
    shutil.copytree(saved, tmp_path / "a run, été" / "bundle")
    assert load(tmp_path / "a run, été").manifest == load(saved).manifest
    assert load(f"{tmp_path}/a run, été/").classes == ("-1", "1")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("where", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_a_changed_byte_is_an_error_that_names_the_file(copied, name, where):
    path = copied / name
    raw = bytearray(path.read_bytes())
    raw[int(where * (len(raw) - 1))] ^= 0x01
    path.write_bytes(raw)
    with pytest.raises(BundleError, match=re.escape(str(path))):
        open_bundle(copied)


def test_no_change_of_one_byte_of_the_manifest_goes_unnoticed(copied):
    path = copied / "bundle.json"
    raw = path.read_bytes()
    for at in range(0, len(raw), 3):
        byte, blank = raw[at], chr(raw[at]).isspace()
        for other in {*b"\r \t\n"} - {byte} if blank else {byte ^ 0x20}:
            path.write_bytes(raw[:at] + bytes([other]) + raw[at + 1 :])
            with pytest.raises(BundleError, match=r"bundle\.json"):
                read_manifest(copied, needed=())


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_an_error_that_names_it(copied, name):
    (copied / name).unlink()
    with pytest.raises(BundleError, match=re.escape(name)):
        open_bundle(copied)


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_short_is_an_error_that_names_it(copied, name):
    os.truncate(copied / name, (copied / name).stat().st_size // 2)
    with pytest.raises(BundleError, match=re.escape(name)):
        open_bundle(copied)


@pytest.mark.parametrize("name", sorted(set(FILES) - {"bundle.json"}))
def test_a_link_in_the_place_of_a_file_is_refused(copied, tmp_path, name):
    shutil.move(copied / name, tmp_path / "elsewhere")
    (copied / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match=rf"{re.escape(name)}.*not there as a file"):
        open_bundle(copied)


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "a/../../b", "..", "", ".hidden"])
def test_no_name_in_the_manifest_leads_out_of_the_folder(forge, tmp_path, name):
    (tmp_path / "outside").write_text("secret")
    folder = forge(files={name: "0" * 64, "weights.safetensors": "0", "example.json": "0"})
    with pytest.raises(BundleError, match="not a plain file name"):
        open_bundle(folder)


@pytest.mark.parametrize("name", ["weights.safetensors", "example.json"])
def test_a_file_that_is_read_must_be_on_the_list(forge, copied, name):
    files = json.loads((copied / "bundle.json").read_text())["files"]
    del files[name]
    with pytest.raises(BundleError, match=rf"bundle\.json: it does not list {re.escape(name)}"):
        open_bundle(forge(files=files))


@pytest.mark.parametrize(
    ("version", "why"),
    [(5, "Install a newer kekule"), *((v, "no format") for v in (0, -1, True, "1", 1.5, [1]))],
)
def test_another_format_is_refused_before_anything_is_read(forge, version, why):
    with pytest.raises(BundleError, match=rf"bundle\.json.*{why}"):
        open_bundle(forge(format=version))


@pytest.mark.parametrize(
    "changes",
    [
        {"classes": None},
        {"classes": ["-1", "0", "1"]},
        {"classes": []},
        {"classes": 2},
        {"schema": None},
        {"schema": []},
        {"schema": {"nodes": "no"}},
        {"model": None},
        {"model": []},
        {"model": {"name": "resnet"}},
        {"model": {"name": "gin", "hidden": "many"}},
        {"model": {"name": "gin", "hidden": 8, "layers": 2, "dropout": 7}},
        {"model": {"name": "gcn", "hidden": 8, "layers": 2}},
        {"files": None},
        {"files": []},
        {"files": {"weights.safetensors": 5, "example.json": 5}},
    ],
    ids=str,
)
def test_a_manifest_signed_again_must_still_fit_what_is_there(forge, copied, changes):
    with pytest.raises(BundleError) as caught:
        open_bundle(forge(**changes))
    assert str(copied) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "network",
    [
        {"name": "gin", "hidden": 4096, "layers": 64, "dropout": 0.5},
        {"name": "gcn", "hidden": 4096, "layers": 64, "dropout": 0.5},
    ],
    ids=["gin", "gcn"],
)
def test_a_claim_of_gigabytes_is_refused_before_room_is_made_for_them(forge, monkeypatch, network):
    def never(*_, **__):
        raise AssertionError("room was made")

    monkeypatch.setattr("kekule.models.shipped.build_network", never)
    with pytest.raises(BundleError, match=r"weights\.safetensors: array .* not \(4096|None, not"):
        open_bundle(forge(model=network))


def test_a_schema_that_claims_wide_attributes_is_refused(forge, copied):
    schema = json.loads((copied / "bundle.json").read_text())["schema"]
    for width in (10**6, 10**12, 10**30, -1):
        with pytest.raises(BundleError, match="do not fit each other"):
            open_bundle(forge(schema=schema | {"n_node_attributes": width}))


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda w: {k: v for k, v in w.items() if k != "head.bias"}, "head.bias.*None, not"),
        (lambda w: w | {"trojan": np.zeros(3, np.float32)}, "trojan.*not None"),
        (lambda w: {k: np.tile(v, 2) if v.ndim else v for k, v in w.items()}, "not"),
        (lambda w: {k: v * np.float32(np.nan) for k, v in w.items()}, "no numbers"),
        (lambda w: w | {"head.bias": np.full_like(w["head.bias"], np.inf)}, "no numbers"),
    ],
    ids=["one missing", "one more", "twice as wide", "all NaN", "one infinite"],
)
def test_weights_that_are_not_the_networks_are_refused(forge, copied, damage, why):
    path = copied / "weights.safetensors"
    save_file({k: np.array(v, order="C") for k, v in damage(load_file(path)).items()}, path)
    with pytest.raises(BundleError, match=f"weights.safetensors.*{why}"):
        open_bundle(forge())


@pytest.mark.parametrize(
    "raw",
    [b"", b"\x00" * 7, b"\xff" * 64, b"\x80\x04\x95pickle?", (2**62).to_bytes(8, "little") + b"{}"]
    + [len(h).to_bytes(8, "little") + h for h in (b"[]", b"{" * 5000, b'{"a":{"dtype":"F32"}}')]
    + [
        len(h).to_bytes(8, "little") + h
        for h in (
            b'{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}',
        )
    ],
    ids=["empty", "short", "ones", "pickle", "huge", "list", "deep", "no shape", "terabytes"],
)
def test_weights_that_are_no_safetensors_are_refused(forge, copied, raw):
    (copied / "weights.safetensors").write_bytes(raw)
    with pytest.raises(BundleError, match="do not fit each other"):
        open_bundle(forge())


def test_a_bundle_whose_answers_moved_is_refused(forge, copied):
    path = copied / "example.json"
    example = json.loads(path.read_text())
    example["probabilities"][0] = [
        p + d for p, d in zip(example["probabilities"][0], (2e-4, -2e-4), strict=True)
    ]
    path.write_text(json.dumps(example))
    with pytest.raises(
        BundleError, match=r"example\.json: replayed, a probability moved by 0\.0002"
    ):
        open_bundle(forge())


def test_an_answer_may_move_as_far_as_another_processor_moves_it(forge, copied):
    path = copied / "example.json"
    example = json.loads(path.read_text())
    example["probabilities"][0][0] += 1e-5
    path.write_text(json.dumps(example))
    assert open_bundle(forge()).classes == ("-1", "1")


@pytest.mark.parametrize(
    "change",
    [
        {"probabilities": []},
        {"probabilities": [[float("nan"), float("nan")]] * 3},
        {"probabilities": [[0.5]] * 3},
        {"probabilities": "0.5"},
        {
            "node_pointer": {"shape": [1], "values": [0]},
            "edge_pointer": {"shape": [1], "values": [0]},
        },
        {"node_pointer": {"shape": [2], "values": [0, 10**12]}},
        {"node_pointer": {"shape": [4], "values": [0, 10**15, 10**16, 10**17]}},
        {"edge_pointer": {"shape": [4], "values": [0, 5, 3, 9]}},
        {"node_pointer": {"shape": [4], "values": [0, 10**30, 2, 3]}},
        {"node_pointer": {"shape": [2, 2], "values": [0, 1, 2, 3]}},
        {"node_pointer": {"shape": [10**9, 10**9], "values": [0]}},
        {"node_labels": {"shape": [1, 1], "values": [0]}},
        {"node_labels": {"shape": "tall", "values": [0]}},
        {"node_labels": None},
        {"edge_index": {"shape": [0], "values": []}},
        {"node_columns": ["colour"]},
        {"node_columns": 7},
    ],
    ids=lambda change: ", ".join(f"{k} {str(v)[:50]}" for k, v in change.items()),
)
def test_an_example_that_cannot_be_replayed_is_an_error_that_names_it(forge, copied, change):
    path = copied / "example.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(BundleError, match=r"example\.json"):
        open_bundle(forge())


@pytest.mark.parametrize("end", [-1, 10**6])
def test_an_edge_of_the_example_never_leads_out_of_its_graph(forge, copied, end):
    path = copied / "example.json"
    example = json.loads(path.read_text())
    example["edge_index"]["values"][0] = end
    path.write_text(json.dumps(example))
    with pytest.raises(BundleError, match=r"example\.json.*edge_index leaves its graph"):
        open_bundle(forge())


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"{", b"null", b"[]", b'"bundle"', b"\xff\xfe", b"1" * 10_000),
        *(b'{"format": 1}', b'{"format": 1, "files": {}}', b'{"format": NaN}'),
        *(b"[" * 200_000, b'{"a":' * 100_000, b'{"x": ' + b"[" * 985 + b"]" * 985 + b"}"),
    ],
    ids=lambda raw: raw[:20].decode("latin-1") or "empty",
)
def test_a_manifest_that_is_no_manifest_is_one_line_naming_it(copied, raw):
    (copied / "bundle.json").write_bytes(raw)
    with pytest.raises(BundleError, match=r"bundle\.json") as caught:
        open_bundle(copied)
    assert "\n" not in str(caught.value)


def test_a_bomb_of_json_is_not_even_read(copied, monkeypatch):
    monkeypatch.setattr("kekule.registry.manifest.LARGEST_JSON", 1000)
    with pytest.raises(BundleError, match=r"bundle\.json: it is larger"):
        open_bundle(copied)


def test_what_is_no_folder_or_no_bundle_says_what_to_give(tmp_path, saved):
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "nowhere", tmp_path / "empty", saved / "recipe.yaml"):
        with pytest.raises(BundleError, match="Give a bundle or a run folder") as caught:
            load(path)
        assert str(path) in str(caught.value)


def test_a_bundle_is_not_written_over_another(saved, content_of, mutag):
    before = (saved / "bundle.json").read_bytes()
    with pytest.raises(FileExistsError):
        save_bundle(saved, content_of(mutag))
    assert (saved / "bundle.json").read_bytes() == before


def test_names_no_text_can_hold_are_kept_all_the_same(content_of, mutag, tmp_path):
    classes = ("a,b\n<b>bold</b>", "Übergröße \udcff")
    save_bundle(tmp_path / "bundle", content_of(mutag, classes=classes, name='"; rm -rf \udcff'))
    assert open_bundle(tmp_path / "bundle").classes == classes


def test_graphs_that_are_no_molecules_make_a_bundle_that_says_so(content_of, mutag, tmp_path):
    bare = replace(mutag, alphabet=None)
    save_bundle(tmp_path / "bundle", content_of(bare))
    assert Predictor(open_bundle(tmp_path / "bundle")).manifest["input"] == "graph"


def test_nothing_in_a_bundle_is_a_pickle(saved):
    for path in saved.iterdir():
        assert path.suffix in {".json", ".yaml", ".safetensors"}
        raw = path.read_bytes()
        assert raw[:2] not in {b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK"}
        with pytest.raises(ValueError, match=r"."):
            list(pickletools.genops(raw))


def test_no_line_of_the_package_reads_a_pickle_or_runs_text():
    forbidden = re.compile(
        r"\b(import|from) (pickle|joblib|dill|shelve|marshal)\b|torch\.load\b|read_pickle"
        r"|allow_pickle=True|shell=True|\beval\(|\bexec\(|os\.system|yaml\.(unsafe|full)_load"
    )
    found = [
        f"{path.relative_to(SOURCE)}: {line.strip()}"
        for path in SOURCE.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if forbidden.search(re.sub(r"\.eval\(\)", "", line))
    ]
    assert not found


@pytest.mark.parametrize(
    "lacking",
    [
        {"format": 3},
        {"format": 2, "tasks": None},
        {"format": 1, "tasks": None, "policy": None, "seen": None},
    ],
)
def test_a_bundle_of_an_older_format_opens_and_answers_as_before(forge, saved, mutag, lacking):
    network = json.loads((saved / "bundle.json").read_text(encoding="utf-8"))["model"]
    lacking = {**lacking, "model": None, "fingerprints": None}
    older = forge(**lacking, network=network)
    manifest = json.loads((older / "bundle.json").read_text(encoding="utf-8"))
    answers = [
        probabilities(opened.network, pack(mutag, opened.schema))
        for opened in (open_bundle(older), open_bundle(saved))
    ]

    assert manifest["format"] == lacking["format"]
    assert not ({*lacking} - {"format"}) & manifest.keys()
    np.testing.assert_array_equal(*answers)


@pytest.fixture(scope="module")
def table_bundle(tmp_path_factory):
    """A bundle of a table's model, nobody having trained it."""
    graphs = molecule_graphs(["CCO", "CCN", "c1ccccc1"]).graphs
    settings = NETWORKS["gcn"].Settings(hidden=4, layers=1)
    network = build_network(MOLECULE_SCHEMA, 2, settings, seed=1)
    folder = tmp_path_factory.mktemp("table") / "bundle"
    content = BundleContent(
        name="untrained",
        classes=("no", "yes"),
        schema=MOLECULE_SCHEMA,
        model_settings=settings.model_dump(mode="json"),
        weights=weights_of(network),
        recipe_yaml="data: {source: a.csv}\n",
        recipe_sha256="a" * 64,
        data_sha256="b" * 64,
        scores={"verdict": "nobody trained it"},
        examples=("CCO", "[Na+].[O-]c1ccccc1"),
        created="1865-01-27T12:00:00+00:00",
        policy=POLICIES["parent"],
        seen=seen_codes(graphs),
    )
    save_bundle(folder, content)
    return folder


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seen": None}, "do not fit"),
        ({"seen": {}}, "do not fit"),
        ({"policy": None}, "policy"),
        ({"policy": {"name": "parent", "tautomer": "yes"}}, "policy"),
        ({"policy": POLICIES["as-given"].model_dump(mode="json")}, "moved"),
        ({"classes": ["no", "no"]}, "twice"),
    ],
)
def test_a_table_s_bundle_is_refused_without_what_its_answers_hang_on(
    table_bundle, tmp_path, changes, words
):
    folder = shutil.copytree(table_bundle, tmp_path / "bundle")
    path = folder / "bundle.json"
    manifest = json.loads(path.read_text()) | changes
    manifest["sha256"] = _own_sum(manifest)
    path.write_bytes(json_bytes(manifest))

    assert open_bundle(table_bundle).policy == POLICIES["parent"]
    with pytest.raises(BundleError, match=words) as caught:
        open_bundle(folder)
    assert "\n" not in str(caught.value)
