"""Oxygen and carbon dioxide in one body, breath rate in, partial pressures out.

Lungs of 2.5 L; CO2 in a small arterial pool before a large tissue pool, so that apnoea raises PaCO2
by about 8 mmHg in the first minute and 3 to 4 a minute after; oxygen in the lungs and, along the
dissociation curve, in blood. Sizes are ours, fitted to those rises and to a fall below 90 % within
about a minute of apnoea on room air; a textbook rate, not one patient's.
"""

from typing import Final

# Standard pressures and volumes; 863 turns mL (STPD) per litre (BTPS) into mmHg.
_STPD_TO_BTPS: Final = 0.863
_VCO2_ML_MIN: Final = 200.0
_VO2_ML_MIN: Final = 250.0
_INSPIRED_O2_MMHG: Final = 0.21 * (760 - 47)
_ARTERIAL_CO2_ML_PER_MMHG: Final = 6.0
_TISSUE_CO2_ML_PER_MMHG: Final = 50.0
_CO2_FLOW_ML_MIN_MMHG: Final = 33.3
_LUNG_O2_ML_PER_MMHG: Final = 2.9
_BLOOD_O2_ML: Final = 1000.0
_PAO2_MIN: Final = 15.0
_S_PER_MIN: Final = 60.0
REFERENCE_KG: Final = 70.0


def saturation(po2_mmhg: float) -> float:
    """Return the oxygen saturation in % at `po2_mmhg` (Severinghaus 1979)."""
    if po2_mmhg <= 0:
        return 0.0
    return 100.0 / (23400.0 / (po2_mmhg**3 + 150.0 * po2_mmhg) + 1.0)


class Gases:
    """Arterial CO2 and alveolar O2, moved on second by second.

    `rest_rate` breaths a minute hold `rest_paco2` mmHg: that sets how much each breath moves.
    """

    def __init__(self, rest_paco2: float, rest_rate: float) -> None:
        self.paco2 = rest_paco2
        self._litres_per_breath = _STPD_TO_BTPS * _VCO2_ML_MIN / rest_paco2 / rest_rate
        self._tissue_co2 = rest_paco2 + _VCO2_ML_MIN / _CO2_FLOW_ML_MIN_MMHG
        ventilation = self._litres_per_breath * rest_rate
        self.pao2 = _INSPIRED_O2_MMHG - _STPD_TO_BTPS * _VO2_ML_MIN / ventilation

    def advance(self, breaths_per_min: float) -> None:
        """Let one second pass with `breaths_per_min`."""
        ventilation = self._litres_per_breath * breaths_per_min / _STPD_TO_BTPS
        self._advance_co2(ventilation)
        self._advance_o2(ventilation)

    def _advance_co2(self, ventilation: float) -> None:
        arriving = _CO2_FLOW_ML_MIN_MMHG * (self._tissue_co2 - self.paco2)
        self._tissue_co2 += (_VCO2_ML_MIN - arriving) / _TISSUE_CO2_ML_PER_MMHG / _S_PER_MIN
        self.paco2 += (arriving - ventilation * self.paco2) / _ARTERIAL_CO2_ML_PER_MMHG / _S_PER_MIN

    def _advance_o2(self, ventilation: float) -> None:
        slope = (saturation(self.pao2 + 0.5) - saturation(self.pao2 - 0.5)) / 100.0
        store = _LUNG_O2_ML_PER_MMHG + _BLOOD_O2_ML * slope
        arriving = ventilation * (_INSPIRED_O2_MMHG - self.pao2) - _VO2_ML_MIN
        self.pao2 = max(_PAO2_MIN, self.pao2 + arriving / store / _S_PER_MIN)
