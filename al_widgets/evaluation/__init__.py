"""Evaluation: accuracy that stays honest, forecasts, cost, advice when to stop."""
