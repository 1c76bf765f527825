"""The house that the apps live in: settings, addresses, processes, engines, wiring."""
