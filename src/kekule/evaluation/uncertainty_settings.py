"""What a run adds to its model's probabilities: the section `uncertainty` of a recipe.

Must not know data, models or results.
"""

import difflib
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from kekule._errors import RecipeError
from kekule.evaluation.calibration.calibrator import CALIBRATORS
from kekule.evaluation.thresholds import AT_LEAST, LARGEST, ThresholdError, parse_aim

AUTO = "auto"
OF_MORE_CLASSES = "accuracy"  # the one aim that the most probable of many classes can serve


class UncertaintySettings(BaseModel):
    """How sure to be of a single prediction."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calibration: Annotated[
        str,
        Field(
            description="Puts probabilities right on training rows the model was not fitted on: "
            f"`{AUTO}`, the simplest that is as good as any; or "
            + ", ".join(CALIBRATORS)
            + ". `none` leaves them as they are."
        ),
    ] = AUTO
    threshold: Annotated[
        str | None,
        Field(
            description="What a prediction of two classes is for: "
            + ", ".join(LARGEST)
            + ", or a bound such as "
            + ", ".join(f"`{name}>=0.8`" for name in AT_LEAST)
            + ". The probability from which a row is called positive is chosen by it; the more "
            "probable class where left out."
        ),
    ] = None
    confidence: Annotated[
        float,
        Field(
            gt=0,
            lt=1,
            description="Share of the rows of each class whose prediction set is to hold it.",
        ),
    ] = 0.9
    domain: Annotated[
        bool,
        Field(
            description="Tell how near a row is to those trained on, and what that is worth; the "
            "bundle then holds their fingerprints or subtree counts."
        ),
    ] = True

    @field_validator("calibration")
    @classmethod
    def _known(cls, given: str) -> str:
        known = (AUTO, *CALIBRATORS)
        if given not in known:
            near = difflib.get_close_matches(given, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}"
            raise ValueError(f"{given!r} is no calibrator; {hint}")
        return given

    @field_validator("threshold")
    @classmethod
    def _an_aim(cls, given: str | None) -> str | None:
        if given is not None:
            try:
                parse_aim(given)
            except ThresholdError as error:
                raise ValueError(f"{error.why}. {error.cure}") from None
        return given


def check_aim(settings: UncertaintySettings, n_classes: int) -> None:
    """Refuse an aim that so many classes cannot serve, before anything is trained.

    Raises
    ------
    RecipeError
        If there are more than two classes and the aim is about two.
    """
    if n_classes > 2 and settings.threshold not in (None, OF_MORE_CLASSES):
        raise RecipeError(
            "uncertainty.threshold",
            f"{settings.threshold!r} is an aim for two classes, and there are {n_classes}",
            "Leave it out: the most probable class is then given.",
        )
