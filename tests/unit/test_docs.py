"""The documentation against the program: nothing missing, nothing that would not run."""

import importlib
import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
import typer.main

from kekule._errors import RecipeError
from kekule.cli import app
from kekule.cli.training import split_settings
from kekule.data import find_set
from kekule.evaluation import read_recipe
from kekule.features import pack, schema_of

pytest.importorskip("sphinx", reason="the docs extra is not installed")

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *DOCS.rglob("*.rst")])
PAGES = [page for page in PAGES if "_build" not in page.parts]


@pytest.fixture(scope="module")
def reference():
    """The extension that writes the reference pages, imported from where it lies."""
    sys.path.insert(0, str(DOCS / "_ext"))
    try:
        return importlib.import_module("kekule_reference")
    finally:
        sys.path.pop(0)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The pages as they are built, with every warning an error."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    done = subprocess.run(
        [*command, DOCS, out], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return out


class Page(HTMLParser):
    """Text, anchors and links of a page."""

    def __init__(self, path):
        super().__init__()
        self.path, self.words, self.anchors, self.links, self.loads = path, [], set(), [], []
        self.feed(path.read_text(encoding="utf-8"))
        self.text = " ".join("".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.anchors |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        loaded = given.get("src") or (given.get("href") if tag == "link" else None)
        if loaded:
            self.loads.append(loaded)

    def handle_data(self, data):
        self.words.append(data)


def commands():
    """Every command that can be called, by its words after ``kekule``."""

    def walk(words, command):
        below = getattr(command, "commands", {})
        if not below or not words:
            yield words, command
        for name, sub in below.items():
            yield from walk((*words, name), sub)

    return dict(walk((), typer.main.get_command(app)))


def blocks(page, language):
    """Code blocks of a page in a language."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.M | re.S)


def shell_lines():
    """Every line that calls kekule in a console block: page and words."""
    for page in PAGES:
        for block in blocks(page, "console"):
            for line in re.findall(r"^\$ (.*)$", block, flags=re.M):
                for part in line.split(" | "):
                    words = shlex.split(part.partition(" > ")[0])
                    if words[0] == "kekule":
                        yield pytest.param(words[1:], id=f"{page.name}: {part[:60]}")


def parsed(words):
    """Leaf command and its parameters, parsed by the program itself without running it."""
    command, name = typer.main.get_command(app), "kekule"
    context = None
    while True:
        context = command.make_context(name, list(words), parent=context)
        below = getattr(command, "commands", None)
        if not below:
            return name, context.params
        rest = [*context._protected_args, *context.args]
        name, words = rest[0], rest[1:]
        command = below[name]


@pytest.mark.parametrize("words", list(shell_lines()))
def test_a_command_in_the_docs_is_one_the_program_takes(words, monkeypatch):
    monkeypatch.chdir(ROOT)
    name, given = parsed(words)
    if name == "train" and "train.epcohs=50" not in words:
        recipe, overrides = split_settings(given["settings"] or [])
        read_recipe(recipe, overrides)


def test_the_mistake_shown_in_the_docs_is_answered_as_shown():
    (block,) = [b for b in blocks(DOCS / "recipes.md", "console") if "epcohs" in b]
    with pytest.raises(RecipeError) as caught:
        read_recipe(None, ["train.epcohs=50"])
    assert block.splitlines()[1] == f"kekule: {caught.value}"


def test_a_command_with_an_unknown_option_would_be_noticed():
    with pytest.raises(Exception, match="--fast"):
        parsed(["train", "--fast"])


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=lambda p: p.name)
def test_python_in_the_docs_is_python_and_names_only_what_kekule_has(page):
    kekule = importlib.import_module("kekule")
    for block in blocks(page, "python"):
        compile(block, str(page), "exec")
        for name in re.findall(r"\bkekule\.(\w+)\(", block):
            assert hasattr(kekule, name), f"{page.name}: there is no kekule.{name}"


def test_the_network_in_the_docs_gives_a_vector_for_each_graph():
    code, _ = blocks(DOCS / "new-network.md", "python")
    names = {"__name__": "gated"}
    exec(compile(code, "new-network.md", "exec"), names)  # noqa: S102
    graphs = find_set("MUTAG").take(np.arange(5))
    packed = pack(graphs, schema_of(graphs))
    network = names["Gated"](packed.schema, 2, names["GatedSettings"](hidden=8)).eval()
    shared, plain = (network.layout(packed, share=s).batch(np.arange(5)) for s in (True, False))

    assert network.embed(plain).shape == (5, 8)
    answers = [network(batch).detach().numpy() for batch in (shared, plain)]
    assert len(shared.nodes) < len(plain.nodes)
    np.testing.assert_allclose(*answers, atol=1e-5)


def test_every_network_is_in_the_table_of_networks_and_told_with_its_paper(site):
    networks = importlib.import_module("kekule.models").NETWORKS
    page, text = Page(site / "networks.html"), (DOCS / "networks.md").read_text()

    assert set(re.findall(r"^\| \[`(\w+)`\]", text, flags=re.M)) == set(networks)
    for name, network in networks.items():
        told = importlib.import_module(network.__module__).__doc__
        assert " ".join(told.split())[:40].replace("`", "") in page.text
        assert re.search(r"https://\S+", told)[0].rstrip(".,;") in page.links
        assert name in page.anchors


def test_every_command_and_option_is_in_the_reference(site):
    text = Page(site / "reference/command-line.html").text
    for words, command in commands().items():
        assert " ".join(["kekule", *words]) in text
        for parameter in command.params:
            for name in parameter.opts if parameter.param_type_name == "option" else []:
                assert name in text, f"{' '.join(words)}: {name} is not in the reference"
            assert parameter.help, f"{' '.join(words)}: {parameter.name} has no help"


def test_every_recipe_key_is_in_the_reference_with_its_meaning(site, reference):
    text = Page(site / "reference/recipe.html").text
    keys = reference.recipe_keys()

    assert {"data.source", "train.epochs", "protocol.folds", "seed"} <= set(keys)
    assert {"model.hidden (gcn)", "model.hidden (gin)"} <= set(keys)
    for key, field in keys.items():
        assert key in text
        if "const" not in field:
            assert field.get("description"), f"{key} has no description"
            assert field["description"].replace("`", "") in text


@pytest.mark.parametrize("part", sorted(p.stem for p in (DOCS / "reference/api").glob("*.rst")))
def test_every_public_name_of_a_part_is_in_the_reference(part, site, reference):
    if part in ("index", "errors"):
        pytest.skip("not a part")
    anchors = Page(site / f"reference/api/{part}.html").anchors
    for name in reference.public_names(part):
        assert f"kekule.{part}.{name}" in anchors


def test_every_part_has_its_page():
    parts = {path.parent.name for path in (ROOT / "src/kekule").glob("*/__init__.py")} - {"cli"}
    pages = {page.stem for page in (DOCS / "reference/api").glob("*.rst")}
    assert parts == pages - {"index", "errors"}


def test_every_error_a_user_can_meet_is_in_the_reference(site):
    text = Page(site / "reference/api/errors.html").text
    errors = importlib.import_module("kekule._errors")
    for name in [name for name in vars(errors) if name.endswith("Error")]:
        assert name in text


def test_every_link_between_pages_leads_somewhere_and_nothing_is_loaded_from_elsewhere(site):
    pages = {path: Page(path) for path in site.rglob("*.html")}
    for path, page in pages.items():
        assert not [load for load in page.loads if urlsplit(load).netloc], path.name
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.is_file(), f"{path.name} links to {link}"
            if parts.fragment and target.suffix == ".html":
                assert unquote(parts.fragment) in pages[target].anchors, f"{path.name}: {link}"


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")), ids=lambda p: p.name)
def test_links_of_a_page_beside_the_docs_lead_to_files(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if not urlsplit(link).scheme:
            assert (page.parent / link.partition("#")[0]).exists(), link


def test_the_run_folder_page_and_the_readme_list_the_same_files():
    page = re.findall(r"^\| `([^`]+)` \|", (DOCS / "run-folder.md").read_text(), flags=re.M)
    readme = re.findall(r"^[├└]── (\S+)", (ROOT / "README.md").read_text(), flags=re.M)
    assert sorted(page) == sorted(readme)


def test_every_decision_is_listed_and_numbered_in_order():
    index = (DOCS / "decisions/index.md").read_text()
    pages = sorted(path.stem for path in (DOCS / "decisions").glob("[0-9]*.md"))

    assert re.findall(r"^(\d{4}-\S+)$", index, flags=re.M) == pages
    for number, name in enumerate(pages, start=1):
        text = (DOCS / "decisions" / f"{name}.md").read_text()
        assert name.startswith(f"{number:04d}-")
        assert text.startswith(f"# {number}. ")
        assert "## Decision\n" in text


def test_the_readme_and_the_quick_start_show_the_same_run():
    readme, start = (ROOT / "README.md").read_text(), (DOCS / "quickstart.md").read_text()
    printed = dict(re.findall(r"^│ (\S+) +│ +(\d\.\d{3}) │", start, flags=re.M))
    table = re.findall(r"^\| `?([\w-]+)`?(?: \(baseline\))? \| (\d\.\d{3})", readme, flags=re.M)

    assert printed.items() <= dict(table).items()
    assert set(dict(table)) - set(printed) == {"gcn"}
    assert blocks(ROOT / "README.md", "text")[0] in blocks(DOCS / "quickstart.md", "text")
