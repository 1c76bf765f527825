"""Reply suggestions (R185): learnt from what was answered well, and from nobody's data."""
