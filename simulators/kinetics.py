"""Where the ketamine is: three compartments after Domino and an effect site.

Rate constants per minute and central volume from the published adult model (as stanpumpR and
opentiva carry it); `KE0_PER_MIN` is ours, chosen so that blood pressure peaks at 30 to 40 min and
is near baseline 20 to 30 min after the infusion. Doubt: the model was made from boluses and gives
240 ng/mL after 0.5 mg/kg over 40 min, where measured plasma is 100 to 250.
"""

from typing import Final

import numpy as np

from simulators.chance import Floats

V1_L_PER_KG: Final = 0.063
K10: Final = 0.4381
K12: Final = 0.5921
K13: Final = 0.5900
K21: Final = 0.2470
K31: Final = 0.0146
KE0_PER_MIN: Final = 0.1
_NG_ML_PER_MG_L: Final = 1000.0
_S_PER_MIN: Final = 60.0
_TAYLOR_TERMS: Final = 12


class Kinetics:
    """Amounts in one body, moved on by equal steps with the exact solution of the linear model."""

    def __init__(self, weight_kg: float, step_s: float = 1.0) -> None:
        self._v1_l = V1_L_PER_KG * weight_kg
        per_mg = _NG_ML_PER_MG_L / self._v1_l
        # The fifth row stands for a constant inflow, so that one exponential serves both.
        flow = np.array(
            [
                [-(K10 + K12 + K13), K21, K31, 0.0, 1.0],
                [K12, -K21, 0.0, 0.0, 0.0],
                [K13, 0.0, -K31, 0.0, 0.0],
                [KE0_PER_MIN * per_mg, 0.0, 0.0, -KE0_PER_MIN, 0.0],
                [0.0, 0.0, 0.0, 0.0, 0.0],
            ]
        )
        self._step = _exponential(flow * (step_s / _S_PER_MIN))
        self._amounts = np.zeros(5)

    @property
    def plasma_ng_ml(self) -> float:
        """Concentration in the central compartment."""
        return float(self._amounts[0]) / self._v1_l * _NG_ML_PER_MG_L

    @property
    def effect_ng_ml(self) -> float:
        """Concentration at the effect site."""
        return float(self._amounts[3])

    def advance(self, rate_mg_min: float) -> None:
        """Let one step pass, the drug running in at `rate_mg_min` all the while."""
        self._amounts[4] = rate_mg_min
        self._amounts = self._step @ self._amounts


def _exponential(matrix: Floats) -> Floats:
    """Return e to the `matrix`: halve it until it is small, sum the series, square back."""
    halvings = max(0, int(np.ceil(np.log2(max(1e-12, float(np.abs(matrix).max()))))) + 4)
    small = matrix / 2.0**halvings
    term = total = np.eye(len(matrix))
    for order in range(1, _TAYLOR_TERMS + 1):
        term = term @ small / order
        total = total + term
    for _ in range(halvings):
        total = total @ total
    return total
