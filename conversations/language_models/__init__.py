"""Language models, by a website's choice: masking, calls within a budget, and checked answers."""
