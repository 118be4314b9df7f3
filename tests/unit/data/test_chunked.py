"""Chunks come out as they went in, whoever worked on them, and never too many at a time."""

import os
from functools import partial

import pytest

from kekule.data.chunked import (
    AHEAD,
    Beside,
    LostWorkerError,
    called,
    chunks_of,
    imported,
    map_chunks,
    shared_out,
)


def doubled(chunk):
    return [2 * item for item in chunk]


def died(chunk):
    if 7 in chunk:
        os._exit(3)
    return chunk


def failed(chunk):
    raise ValueError(f"{chunk[0]} cannot be doubled")


@pytest.mark.parametrize("processes", [1, 2])
def test_results_are_those_of_the_chunks_in_order(processes):
    found = list(map_chunks(doubled, chunks_of(range(25), 3), processes=processes))

    assert found == [doubled(chunk) for chunk in chunks_of(range(25), 3)]
    assert [len(chunk) for chunk in found] == [3] * 8 + [1]


def test_a_stream_is_read_no_faster_than_its_results_are_taken():
    read = []
    stream = chunks_of((read.append(item) or item for item in range(1000)), 1)
    results = map_chunks(doubled, stream, processes=2)
    for _ in range(5):
        next(results)
    results.close()

    assert len(read) <= 5 + 2 * AHEAD + 1


def test_a_worker_that_dies_is_named_by_its_part_with_what_to_do():
    with pytest.raises(LostWorkerError, match=r"part 3 died.*fewer processes"):
        list(map_chunks(died, chunks_of(range(12), 3), processes=2))


def died_once(folder, chunk):
    if 7 in chunk and not (folder / "died").exists():
        (folder / "died").touch()
        os._exit(3)
    return [2 * item for item in chunk]


def test_a_death_that_does_not_come_again_costs_no_result(tmp_path):
    found = map_chunks(partial(died_once, tmp_path), chunks_of(range(40), 3), processes=2)

    assert [item for part in found for item in part] == [2 * item for item in range(40)]
    assert (tmp_path / "died").exists()


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_in_a_chunk_passes_through(processes):
    with pytest.raises(ValueError, match="0 cannot be doubled"):
        list(map_chunks(failed, chunks_of(range(6), 2), processes=processes))


@pytest.mark.parametrize("n", [0, 1, 7, 5000])
def test_a_sequence_is_shared_out_whole_in_parts_that_are_not_too_large(n):
    parts = shared_out(list(range(n)), 2, most=100)

    assert [item for part in parts for item in part] == list(range(n))
    assert all(0 < len(part) <= 100 for part in parts)


@pytest.fixture
def process():
    started = Beside(partial(imported, "json"))
    yield started
    started.end()


def test_work_beside_is_done_in_another_process_and_an_error_in_it_is_the_callers(process):
    elsewhere, broken = process.do(os.getpid), process.do(partial(failed, [3]))

    assert elsewhere() != os.getpid()
    with pytest.raises(ValueError, match="3 cannot be"):
        broken()


def test_work_beside_that_dies_is_one_line_with_what_to_do(process):
    lost = process.do(partial(died, [7]))
    with pytest.raises(LostWorkerError, match="processes 1"):
        lost()


def test_work_given_to_a_process_that_is_dead_already_is_the_same_line(process):
    with pytest.raises(LostWorkerError):
        process.do(partial(called, "os", "_exit", 1))()
    lost = process.do(os.getpid)
    with pytest.raises(LostWorkerError, match="processes 1"):
        lost()


def test_work_beside_that_nobody_waits_for_ends_with_the_process(process):
    def endless():
        while True:
            pass

    pid = process.do(os.getpid)()
    process.do(endless)
    process.end()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
