"""Settings of the model `auto`: which members an ensemble may have, and for how long it trains.

Light, since every recipe is checked by them. Must not know members or data.
"""

from typing import Annotated, Literal

from pydantic import Field

from kekule.models.network import NetworkSettings

AUTO = "auto"


class AutoSettings(NetworkSettings):
    """An ensemble of trees, linear models and graph networks, weighed inside the training rows."""

    name: Literal["auto"] = "auto"
    minutes: Annotated[
        float,
        Field(
            gt=0,
            le=100_000,
            description="How long a run may take on two cores. Inner folds, and then members, are "
            "cut to what should fit, by an estimate made of the data's size: the same recipe has "
            "the same members on a slower machine.",
        ),
    ] = 20.0
    members: Annotated[
        Annotated[tuple[str, ...], Field(min_length=1)] | None,
        Field(
            description="Names of the members to try; all that suit the data where not stated. "
            "See kekule.models.members."
        ),
    ] = None
    network: Annotated[
        str | None,
        Field(
            description="Graph network of the member `network`; `dmpnn` for tables of molecules "
            "and `gin` for sets of graphs where not stated."
        ),
    ] = None
    epochs: Annotated[
        int,
        Field(ge=1, le=100_000, description="Most epochs of its networks, with train's patience."),
    ] = 50
    inner: Annotated[
        Annotated[int, Field(ge=1, le=100)] | None,
        Field(
            description="Folds of the training rows that weigh the members; 1: one held-out part. "
            "Five, three or one, as time allows, where not stated."
        ),
    ] = None
