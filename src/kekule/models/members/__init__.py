"""Members of an ensemble: models that are trained here, shipped as arrays, and asked elsewhere.

To add one, write it in a file of its own and name it in `kekule.models.members.catalogue`; what
it stores gets a kind in `kekule.models.members.restoring`. The contract tests find it there.
"""

from kekule.models.members.catalogue import MEMBERS as MEMBERS
from kekule.models.members.catalogue import NETWORK as NETWORK
from kekule.models.members.catalogue import OF_GRAPHS as OF_GRAPHS
from kekule.models.members.catalogue import OF_MOLECULES as OF_MOLECULES
from kekule.models.members.constant import Constant as Constant
from kekule.models.members.member import Material as Material
from kekule.models.members.member import Member as Member
from kekule.models.members.member import Size as Size
from kekule.models.members.member import Stored as Stored
from kekule.models.members.member import Trained as Trained
from kekule.models.members.per_task import PerTask as PerTask
from kekule.models.members.per_task import train_member as train_member
from kekule.models.members.restoring import restored as restored
from kekule.models.members.trees import Trees as Trees
