"""All figures, each defined once. Importing the package fills the registry."""

from reporting.figures import calls, deflection, experience, flow, presence, sales, staff
from reporting.figures.registry import FIGURES, Figure, Unit, of

__all__ = [
    "FIGURES",
    "Figure",
    "Unit",
    "calls",
    "deflection",
    "experience",
    "flow",
    "of",
    "presence",
    "sales",
    "staff",
]
