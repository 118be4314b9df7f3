"""Commands about recipes."""

import json
from typing import Annotated

import typer

recipe_app = typer.Typer(
    no_args_is_help=True,
    help="Recipes: check one, print their schema.",
    epilog="[bold]Example[/bold]: kekule recipe check train.epochs=50",
)


@recipe_app.command()
def check(
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="RECIPE|KEY=VALUE", help="As for `kekule train`."),
    ] = None,
) -> None:
    """Print a recipe with every default filled in, or say what is wrong with it.

    [bold]Example[/bold]

    kekule recipe check recipes/mutag-gin.yaml train.epochs=50
    """
    from kekule import workflow
    from kekule.cli.training import split_settings

    recipe, overrides = split_settings(settings or [])
    typer.echo(workflow.read_recipe(recipe, overrides).to_yaml(), nl=False)


@recipe_app.command()
def schema() -> None:
    """Print the JSON Schema of recipes, for editors and other programs.

    [bold]Example[/bold]

    kekule recipe schema > recipe.schema.json
    """
    from kekule import workflow

    typer.echo(json.dumps(workflow.Recipe.model_json_schema(), indent=1))
