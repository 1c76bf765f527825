"""The agents' face: the desk and its doors. No models."""
