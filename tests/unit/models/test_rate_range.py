"""A sweep of learning rates finds their order of magnitude, on training rows alone."""

import numpy as np
import pytest

from kekule.models import NETWORKS, TrainSettings, build_network
from kekule.models.rate_range import RateRange, Span, smooth, sweep, try_rates

SHORT = Span(1e-6, 1.0, 60)


def descent(curvature):
    """Step of gradient descent on ½ · curvature · x²: it converges below 2 / curvature."""
    place = [3.0]

    def step(rate):
        loss = 0.5 * curvature * place[0] ** 2
        place[0] -= rate * curvature * place[0]
        return loss

    return step


@pytest.mark.parametrize("curvature", [0.01, 1.0, 50.0])
def test_the_rate_suggested_for_a_parabola_converges_and_is_not_timid(curvature):
    found = sweep(descent(curvature), Span(1e-5 / curvature, 1e3 / curvature, 300))
    bound = 2 / curvature
    assert 0.05 * bound < found.suggested < bound
    assert bound < found.diverged < 30 * bound
    assert found.rates[-1] < found.diverged or len(found.rates) < 300


def test_a_sweep_stops_where_the_loss_explodes_or_is_no_number():
    asked = []

    def step(rate):
        asked.append(rate)
        return float("nan") if rate > 0.01 else 1.0

    found = sweep(step, Span(1e-4, 1.0, 50))
    assert found.diverged == asked[-1] == min(rate for rate in asked if rate > 0.01)
    assert len(found.rates) == len(asked) - 1


def test_a_loss_that_only_jumps_about_has_no_rate_to_suggest():
    rng = np.random.default_rng(0)
    assert sweep(lambda rate: 1 + rng.normal(0, 0.1)).suggested is None
    assert sweep(lambda rate: float("nan")).suggested is None


def test_a_loss_that_still_falls_at_the_end_has_no_rate_to_suggest():
    found = sweep(descent(1.0), Span(1e-5, 1e-1, 100))
    assert found.falling
    assert found.lowest is not None
    assert found.suggested is None
    assert not sweep(descent(1.0), Span(1e-5, 1e3, 100)).falling


def test_rates_rise_by_one_factor_from_the_first_to_the_last():
    found = sweep(lambda rate: 1.0, Span(1e-5, 1e-1, 41))
    np.testing.assert_allclose(np.diff(np.log10(found.rates)), 0.1)
    assert found.rates[[0, -1]] == pytest.approx([1e-5, 1e-1])
    assert found.diverged is None


def test_smoothing_keeps_a_straight_line_inside_and_a_constant_everywhere():
    line = np.arange(50.0)
    np.testing.assert_allclose(smooth(line, 2)[8:-8], line[8:-8])
    np.testing.assert_allclose(smooth(np.full(9, 4.0), 3), 4.0)


def swept(packed, targets, rows, *, network="gcn", **settings) -> RateRange:
    model = NETWORKS[network].Settings(hidden=8)
    built = build_network(packed.schema, 2, model, seed=0)
    return try_rates(
        built, packed, targets, rows=rows, settings=TrainSettings(**settings), seed=0, span=SHORT
    )


def test_other_rows_than_those_given_are_not_read(packed_mutag, mutag_targets):
    rows = np.arange(0, 188, 2)
    changed = mutag_targets.copy()
    changed[1::2] = -7  # no class at all
    found, again = (swept(packed_mutag, t, rows) for t in (mutag_targets, changed))
    np.testing.assert_array_equal(found.losses, again.losses)

    other = mutag_targets.copy()
    other[rows[:40]] = 1 - other[rows[:40]]
    assert not np.array_equal(swept(packed_mutag, other, rows).losses, found.losses)


def test_the_losses_are_finite_and_the_settings_of_the_training_count(packed_mutag, mutag_targets):
    rows = np.arange(100)
    plain = swept(packed_mutag, mutag_targets, rows)
    assert np.isfinite(plain.losses).all()
    for changes in ({"loss": "focal"}, {"class_weights": "balanced"}, {"batch_size": 20}):
        assert not np.array_equal(swept(packed_mutag, mutag_targets, rows, **changes).losses[0],
                                  plain.losses[0])  # fmt: skip


def test_several_tasks_with_missing_labels_can_be_swept(packed_mutag, mutag_targets):
    targets = np.stack([mutag_targets, 1 - mutag_targets], axis=1)
    targets[::3, 1] = -1
    built = build_network(
        packed_mutag.schema, 2, NETWORKS["gcn"].Settings(hidden=8), seed=0, n_tasks=2
    )
    found = try_rates(
        built, packed_mutag, targets, rows=np.arange(90), settings=TrainSettings(), seed=0,
        span=SHORT,
    )  # fmt: skip
    assert len(found.losses) > 20
    assert np.isfinite(found.losses).all()
