"""What a machine earns that stops in the hours in which power costs more than hashing pays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Num = float | NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class MachineMargin:
    """Results per hour of rated availability, averaged over all hours, running or not."""

    margin_usd_per_mwh: NDArray[np.float64]
    running_frac: NDArray[np.float64]
    """Share of the price quantiles in which the machine runs."""
    energy_price_usd_per_mwh: NDArray[np.float64]
    """Mean price over the running hours only; 0 where it never runs."""


def machine_margin(
    revenue_usd_per_mwh: Num, prices_usd_per_mwh: NDArray[np.float64], variable_cost_usd_per_mwh: Num
) -> MachineMargin:
    """Margin of a machine that runs where revenue exceeds power and variable cost.

    Parameters
    ----------
    revenue_usd_per_mwh : float or ndarray of shape (...)
        Mining revenue. [$/MWh]
    prices_usd_per_mwh : ndarray of shape (..., D)
        Mean power price of each of D equally long price quantiles. [$/MWh]
    variable_cost_usd_per_mwh : float or ndarray of shape (...)
        Other cost of running. [$/MWh]

    Returns
    -------
    MachineMargin, arrays of shape (...).

    Notes
    -----
    margin = mean over d of max(0, revenue - price_d - variable cost): the value of the right to stop.

    Examples
    --------
    >>> result = machine_margin(50.0, np.array([10.0, 30.0, 70.0, 90.0]), 0.0)
    >>> float(result.margin_usd_per_mwh), float(result.running_frac), float(result.energy_price_usd_per_mwh)
    (15.0, 0.5, 20.0)
    """
    worth_usd_per_mwh = np.asarray(revenue_usd_per_mwh) - np.asarray(variable_cost_usd_per_mwh)
    margin_usd_per_mwh = np.maximum(0.0, worth_usd_per_mwh[..., None] - prices_usd_per_mwh)
    runs = margin_usd_per_mwh > 0.0
    paid_usd_per_mwh = np.where(runs, prices_usd_per_mwh, 0.0).sum(axis=-1)
    return MachineMargin(
        margin_usd_per_mwh=margin_usd_per_mwh.mean(axis=-1),
        running_frac=runs.mean(axis=-1),
        energy_price_usd_per_mwh=paid_usd_per_mwh / np.maximum(1, runs.sum(axis=-1)),
    )


def scaled_shape(
    deciles_usd_per_mwh: NDArray[np.float64], shape_mean_usd_per_mwh: float, mean_usd_per_mwh: Num
) -> NDArray[np.float64]:
    """Price quantiles of a market scaled to the mean of each quarter.

    Parameters
    ----------
    deciles_usd_per_mwh : ndarray of shape (D,)
        Mean price of each quantile, cheapest first. [$/MWh]
    shape_mean_usd_per_mwh : float, not 0
        Mean that the shape stands for. [$/MWh]
    mean_usd_per_mwh : float or ndarray of shape (...)
        Mean price wanted. [$/MWh]

    Returns
    -------
    ndarray of shape (..., D). [$/MWh]

    Examples
    --------
    >>> scaled_shape(np.array([10.0, 30.0]), 20.0, 40.0).tolist()
    [20.0, 60.0]
    """
    factor = np.asarray(mean_usd_per_mwh) / shape_mean_usd_per_mwh
    scaled: NDArray[np.float64] = factor[..., None] * deciles_usd_per_mwh
    return scaled
