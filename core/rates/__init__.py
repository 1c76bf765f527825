"""Rate limits at the doors that anybody can knock at, counted in Valkey (docs/adr/0035)."""
