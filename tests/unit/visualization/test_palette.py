from itertools import combinations

import numpy as np
import pytest

from kekule.visualization.palette import (
    CLASS_COLOURS,
    FAINT,
    INK,
    MODEL,
    MUTED,
    NODE_COLOURS,
    PAPER,
    class_colour,
    class_dash,
    class_mark,
    contrast,
    ink_on,
    number,
    plain,
)

# Machado, Oliveira, Fernandes 2009, severity 1, on linear RGB.
VISION = {
    "full": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def oklab(colour, vision):
    """Where `colour` lies in a space whose distances follow the eye (Ottosson 2020)."""
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(VISION[vision]) @ linear, 0, 1)
    to_cones = [[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]]
    to_lab = [[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]]
    return np.asarray(to_lab) @ np.cbrt(np.asarray(to_cones) @ seen)


@pytest.mark.parametrize("vision", VISION)
def test_class_colours_stay_apart_in_every_kind_of_colour_vision(vision):
    for one, other in combinations(CLASS_COLOURS, 2):
        distance = np.linalg.norm(oklab(one, vision) - oklab(other, vision))
        assert distance > 0.08, (one, other, vision, distance)


@pytest.mark.parametrize("colour", [*CLASS_COLOURS, *NODE_COLOURS, FAINT, MODEL])
def test_marks_keep_a_contrast_of_three_on_paper(colour):
    assert contrast(colour, PAPER) >= 3


@pytest.mark.parametrize("colour", [INK, MUTED])
def test_text_keeps_a_contrast_of_four_and_a_half_on_paper(colour):
    assert contrast(colour, PAPER) >= 4.5


@pytest.mark.parametrize("grey", range(0, 256, 15))
def test_ink_is_readable_on_any_grey(grey):
    ground = f"#{grey:02x}{grey:02x}{grey:02x}"
    assert contrast(ink_on(ground), ground) >= 4.0


def test_twenty_classes_differ_by_colour_and_mark_and_by_colour_and_dash():
    assert len({(class_colour(k), class_mark(k)) for k in range(20)}) == 20
    assert len({(class_colour(k), class_dash(k)) for k in range(20)}) == 20


def test_black_on_white_has_the_contrast_wcag_states():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


def test_names_that_differ_at_their_end_still_differ_when_elided():
    names = {plain(f"receptor family {k}", 14) for k in range(20)}
    assert len(names) == 20
    assert {len(name) for name in names} == {14}


def test_drawn_text_holds_no_control_character():
    assert plain("a\x00b\nc") == "a\ufffdb\ufffdc"


def test_an_undefined_number_is_said_and_a_negative_one_keeps_a_real_minus():
    assert number(float("nan")) == "undefined"
    assert number(-0.25, 2) == "\N{MINUS SIGN}0.25"
