"""The clock of the tests of moving."""

from tests.clock import clock  # noqa: F401 - a fixture
