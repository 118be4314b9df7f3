"""Every epoch is written once, at once, and in TensorBoard's files as in the table."""

import builtins
import math

import numpy as np
import pandas as pd
import pytest

from kekule._errors import KekuleError, OutputError
from kekule.evaluation import FINAL, NETWORK, FoldResult, FoldTask, Progress
from kekule.models import EpochReport
from kekule.workflow.curve_tables import completed, curves_table, parameters_table, read_history
from kekule.workflow.event_files import TAGS
from kekule.workflow.metric_streams import Epoch, MetricStream, read_epochs

FIRST, LAST = FoldTask(NETWORK, 0, 0), FoldTask(NETWORK, 3, FINAL)


def word(task, epoch, loss=0.5, *, last=False):
    told = EpochReport(epoch, loss, 0.1 + loss, last, 0.8, 2e-3 / (epoch + 1), 0.3, 0.01, 0)
    return Progress(task, told)


def stream(folder, **options):
    return MetricStream(folder, network="gin", **options)


def places(folder):
    return [(e.seed, e.fold, e.epoch) for e in read_epochs(folder / "curves.csv")]


def events_of(folder):
    """Scalars of a run, as TensorBoard's own reader finds them: tag to steps and values."""
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = reader.EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    return {
        tag: ([e.step for e in found.Scalars(tag)], [e.value for e in found.Scalars(tag)])
        for tag in found.Tags()["scalars"]
    }


def test_an_epoch_can_be_read_before_the_next_one_begins(tmp_path):
    with stream(tmp_path) as writing:
        for epoch in range(3):
            writing.on_progress(word(FIRST, epoch))
            lines = (tmp_path / "curves.csv").read_text().splitlines()
            assert len(lines) == epoch + 2
            assert lines[-1].startswith(f"gin,0,1,{epoch + 1},0.5,0.6,0.8,")


def test_the_numbers_read_back_are_those_told_to_the_last_bit(tmp_path):
    loss = 1 / 3
    with stream(tmp_path) as writing:
        writing.on_progress(word(LAST, 6, loss))
    (epoch,) = read_epochs(tmp_path / "curves.csv")
    assert epoch == ("gin", 3, 0, 7, loss, 0.1 + loss, 0.8, 2e-3 / 7, 0.3, 0.01)


@pytest.mark.parametrize("begins_at", [0, 2, 4])
def test_a_fold_that_goes_on_after_a_kill_has_no_epoch_twice(tmp_path, begins_at):
    with stream(tmp_path) as writing:
        for epoch in range(4):
            writing.on_progress(word(FIRST, epoch, 0.9))
            writing.on_progress(word(LAST, epoch, 0.9))
    with (tmp_path / "curves.csv").open("a") as file:
        file.write("gin,0,1,5,0.3")  # the line it was killed in

    with stream(tmp_path) as writing:
        for epoch in range(begins_at, 6):
            writing.on_progress(word(FIRST, epoch, 0.2))
    found = read_epochs(tmp_path / "curves.csv")
    losses = {e.epoch: e.train_loss for e in found if e.fold == 1}

    assert sorted(places(tmp_path)) == sorted(
        [(0, 1, e) for e in range(1, 7)] + [(3, 0, e) for e in range(1, 5)]
    )
    assert losses == {e + 1: 0.2 if e >= begins_at else 0.9 for e in range(6)}
    assert len((tmp_path / "curves.csv").read_text().splitlines()) == 11


def test_who_follows_the_file_goes_on_following_when_a_fold_begins_again(tmp_path):
    with stream(tmp_path) as writing:
        writing.on_progress(word(FIRST, 0))
        before = (tmp_path / "curves.csv").stat().st_ino
        writing.on_progress(word(FIRST, 0))
        assert (tmp_path / "curves.csv").stat().st_ino == before


@pytest.mark.parametrize("text", ["", "\0\0\0", "a,b\n1,2\n", "model,seed\n", '"\n"\n', "x" * 9])
def test_a_damaged_stream_is_begun_anew(tmp_path, text):
    (tmp_path / "curves.csv").write_text(text)
    with stream(tmp_path) as writing:
        writing.on_progress(word(FIRST, 0))
    assert places(tmp_path) == [(0, 1, 1)]


def test_a_disk_that_takes_no_more_ends_the_stream_and_not_the_training(tmp_path, caplog):
    class Full:
        def write(self, text):
            raise OSError(28, "No space left on device")

        def close(self):
            pass

    with stream(tmp_path) as writing:
        writing.file.close()
        writing.file = Full()
        for epoch in range(3):
            writing.on_progress(word(FIRST, epoch))
    assert caplog.text.count("No space left on device") == 1


def test_tensorboard_reads_the_numbers_of_the_table_also_after_a_resume(tmp_path):
    with stream(tmp_path, tensorboard=True) as writing:
        for epoch in range(5):
            writing.on_progress(word(FIRST, epoch, 0.9))
    with stream(tmp_path, tensorboard=True) as writing:
        for epoch in range(3, 8):
            writing.on_progress(word(FIRST, epoch, 0.5 / (epoch + 1), last=epoch == 7))
        writing.on_progress(word(LAST, 0))
    found = read_epochs(tmp_path / "curves.csv")

    for name, fold in (("seed0-fold1", 1), ("seed3-final", 0)):
        (file,) = (tmp_path / "tensorboard" / name).iterdir()
        assert file.name.startswith("events.out.tfevents.")
        read = events_of(file.parent)
        own = [epoch for epoch in found if epoch.fold == fold]
        assert read.keys() == TAGS.keys()
        for tag, column in TAGS.items():
            steps, values = read[tag]
            assert steps == [epoch.epoch for epoch in own]
            np.testing.assert_array_equal(
                np.float32(values), np.float32([getattr(epoch, column) for epoch in own])
            )


def test_words_that_were_lost_are_made_good_from_the_results(tmp_path, fold_result):
    results = {FIRST: fold_result(1), FoldTask("majority", 0, 0): fold_result(2)}
    with stream(tmp_path, tensorboard=True) as writing:
        writing.on_progress(word(FIRST, 0))
        whole = completed(results, "gin", writing.heard)
        writing.complete(whole)
    table = curves_table(whole, results)

    np.testing.assert_array_equal(table["train_loss"], results[FIRST].train_loss)
    assert table["epoch"].tolist() == [1, 2, 3]
    assert np.flatnonzero(table["chosen"]).tolist() == [results[FIRST].best_epoch]
    assert table["score"].isna().tolist() == [False, True, True]
    steps, values = events_of(tmp_path / "tensorboard" / "seed0-fold1")["loss/train"]
    assert steps == [1, 2, 3]
    np.testing.assert_array_equal(np.float32(values), np.float32(results[FIRST].train_loss))


def test_a_run_without_tensorboard_leaves_no_event_files(quick_train, tmp_path):
    assert not (quick_train(out=tmp_path / "run").path / "tensorboard").exists()


def test_every_epoch_of_a_run_is_in_its_table_once(quick_train, tmp_path):
    pytest.importorskip("tensorboard")
    run = quick_train("train.tensorboard=true", out=tmp_path / "run")
    table = pd.read_csv(run.path / "curves.csv")

    assert list(table.columns) == [*Epoch._fields, "chosen"]
    assert len(table) == 3 * 5
    assert not table.duplicated(["seed", "fold", "epoch"]).any()
    assert table.groupby(["seed", "fold"])["chosen"].sum().eq(1).all()
    assert not table.isna().any().any()
    assert len(list((run.path / "tensorboard").iterdir())) == 5
    for (seed, fold), part in table.groupby(["seed", "fold"]):
        name = f"seed{seed}-fold{fold}" if fold else f"seed{seed}-final"
        values = events_of(run.path / "tensorboard" / name)["score/validation"][1]
        np.testing.assert_array_equal(np.float32(values), np.float32(part["score"]))


def test_without_tensorboard_the_error_names_its_cure_before_data_are_read(
    quick_train, monkeypatch
):
    real = builtins.__import__
    monkeypatch.setattr(
        "kekule.workflow.event_files.import_module",
        lambda name: real("no_such_package_of_ours") if "tensorboard" in name else real(name),
    )
    with pytest.raises(KekuleError, match=r"pip install 'kekule\[track\]'") as caught:
        quick_train("train.tensorboard=true", data="no/such/place")
    assert "\n" not in str(caught.value)


def test_sizes_of_parameters_are_read_back_as_they_were(tmp_path):
    rng = np.random.default_rng(0)
    none, sizes = np.zeros(0), [rng.random((4, 3)).astype("f4") for _ in range(2)]
    result = FoldResult(none, none, none, parameter_rms=sizes[0], gradient_rms=sizes[1])
    path = tmp_path / "parameters.csv"
    names = ["a.weight", "NA", "b,\n"]
    parameters_table(result, names).to_csv(path, index=False)
    history = read_history(path)

    assert history.names == tuple(names)
    np.testing.assert_array_equal(history.values.astype("f4"), sizes[0])
    np.testing.assert_array_equal(history.gradients.astype("f4"), sizes[1])


@pytest.mark.parametrize("result", [None, FoldResult(*[np.zeros(0)] * 3)])
def test_a_run_that_kept_no_sizes_has_an_empty_table(tmp_path, result):
    path = tmp_path / "parameters.csv"
    parameters_table(result, ["a", "b"]).to_csv(path, index=False)
    assert read_history(path) is None
    assert read_history(tmp_path / "missing.csv") is None


@pytest.mark.parametrize(
    "text",
    ["", "a,b\n1,2\n", "epoch,parameter,value_rms,gradient_rms\n1,a,x,1\n",
     "epoch,parameter,value_rms,gradient_rms\n1,a,1,1\n1,b,1,1\n2,a,1,1\n"],
)  # fmt: skip
def test_a_damaged_table_of_sizes_is_an_error_that_names_it(tmp_path, text):
    (tmp_path / "parameters.csv").write_text(text)
    with pytest.raises(OutputError, match=r"parameters\.csv"):
        read_history(tmp_path / "parameters.csv")


def test_a_number_that_is_none_stands_empty_in_the_table(tmp_path):
    told = Progress(FIRST, EpochReport(0, 0.5, 0.6, True))
    with stream(tmp_path) as writing:
        writing.on_progress(told)
    assert (tmp_path / "curves.csv").read_text().splitlines()[1] == "gin,0,1,1,0.5,0.6,,,,"
    assert math.isnan(read_epochs(tmp_path / "curves.csv")[0].seconds)


def test_a_watched_run_keeps_the_profiles_of_its_final_model_and_first_fold(quick_train, tmp_path):
    run = quick_train("train.profile=true", "train.epochs=12", out=tmp_path / "run")
    pages = {path.name: path.read_text() for path in (run.path / "profile").glob("*.md")}

    assert pages.keys() == {"final.md", "seed0-fold1.md"}
    for page in pages.values():
        assert "| forward | 0." in page
        assert "12 steps" in page
    assert (run.path / "profile" / "final.trace.json.gz").exists()
