"""The few verbs a user calls: train, predict, report, and what to do with data sets.

Each is a short composition of the parts below. The command line calls these and nothing
else; whatever it can do, these can do from Python.
"""

from kekule.workflow.datasets import convert as convert
from kekule.workflow.datasets import list_sets as list_sets
from kekule.workflow.predicting import predict as predict
from kekule.workflow.reporting import report as report
from kekule.workflow.training import Run as Run
from kekule.workflow.training import train as train
