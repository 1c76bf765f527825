"""Visitors and the persons behind them: presence, page views, blocks and aliases."""
