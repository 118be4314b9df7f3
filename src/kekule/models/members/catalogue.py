"""The members by name; each is imported when it is asked for."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import NamedTuple

from kekule.models.fingerprint_models import DESCRIPTORS, NARROW
from kekule.models.members.columns import WIDE
from kekule.models.members.member import Member

NETWORK = "network"


class _Place(NamedTuple):
    module: str
    name: str
    needs: tuple[str, ...]


class Members(Mapping[str, Member]):
    """Members by name, ready to be trained; `network` with settings that serve as an example."""

    def __init__(self, places: dict[str, _Place]):
        self._places = places

    def __getitem__(self, name: str) -> Member:
        place = self._places[name]
        made_by = getattr(import_module(f"{__package__}.{place.module}"), place.name)
        member: Member = made_by()
        return member

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def needs(self, name: str) -> tuple[str, ...]:
        """Fingerprints that a member is given of molecules; without importing it.

        A network of graphs that are no molecules needs none of them.
        """
        return self._places[name].needs


MEMBERS = Members(
    {
        "extra-trees": _Place("forest", "ForestMember", NARROW),
        "extra-trees-wide": _Place("forest", "WideForestMember", WIDE),
        "LightGBM": _Place("boosted", "BoostedMember", NARROW),
        "LightGBM-wide": _Place("boosted", "WideBoostedMember", WIDE),
        "logistic": _Place("linear", "Logistic", WIDE),
        "WL-SVM": _Place("wl_svm", "WLMachineMember", ()),
        "WL-LightGBM": _Place("wl_trees", "WLTreesMember", ()),
        NETWORK: _Place("network", "usual_network", (DESCRIPTORS,)),
    }
)
# Counts of patterns are what fingerprints are, and of many molecules far slower.
OF_MOLECULES = tuple(name for name in MEMBERS if MEMBERS.needs(name))
OF_GRAPHS = tuple(name for name in MEMBERS if not MEMBERS.needs(name) or name == NETWORK)
