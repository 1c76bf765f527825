"""Sales: purchases that shops report, refunds, and which conversation each one counts for."""
