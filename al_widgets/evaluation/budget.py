"""How much of a budget is spent, and what to say about it. Pure."""

from __future__ import annotations

from al_widgets.records import Budget, BudgetUse


def budget_use(budget: Budget, *, seconds: float, money: float | None, labels: int) -> BudgetUse:
    """Compare what was spent with the limits.

    Parameters
    ----------
    budget : Budget
    seconds : float
        Spent by all annotators, pauses taken out.
    money : float or None
    labels : int
        Answers that name a class.

    Returns
    -------
    BudgetUse
        Its `share` and `message` are those of the limit that is nearest.
    """
    uses = []
    if budget.labels is not None:
        uses.append((labels / budget.labels, f"{labels:,} of {budget.labels:,} labels"))
    if budget.hours is not None:
        unit, length = ("hours", 3600) if budget.hours >= 1 else ("minutes", 60)
        limit = budget.hours * 3600
        uses.append((seconds / limit, f"{seconds / length:.2f} of {limit / length:.4g} {unit}"))
    if budget.money is not None and money is not None:
        uses.append((money / budget.money, f"{money:,.2f} of {budget.money:,.2f} in money"))
    share, figures = max(uses, default=(0.0, ""))
    message = ""
    if share >= 1:
        message = f"The budget is spent: {figures}. Nothing more is asked; every answer is kept."
    elif share >= budget.warn:
        message = f"The budget is nearly spent: {figures}."
    return BudgetUse(budget, seconds / 3600, money, labels, share, message)
