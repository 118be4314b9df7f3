"""From the probabilities a model gives to those that come true as often as they say.

Each calibrator is fitted on rows the model was not trained on and stored as plain numbers;
`choose_calibrator` says which, `cross_calibrated` and `reliability` show honestly what it is
worth. Knows NumPy, splits and metrics; must not know models, pictures or where things are kept.
"""

from kekule.evaluation.calibration.calibrator import CALIBRATORS as CALIBRATORS
from kekule.evaluation.calibration.calibrator import Calibrator as Calibrator
from kekule.evaluation.calibration.calibrator import calibrator_from_json as calibrator_from_json
from kekule.evaluation.calibration.calibrator import calibrator_named as calibrator_named
from kekule.evaluation.calibration.choice import Choice as Choice
from kekule.evaluation.calibration.choice import CrossValidated as CrossValidated
from kekule.evaluation.calibration.choice import choose_calibrator as choose_calibrator
from kekule.evaluation.calibration.choice import cross_calibrated as cross_calibrated
from kekule.evaluation.calibration.probabilities import LEAST as LEAST
from kekule.evaluation.calibration.probabilities import CalibrationError as CalibrationError
from kekule.evaluation.calibration.reliability import Reliability as Reliability
from kekule.evaluation.calibration.reliability import reliability as reliability
