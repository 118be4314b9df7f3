"""Bundles: save, load, verify, predict. A model leaves this package in no other form.

Knows data, features and models; must not know HTTP or how scores were made.
"""

from kekule.registry.bundle import BundleContent as BundleContent
from kekule.registry.bundle import OpenBundle as OpenBundle
from kekule.registry.bundle import open_bundle as open_bundle
from kekule.registry.bundle import save_bundle as save_bundle
from kekule.registry.bundle import versions as versions
from kekule.registry.predictor import Predictor as Predictor
from kekule.registry.predictor import load as load
