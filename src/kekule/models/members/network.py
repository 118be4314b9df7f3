"""A graph network as a member, perhaps with descriptors of whole molecules joined to its graphs.

The descriptors are those that the trees read: computed once, and laid beside a graph as
`kekule.features.descriptors` would lay its own. Where one is missing stands the median of the
training rows.

Symbols: n rows, P descriptors, T tasks, K classes of each.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from kekule._errors import KekuleError
from kekule.features import GraphSchema, PackedGraphs
from kekule.models import NETWORKS, build_network, shapes_of
from kekule.models.fingerprint_models import DESCRIPTORS, filled
from kekule.models.inference import probabilities
from kekule.models.members.columns import MOST_COLUMNS, Columns, signed_logarithms
from kekule.models.members.contents import Contents, prefixed, storable
from kekule.models.members.member import Material, Rows, Size, Stored
from kekule.models.network import Network, NetworkSettings, set_weights, weights_of
from kekule.models.train_settings import EpochReport, SelectionScore, TrainSettings
from kekule.models.training import fit

KIND = "network"
WEIGHTS = "weights."
USUAL_EPOCHS = 50
MICROSECONDS = {  # of a node or a directed edge in an epoch, at a network's own width and depth
    "gcn": 0.5,
    "gin": 1.2,
    "gine": 10.0,
    "sage": 0.9,
    "gatv2": 2.5,
    "pna": 6.5,
    "dmpnn": 1.8,
    "attentivefp": 2.9,
    "gps": 15.0,
}


class NetworkMember:
    """Trains one network on all tasks; held rows choose the epoch.

    Parameters
    ----------
    settings
        Of the network, with its name.
    train
        Of the loop.
    score
        Of held rows, higher is better; see `kekule.models.fit`.
    on_epoch
        Called after every epoch.
    descriptors
        Whether RDKit's descriptors are joined to the graphs, which are molecules then.
    """

    all_tasks: ClassVar[bool] = True

    def __init__(
        self,
        settings: NetworkSettings,
        train: TrainSettings,
        *,
        score: SelectionScore,
        on_epoch: Callable[[EpochReport], None] | None = None,
        descriptors: bool = False,
    ):
        self.settings, self.settings_of_loop = settings, train
        self.score, self.on_epoch = score, on_epoch
        self.needs: tuple[str, ...] = (DESCRIPTORS,) if descriptors else ()

    def train(
        self,
        material: Material,
        targets: NDArray[np.int64],
        *,
        train_rows: Rows,
        held_rows: Rows,
        n_classes: int,
        seed: int,
    ) -> "TrainedNetwork":
        """See `kekule.models.members.member.Member.train`."""
        descriptors = None
        if self.needs:
            columns = Columns.of(material.tables, self.needs)
            descriptors = Descriptors(columns, columns.usual(material.tables, train_rows))
        rows = np.concatenate([train_rows, held_rows])
        read = Material(material.graphs, {name: material.tables[name] for name in self.needs})
        graphs = _joined(read.take(rows), descriptors)
        n_train = len(train_rows)
        network = build_network(
            graphs.schema,
            n_classes,
            self.settings,
            seed=seed,
            n_tasks=1 if targets.ndim == 1 else targets.shape[1],
        )
        fit(
            network,
            graphs,
            targets[rows],
            train_rows=np.arange(n_train),
            validation_rows=np.arange(n_train, len(rows)),
            settings=self.settings_of_loop,
            score=self.score,
            seed=seed,
            on_epoch=self.on_epoch,
        )
        return TrainedNetwork(network, descriptors)

    def seconds(self, size: Size) -> float:
        """See `kekule.models.members.member.Member.seconds`."""
        a_place = MICROSECONDS.get(self.settings.name, 3.0) * 1e-6
        return self.settings_of_loop.epochs * a_place * (size.nodes + size.edges)


def usual_network() -> NetworkMember:
    """A network of molecules as an example, and for its time to be told."""
    settings = NETWORKS["dmpnn"].Settings.model_validate({"name": "dmpnn"})
    train = TrainSettings(epochs=USUAL_EPOCHS)
    return NetworkMember(settings, train, score=mean_log_probability, descriptors=True)


def mean_log_probability(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Mean log-probability of the labels there are: a score that is never undefined."""
    known = truth >= 0
    given = np.take_along_axis(probabilities, np.maximum(truth, 0)[..., None], axis=-1)[..., 0]
    return float(np.log(np.maximum(given[known], 1e-6)).mean()) if known.any() else 0.0


class Descriptors:
    """Descriptors that are joined to graphs.

    Parameters
    ----------
    columns
        One fingerprint with P columns.
    usual
        float32 (P,), what stands for a missing value.
    """

    def __init__(self, columns: Columns, usual: NDArray[np.float32]):
        self.columns, self.usual = columns, usual

    def of(self, material: Material) -> NDArray[np.float32]:
        """Values as a network is given them, (n, P)."""
        values = self.columns.table(material.tables, slice(None))
        return signed_logarithms(filled(values, self.usual))


class TrainedNetwork:
    """A network after its training; itself a `Trained`.

    Attributes
    ----------
    network
        In evaluation mode.
    descriptors
        What is joined to the graphs; None: nothing.
    """

    def __init__(self, network: Network, descriptors: Descriptors | None):
        self.network, self.descriptors = network, descriptors
        self.needs: tuple[str, ...] = () if descriptors is None else descriptors.columns.names

    def probabilities(self, material: Material) -> NDArray[np.float64]:
        """See `kekule.models.members.member.Trained.probabilities`."""
        return probabilities(self.network, _joined(material, self.descriptors))

    def stored(self) -> Stored:
        """See `kekule.models.members.member.Trained.stored`."""
        arrays: dict[str, NDArray[Any]] = prefixed(WEIGHTS, weights_of(self.network))
        told = {"kind": KIND, "network": self.network.settings.model_dump(mode="json")}
        if self.descriptors is not None:
            told |= self.descriptors.columns.told()
            arrays["usual"] = self.descriptors.usual
        return storable(told, arrays)


def joined_schema(schema: GraphSchema, n_descriptors: int) -> GraphSchema:
    """Schema of graphs with so many descriptors behind the attributes that they have."""
    if not n_descriptors:
        return schema
    return replace(
        schema,
        n_graph_attributes=schema.n_graph_attributes + n_descriptors,
        descriptors="+".join(filter(None, [schema.descriptors, DESCRIPTORS])),
    )


def _joined(material: Material, descriptors: Descriptors | None) -> PackedGraphs:
    graphs = material.graphs
    if descriptors is None:
        return graphs
    attributes = np.hstack([graphs.graph_attributes, descriptors.of(material)])
    schema = joined_schema(graphs.schema, descriptors.columns.width)
    return replace(graphs, schema=schema, graph_attributes=attributes)


def restored_network(
    given: Contents, schema: GraphSchema, n_classes: int, n_tasks: int
) -> TrainedNetwork:
    """Read what `TrainedNetwork.stored` gave; of graphs under `schema`."""
    descriptors = _descriptors_in(given)
    own = joined_schema(schema, 0 if descriptors is None else descriptors.columns.width)
    told: dict[str, Any] = given.setting("network", dict)
    name = told.get("name")
    if not isinstance(name, str) or name not in NETWORKS:
        raise ValueError(f"{given.what}: network {str(name)[:60]!r} is unknown here")
    weights = given.under(WEIGHTS)
    given.end()
    try:
        settings = NETWORKS[name].Settings.model_validate(told)
        # Shapes before anything is made of that size: settings may claim more than there is.
        shapes = shapes_of(own, n_classes, settings, n_tasks=n_tasks)
        arrays = _checked(weights, shapes)
        network = build_network(own, n_classes, settings, seed=0, n_tasks=n_tasks)
        set_weights(network, arrays)
    except (KekuleError, RuntimeError, TypeError, ArithmeticError) as error:
        raise ValueError(f"{given.what}: settings of {name} do not fit: {error}") from error
    except ValidationError as error:
        raise ValueError(f"{given.what}: settings of {name} do not fit: {error}") from None
    return TrainedNetwork(network, descriptors)


def _descriptors_in(given: Contents) -> Descriptors | None:
    if "fingerprints" not in given.settings:
        return None
    (width,) = given.whole_numbers("widths", 1, MOST_COLUMNS)[:1] or (0,)
    columns = Columns((DESCRIPTORS,), (width,))
    if columns.told() != {k: given.settings.get(k) for k in columns.told()}:
        raise ValueError(f"{given.what}: it does not read {DESCRIPTORS} alone")
    return Descriptors(columns, given.array("usual", np.float32, (width,)))


def _checked(weights: Contents, shapes: dict[str, tuple[int, ...]]) -> dict[str, NDArray[Any]]:
    """Arrays of these names and shapes; variances and counters from 0."""
    arrays = {}
    for name, shape in shapes.items():
        counts = name.endswith("num_batches_tracked")
        arrays[name] = weights.array(name, np.int64 if counts else np.float32, shape)
        if (counts or name.endswith("running_var")) and (arrays[name] < 0).any():
            raise ValueError(f"{weights.what}: array {name!r} has numbers below 0")
    weights.end()
    return arrays
