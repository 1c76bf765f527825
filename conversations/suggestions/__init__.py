"""Reply suggestions (R185), learnt from good answers without personal data."""
