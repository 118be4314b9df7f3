"""A profile says where time went, all of it, and costs nothing where nobody asked."""

import gzip
import json
import re
import time

import pytest
import torch

from kekule.models.profile_page import Profile, profile_page
from kekule.models.profiling import OFF, SECTIONS, TRACED, WARM_UP, profiled


def train(profiler, steps, *, pause=0.0):
    layer = torch.nn.Linear(8, 8)
    for step in range(steps):
        with profiler.section("data"):
            time.sleep(pause)
            x = torch.randn(16, 8)
        with profiler.section("forward"):
            loss = layer(x).square().mean()
        with profiler.section("backward"):
            loss.backward()
        with profiler.section("optimiser"):
            layer.zero_grad()
        if step % 5 == 4:
            with profiler.section("validation"), torch.no_grad():
                layer(x)


def shares_of(page):
    return {
        name: float(share) / 100
        for name, share in re.findall(r"^\| (\w+) \| [\d.]+ \| ([\d.]+)% \|$", page, re.M)
    }


@pytest.fixture
def page(tmp_path):
    with profiled(tmp_path / "profile", "final", precision="float32") as profiler:
        train(profiler, 60, pause=0.002)
    return (tmp_path / "profile" / "final.md").read_text()


def test_the_shares_of_all_sections_sum_to_one_and_name_the_slow_one(page):
    shares = shares_of(page)
    assert list(shares) == [*SECTIONS, "other"]
    assert sum(shares.values()) == pytest.approx(1, abs=0.004)
    assert max(shares, key=shares.get) == "data"
    assert "1 thread" in page or "threads" in page
    assert "products in float32" in page
    assert "peak memory" in page


def test_ten_operations_are_listed_the_most_expensive_first(page):
    rows = re.findall(r"^\| `([^`]+)` \| ([\d,]+) \| ([\d.]+) \| ([\d.]+)% \|$", page, re.M)
    assert len(rows) == 10
    cost = [float(ms) for _, _, ms, _ in rows]
    assert cost == sorted(cost, reverse=True)
    assert {name for name, *_ in rows} & {"aten::addmm", "aten::randn", "aten::normal_"}
    assert not {name for name, *_ in rows} & set(SECTIONS)


def test_the_trace_can_be_opened_and_shows_the_sections(page, tmp_path):
    with gzip.open(tmp_path / "profile" / "final.trace.json.gz") as file:
        events = json.load(file)["traceEvents"]
    counts = [sum(e.get("name") == name and e.get("ph") == "X" for e in events) for name in
              ("data", "forward", "backward")]  # fmt: skip
    assert counts == [TRACED] * 3
    left = {path.name for path in (tmp_path / "profile").iterdir()}
    assert left == {"final.md", "final.trace.json.gz"}


def test_time_spent_tracing_is_not_counted(tmp_path):
    begun = time.perf_counter()
    with profiled(tmp_path, "x") as profiler:
        train(profiler, WARM_UP + TRACED, pause=0.02)
    passed = time.perf_counter() - begun
    counted = float(re.search(r"^([\d.e-]+) s in", (tmp_path / "x.md").read_text(), re.M)[1])
    assert counted < passed - TRACED * 0.02


def test_a_training_too_short_for_a_trace_still_has_its_page(tmp_path):
    with profiled(tmp_path, "short") as profiler:
        train(profiler, WARM_UP - 1)
    assert [path.name for path in tmp_path.iterdir()] == ["short.md"]
    assert "too short for a trace" in (tmp_path / "short.md").read_text()


def test_a_training_that_ends_while_it_is_traced_keeps_its_trace(tmp_path):
    with profiled(tmp_path, "x") as profiler:
        train(profiler, WARM_UP + 2)
    assert "in 2 traced steps" in (tmp_path / "x.md").read_text()
    assert (tmp_path / "x.trace.json.gz").exists()


def test_a_training_that_fails_leaves_no_page_and_no_tracer_running(tmp_path):
    def fail():
        with profiled(tmp_path, "x") as profiler:
            train(profiler, WARM_UP + 1)
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fail()
    assert not (tmp_path / "x.md").exists()
    with profiled(tmp_path, "y") as profiler:
        train(profiler, WARM_UP + TRACED)
    assert (tmp_path / "y.trace.json.gz").exists()


def test_a_section_in_another_counts_once(tmp_path):
    with profiled(tmp_path, "x") as profiler, profiler.section("validation"):
        time.sleep(0.02)
        with profiler.section("data"):
            time.sleep(0.06)
    shares = shares_of((tmp_path / "x.md").read_text())
    assert shares["data"] + shares["validation"] <= 1.0
    assert shares["data"] > shares["validation"] > 0.1


def test_a_profile_that_cannot_be_written_does_not_stop_the_training(tmp_path, caplog):
    (tmp_path / "taken").write_text("")
    with profiled(tmp_path / "taken", "x") as profiler:
        train(profiler, 3)
    assert profiler is OFF
    assert "no profile is written" in caplog.text


def test_nothing_is_written_said_or_kept_where_nobody_asked(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    with profiled(None, "x") as profiler:
        assert profiler is OFF
        assert profiler.section("data") is profiler.section("forward")
        train(profiler, 20)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_the_tracer_says_nothing_on_the_terminal(tmp_path, capfd):
    with profiled(tmp_path, "x") as profiler:
        train(profiler, WARM_UP + TRACED)
    assert capfd.readouterr() == ("", "")


def test_a_section_costs_less_than_three_microseconds_where_nobody_asked():
    def seconds():
        begun = time.perf_counter()
        for _ in range(10_000):
            with OFF.section("data"):
                pass
        return (time.perf_counter() - begun) / 10_000

    assert min(seconds() for _ in range(20)) < 3e-6


def test_no_time_at_all_is_no_division_by_zero():
    page = profile_page(Profile({"data": 0.0}, 0, 0, [], "cpu", 1, 0), "x")
    assert "| data | 0.000 | 0.0% |" in page
