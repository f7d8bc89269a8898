"""By what a value is multiplied when somebody enters it in another unit than the one that was declared."""

from __future__ import annotations

USUAL: dict[str, tuple[float, ...]] = {
    "mm": (0.1, 1 / 25.4),
    "cm": (10.0, 0.01, 1 / 2.54),
    "m": (100.0, 1 / 0.3048),
    "km": (1000.0, 1 / 1.609344),
    "in": (2.54,),
    "ft": (0.3048,),
    "g": (0.001, 1000.0, 1 / 28.349523),
    "kg": (1000.0, 1 / 0.45359237),
    "lb": (0.45359237,),
    "mmHg": (0.133322, 0.1),
    "kPa": (7.50062, 10.0),
    "mg/dL": (0.0555, 0.02586, 10.0),
    "mmol/L": (18.016, 38.67),
    "kg/m²": (10.0, 1 / 703.07),
    "years": (12.0, 365.25),
    "months": (1 / 12,),
    "days": (24.0, 1 / 7),
    "hours": (60.0, 1 / 24),
    "%": (0.01,),
    "1": (100.0, 0.01),
}
"""Unit as a plan declares it to the factors of the units it is usually mistaken for: inches for centimetres, months for
years, a percentage for a share. mg/dL is mistaken for mmol/L by a factor that depends on the substance: that of glucose
and that of cholesterol stand here. Factors from NIST SP 811; mmol/L from the molar masses."""
