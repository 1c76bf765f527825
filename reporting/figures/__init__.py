"""All figures, each defined once. Importing the package fills the registry."""

from reporting.figures import calls, experience, flow, presence, sales, staff
from reporting.figures.registry import FIGURES, Figure, Unit, of

__all__ = [
    "FIGURES",
    "Figure",
    "Unit",
    "calls",
    "experience",
    "flow",
    "of",
    "presence",
    "sales",
    "staff",
]
