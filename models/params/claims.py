"""What others than today's shareholders take, as a function of the plan's own share price lambda."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.domain.contract import ShareClaim
from models.domain.portfolio import Portfolio
from models.formulas.discounting import growth_factor
from models.formulas.options import warrant_value_usd
from models.formulas.value_per_share import root_lambda
from models.params.corporate_debt import RepurchaseOffer
from models.params.notes import NoteArrays
from models.params.outlook import Outlook
from models.units import QUARTERS_PER_YEAR

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Claims:
    """Prices claims at a given lambda. All results are in $M at the leaf."""

    portfolio: Portfolio
    outlook: Outlook

    def per_market_dollar(self, lam: float) -> Array:
        """c(n, lambda): leaf dollars that a market dollar of shares delivered at n costs. Shape (nodes,)."""
        outlook, firm = self.outlook, self.portfolio.firm
        ours = lam * outlook.expected_weight / outlook.share_price_usd
        if firm.equity_pricing == "market":
            return ours
        return np.maximum(ours, growth_factor(firm.cost_of_equity_frac, outlook.years_to_end))

    def leaf_spot(self, lam: float, issue: int, leaf: int) -> float:
        """Share price at a leaf that a note issued at ``issue`` is valued at."""
        outlook, firm = self.outlook, self.portfolio.firm
        ours = lam * outlook.leaf_weight[leaf]
        if firm.equity_pricing == "market":
            return ours
        k = float(growth_factor(firm.cost_of_equity_frac, float(outlook.years_to_end[issue])))
        theirs = float(outlook.share_price_usd[issue]) * k
        return max(ours, theirs * outlook.leaf_weight[leaf] / float(outlook.expected_weight[issue]))

    def note_at_leaf(self, lam: float, note: NoteArrays, leaf: int) -> float:
        """Claim of a note still outstanding at a leaf, per $ of principal issued."""
        spot = self.leaf_spot(lam, note.issue, leaf) if note.is_new else lam * self.outlook.leaf_weight[leaf]
        spread = self.portfolio.firm.straight_spread_frac
        worth = note.at_leaf(self.outlook, leaf, spot, spread)
        return float(note.outstanding[leaf]) * float(worth.net_frac)

    def note_delivered(self, lam: float, note: NoteArrays, leaf: int) -> float:
        """Claim of the shares delivered on the way to a leaf, net of the capped call, per $ of principal."""
        path = list(self.outlook.tree.path(leaf))
        net = (note.delivered - note.capped_call)[path]
        if not net.any():
            return 0.0
        if not note.is_new:
            return float(np.sum(net * self._at_our_price(lam, path, leaf)))
        return float(np.sum(net * self.per_market_dollar(lam)[path] * self._tilt(path, leaf)))

    def _at_our_price(self, lam: float, path: list[int], leaf: int) -> Array:
        """Leaf dollars per market dollar of shares that were promised before the plan: lambda g, no floor."""
        result: Array = lam * self.outlook.leaf_weight[leaf] / self.outlook.share_price_usd[path]
        return result

    def fair_cost_gap(self, lam: float, note: NoteArrays) -> float:
        """Leaf dollars per $ of principal by which a new note would be cheaper than straight debt.

        A deck in which the share falls makes notes look free to whoever foresees it; no lender of straight
        debt would be outbid so. What the note costs, discounted at the straight rate of its issue, must
        come to its proceeds at least.
        """
        outlook, firm = self.outlook, self.portfolio.firm
        if not note.is_new or firm.equity_pricing == "market":
            return 0.0
        n, tree = note.issue, outlook.tree
        row = outlook.rows[n]
        straight = row.base_rate_frac + row.spread_add_frac + firm.straight_spread_frac + note.add_frac
        grown = 1.0 + straight / QUARTERS_PER_YEAR
        to_leaf = grown ** -float(tree.horizon_q - tree.period[n])
        chance = tree.probability / tree.probability[n] * outlook.below[n]
        ages = np.array(tree.period) - tree.period[n] + 1.0
        paid = float(np.sum(chance * (note.coupon + note.principal) * grown**-ages))
        delivered = float(np.sum(chance * (note.delivered - note.capped_call) * self.per_market_dollar(lam)))
        left = sum(float(chance[leaf]) * self.note_at_leaf(lam, note, leaf) for leaf in tree.leaves_below(n))
        return float(max(0.0, note.net_frac - paid - to_leaf * (delivered + left)) / to_leaf)

    def repurchase(self, lam: float, offer: RepurchaseOffer, n: int) -> float:
        """Expected claim that buying back a whole tranche at node n leaves, seen from the root; negative.

        What it saves beyond what the price paid may earn is charged, as no gain from mispricing is allowed.
        """
        note = offer.retired[n]
        saved = note.principal_usd_m * self.note(lam, note)
        return float(self.outlook.tree.probability[n]) * self.repurchase_gain(lam, offer, n) - saved

    def repurchase_as_debt(self, offer: RepurchaseOffer, n: int) -> float:
        """The same at bond value, without any share price."""
        note = offer.retired[n]
        return -note.principal_usd_m * self.note_as_debt(note)

    def repurchase_gain(self, lam: float, offer: RepurchaseOffer, n: int) -> float:
        """Leaf dollars, at each leaf below, by which a whole tranche bought at n saves more than it may earn.

        A dollar paid may earn the rate of straight debt or the cost of equity, whichever is less.
        """
        outlook, firm, note = self.outlook, self.portfolio.firm, offer.retired[n]
        if firm.equity_pricing == "market":
            return 0.0
        tree, row = outlook.tree, outlook.rows[n]
        straight = row.base_rate_frac + row.spread_add_frac + firm.straight_spread_frac
        equity = (1.0 + firm.cost_of_equity_frac) ** (1.0 / QUARTERS_PER_YEAR)
        grown = min(1.0 + straight / QUARTERS_PER_YEAR, equity)
        chance = tree.probability / tree.probability[n] * outlook.below[n]
        since = np.array(tree.period) - float(tree.period[n])
        cash = float(np.sum(chance * (note.coupon + note.principal) * grown**-since))
        claimed = sum(
            float(chance[leaf]) * (self.note_at_leaf(lam, note, leaf) + self.note_delivered(lam, note, leaf))
            for leaf in tree.leaves_below(n)
        )
        to_end = grown ** (tree.horizon_q - 1.0 - tree.period[n])
        worth = note.principal_usd_m * (cash + claimed / to_end)
        return float(max(0.0, worth - offer.price_usd_m[n]) * to_end)

    def _tilt(self, path: list[int], leaf: int) -> Array:
        """g(l)/E[g|n]: how a claim priced in expectation at n falls on one leaf."""
        return self.outlook.leaf_weight[leaf] / self.outlook.expected_weight[path]

    def new_shares(self, lam: float, n: int, leaf: int) -> float:
        """Claim at a leaf of a gross market dollar of shares sold at node n."""
        return float(self.per_market_dollar(lam)[n] * self._tilt([n], leaf)[0])

    def payout(self, n: int, leaf: int) -> float:
        """What a dollar paid to the shareholders at the end of node n's quarter is worth at a leaf below.

        It grows at the cost of equity to the end, and falls on the leaves as a dollar of shares sold at n.
        """
        years = float(self.outlook.years_to_end[n]) - 1.0 / QUARTERS_PER_YEAR
        grown = float(growth_factor(self.portfolio.firm.cost_of_equity_frac, years))
        return grown * float(self._tilt([n], leaf)[0])

    def awards(self, lam: float, leaf: int) -> float:
        """Stock awarded over the horizon."""
        shares = self.portfolio.firm.award_shares_m_per_q * self.outlook.tree.horizon_q
        return lam * self.outlook.leaf_weight[leaf] * shares

    def share_claim(self, lam: float, claim: ShareClaim, leaf: int) -> float:
        """Warrants and options, valued as vested."""
        outlook = self.outlook
        tree, row = outlook.tree, outlook.rows[leaf]
        left_q = claim.expiry_quarter - (tree.quarter(leaf) + 1)
        if left_q >= 0:
            spot = lam * outlook.leaf_weight[leaf]
            per_share = warrant_value_usd(
                spot, claim.strike_usd, left_q / 4.0, row.share_vol_frac, row.base_rate_frac
            )
            return claim.shares_m * float(per_share)
        path = tree.path(leaf)
        n = path[max(0, claim.expiry_quarter - tree.first)]
        in_money = max(0.0, float(outlook.share_price_usd[n]) - claim.strike_usd)
        return claim.shares_m * in_money * float(self._at_our_price(lam, [n], leaf)[0])

    def expected(self, by_leaf: dict[int, float]) -> float:
        """Expectation over leaves."""
        return sum(float(self.outlook.tree.probability[leaf]) * x for leaf, x in by_leaf.items())

    def note(self, lam: float, note: NoteArrays) -> float:
        """Expected claim per $ of principal, seen from the root."""
        gap = self.fair_cost_gap(lam, note)
        return self.expected(
            {
                leaf: gap + self.note_at_leaf(lam, note, leaf) + self.note_delivered(lam, note, leaf)
                for leaf in self.outlook.tree.leaves_below(note.issue)
            }
        )

    def note_as_debt(self, note: NoteArrays) -> float:
        """Expected bond value of what the leaves owe per $ of principal; no share is charged."""
        spread = self.portfolio.firm.straight_spread_frac
        below = self.outlook.tree.leaves_below(note.issue)
        return self.expected(
            {
                leaf: float(note.outstanding[leaf])
                * float(note.at_leaf(self.outlook, leaf, 0.0, spread).bond_frac)
                for leaf in below
            }
        )

    def sold_share(self, lam: float, n: int) -> float:
        """Expected claim of a gross market dollar of shares sold at node n, seen from the root."""
        return float(self.outlook.tree.probability[n] * self.per_market_dollar(lam)[n])

    def signed_share_claim(self, lam: float, claim: ShareClaim, n: int) -> float:
        """Expected claim that vests by a signature at node n, seen from the root."""
        below = self.outlook.tree.leaves_below(n)
        return self.expected({leaf: self.share_claim(lam, claim, leaf) for leaf in below})

    def standing(self, lam: float, notes: tuple[NoteArrays, ...]) -> float:
        """Expected claims that no decision changes: awards, existing notes, vested share claims."""
        leaves = self.outlook.tree.leaves
        vested = [c for c in self.portfolio.share_claims if c.contract is None]
        total = self.expected({leaf: self.awards(lam, leaf) for leaf in leaves})
        total += sum(n.principal_usd_m * self.note(lam, n) for n in notes)
        return total + sum(self.signed_share_claim(lam, c, 0) for c in vested)

    def value_per_share(self, value_usd_m: float, claimed_usd_m: Callable[[float], float]) -> float:
        """The lambda that leaves a value nothing over its claims and today's shares; 0 under water. [USD]"""
        shares_m = self.portfolio.firm.basic_shares_m

        def surplus(lam: float) -> float:
            return value_usd_m - claimed_usd_m(lam) - lam * shares_m

        if surplus(0.0) <= 0.0:
            return 0.0
        return float(root_lambda(surplus, 0.0, 2.0 * abs(value_usd_m) / shares_m + 1.0))
