"""`tiny` in plain arithmetic, from docs/program.md and its README alone; the README prints these numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

TINY = Path(__file__).parents[2] / "data" / "portfolios" / "tiny"

HOURS = (2160, 2184, 2208, 2208)
SHARES, PRICE, STRIKE = 3.0, 8.0, 10.0
FLOOR, OPENING = 5.0, 10.0
FLEETS = {"mill": ("poor", 12.5), "dam": ("good", 20.0)}
MARGIN_USD_PER_MWH = {"good": 48 * 1000 / (24 * 20) - 40, "poor": 48 * 1000 / (24 * 40) - 40}
NEW_USD_M_PER_MW = {"good": 10 / 20, "poor": 2 / 40}
QUARTERS_LEFT = {"good": 16 - 8 - 4, "poor": 14 - 8 - 4}
GROSS_MW = 5 / 0.8
RENT, OPEX = 155 * 0.003 * 5, 25 * 0.003 * 5
NOI = RENT - OPEX
SPEND = (0.4 * 30.0, 0.6 * 30.0, 0.0, 0.0)
ATM_NET = (1 - 0.03) * (1 - 0.02)
NOTE_NET, COUPON = 1 - 0.03, 0.06 / 4
RISKLESS = 1.01**-8
"""The strike's present value: 12 quarters of the note less the 4 planned, at 4 % a year."""


def annuity(rate: float, quarters: int) -> float:
    """Present value of 1 at the end of each quarter."""
    return (1 - (1 + rate) ** -quarters) / rate


def margin(machine: str, quarter: int) -> float:
    """Mining margin of a MW in a quarter. [$M]"""
    return MARGIN_USD_PER_MWH[machine] * HOURS[quarter] / 1e6


def resale(machine: str, quarter: int) -> float:
    """What a MW fetches, eight quarters old in the first quarter; 5 % of new less in each. [$M]"""
    return NEW_USD_M_PER_MW[machine] * (0.40 - 0.05 * quarter)


def run_off(machine: str) -> float:
    """What a MW earns after the horizon until its life is over. [$M]"""
    return margin(machine, 3) * annuity(0.05, QUARTERS_LEFT[machine])


class Loan:
    """The bank's notes on one module: sized, drawn, served. Quarters are 0 to 3. [$M]"""

    rate = 0.06 / 4
    cover = NOI / 1.35 * annuity(rate, 16)
    reserve_frac = 1 / annuity(rate, 16)
    kappa = 0.01 + 2 * rate + reserve_frac
    by_cost = 0.5 * 30 / (1 - 0.5 * kappa)
    loan = min(cover, by_cost)
    fee = 0.01 * loan
    service = loan / cover * NOI / 1.35
    reserve = reserve_frac * loan
    draws = (0.4 * loan * (1 - kappa), 0.6 * loan * (1 - kappa), 0.0, 0.0)
    escrow = (loan - fee, loan - fee - rate * loan - draws[0])
    """At the opening of the two quarters of building."""
    left = escrow[1] - rate * loan - draws[1]
    """In escrow at go-live: the reserve."""
    escrow_income = (0.01 * escrow[0], 0.01 * escrow[1], 0.0, 0.0)
    balance_3 = loan * (1 + rate) - service
    balance = (loan, loan, balance_3, balance_3 * (1 + rate) - service)
    interest = (rate * loan, rate * loan, rate * loan, rate * balance_3)
    interest_paid = (0.0, 0.0, *interest[2:])
    principal = (0.0, 0.0, service - interest[2], service - interest[3])
    restricted = (escrow[1], reserve, reserve, reserve)


@dataclass(frozen=True)
class Candidate:
    """One way to go; amounts raised are gross. [$M]"""

    name: str
    site: str = "mill"
    modules: int = 0
    financed: int = 0
    note: float = 0.0
    atm: float = 0.0

    def on_mw(self, site: str, quarter: int) -> float:
        """Machines that run: a module takes its gross MW from the quarter before go-live on."""
        taken = GROSS_MW * self.modules if site == self.site and quarter >= 1 else 0.0
        return FLEETS[site][1] - taken

    @cached_property
    def lines(self) -> dict[str, tuple[float, ...]]:
        """Cash of the company and its sites by line and quarter."""
        n, f = self.modules, self.financed
        mining = [sum(self.on_mw(s, q) * margin(m, q) for s, (m, _) in FLEETS.items()) for q in range(4)]
        sale = GROSS_MW * n * resale(FLEETS[self.site][0], 1)
        return {
            "mining margin": tuple(mining),
            "machine sale": (0.0, sale, 0.0, 0.0),
            "overhead": (-1.0,) * 4,
            "fixed cost": (-0.4,) * 4,
            "module spend": tuple(-n * x for x in SPEND),
            "rent": (0.0, 0.0, n * RENT, n * RENT),
            "opex": (0.0, 0.0, -n * OPEX, -n * OPEX),
            "project draws": tuple(f * x for x in Loan.draws),
            "escrow income": tuple(f * x for x in Loan.escrow_income),
            "project interest": tuple(-f * x for x in Loan.interest_paid),
            "project principal": tuple(-f * x for x in Loan.principal),
            "convert proceeds": (NOTE_NET * self.note, 0.0, 0.0, 0.0),
            "convert coupon": (-COUPON * self.note,) * 4,
            "equity proceeds": (0.0, ATM_NET * self.atm, 0.0, 0.0),
        }

    @cached_property
    def cash(self) -> tuple[float, ...]:
        """At the end of each quarter."""
        held, found = OPENING, []
        for q in range(4):
            held += sum(line[q] for line in self.lines.values())
            found.append(held)
        return tuple(found)

    @cached_property
    def value(self) -> dict[str, float]:
        """Lines of value at the end of the last quarter."""
        n, f = self.modules, self.financed
        return {
            "cash": self.cash[3],
            "restricted": f * Loan.reserve,
            "project debt": -f * Loan.balance[3],
            "offered contracts": n * NOI * annuity(0.02, 18),
            "residuals": n * 0.25 * 30 * 1.02**-18,
            "machines": sum(self.on_mw(s, 3) * max(resale(m, 3), run_off(m)) for s, (m, _) in FLEETS.items()),
            "land and power": 0.5 * (32.5 - GROSS_MW * n),
            "overhead": -1.4 * annuity(0.02, 8),
        }

    @cached_property
    def total(self) -> float:
        """Value before claims."""
        return sum(self.value.values())

    @property
    def as_debt(self) -> float:
        """What `--objective value` counts: notes at their bond value, which is par, and shares at nothing."""
        return self.total - self.note

    @property
    def shares(self) -> float:
        """Basic shares, shares sold and shares that the note converts into."""
        return SHARES + self.atm / PRICE + self.note / STRIKE

    @cached_property
    def per_share(self) -> float:
        """Lambda: V - F (1 - v) = lambda (N + A/S + F/K)."""
        found = (self.total - self.note * (1 - RISKLESS)) / self.shares
        assert found / PRICE > 1.12  # the plan's own price, not the cost of equity, prices new shares,
        assert (
            found > 1.05 * STRIKE * RISKLESS
        )  # and the note's option is so far in the money that it is S - K v
        return found

    @property
    def note_claim(self) -> float:
        """Bond at par and option on F/K shares."""
        return self.note * (1 + self.per_share / STRIKE - RISKLESS)

    @property
    def share_claim(self) -> float:
        """Of new shares."""
        return self.atm / PRICE * self.per_share


def short_of_floor(site: str, modules: int, financed: int) -> float:
    """Cash that lacks at the end of the second quarter, the tightest, when nothing is raised."""
    return FLOOR - Candidate("", site, modules, financed).cash[1]


def _candidates() -> Iterator[Candidate]:
    """Each raises what lacks; of a dollar of the note two coupons are paid by then."""
    by_q2 = NOTE_NET - 2 * COUPON
    one, two, dam = short_of_floor("mill", 1, 1), short_of_floor("mill", 2, 2), short_of_floor("dam", 1, 1)
    yield Candidate("A nothing")
    yield Candidate("B one at mill, ATM", "mill", 1, 1, atm=one / ATM_NET)
    yield Candidate("C one at mill, note", "mill", 1, 1, note=one / by_q2)
    bare = short_of_floor("mill", 1, 0)
    yield Candidate("D one at mill, no loan", "mill", 1, 0, note=10.0, atm=(bare - by_q2 * 10) / ATM_NET)
    yield Candidate("E one at dam, note", "dam", 1, 1, note=dam / by_q2)
    yield Candidate("F two at mill, note first", "mill", 2, 2, note=10.0, atm=(two - by_q2 * 10) / ATM_NET)
    yield Candidate("G two at mill, ATM first", "mill", 2, 2, note=(two - ATM_NET * 16) / by_q2, atm=16.0)


CANDIDATES = {c.name[0]: c for c in _candidates()}
NOTHING, PER_SHARE, GREATEST = CANDIDATES["A"], CANDIDATES["C"], CANDIDATES["G"]


def costs(price: float) -> dict[str, float]:
    """Dollars at the end of the horizon for a dollar in hand at the end of the second quarter."""
    one = Loan
    repaid = 2 * one.service + one.balance[3] - one.reserve
    return {
        "own cash": 1.0,
        "loan": repaid / (sum(one.draws) + sum(one.escrow_income)),
        "note": (1 + price / STRIKE - RISKLESS + 2 * COUPON) / (NOTE_NET - 2 * COUPON),
        "ATM": price / PRICE / ATM_NET,
    }


Numbers = dict[str, tuple[float, ...]]


def tables() -> dict[str, Numbers]:
    """Every table of results in the README: its heading, then numbers by row."""
    every = list(CANDIDATES.values())
    loan = Loan
    return {
        "Mining": {
            "hashprice, $ per PH/s and day": (48.0,),
            "good: revenue, $ per MWh": (100.0,),
            "poor: revenue, $ per MWh": (50.0,),
            "good: margin, $ per MWh": (60.0,),
            "poor: margin, $ per MWh": (10.0,),
        },
        "Mining by quarter": {
            "hours": HOURS,
            **{f"{m}: margin per MW": tuple(margin(m, q) for q in range(4)) for m in ("good", "poor")},
            "dam: 20 MW of good": tuple(20 * margin("good", q) for q in range(4)),
            "mill: 12.5 MW of poor": tuple(12.5 * margin("poor", q) for q in range(4)),
            "mill: 6.25 MW of poor": tuple(6.25 * margin("poor", q) for q in range(4)),
        },
        "Machines after the horizon": {
            "good: 4 quarters at 5 %": (annuity(0.05, 4),),
            "poor: 2 quarters at 5 %": (annuity(0.05, 2),),
            "good: run-off per MW": (run_off("good"),),
            "poor: run-off per MW": (run_off("poor"),),
            "good: resale per MW at the horizon": (resale("good", 3),),
            "poor: resale per MW at the horizon": (resale("poor", 3),),
            "good: resale per MW in 2027Q2": (resale("good", 1),),
            "poor: resale per MW in 2027Q2": (resale("poor", 1),),
        },
        "One module": {
            "gross MW": (GROSS_MW,),
            "capex": (30.0,),
            "spend in 2027Q1": (SPEND[0],),
            "spend in 2027Q2": (SPEND[1],),
            "rent a quarter": (RENT,),
            "opex a quarter": (OPEX,),
            "NOI a quarter": (NOI,),
            "18 quarters at 2 %": (annuity(0.02, 18),),
            "signed contract at the horizon": (NOI * annuity(0.02, 18),),
            "residual at the horizon": (7.5 * 1.02**-18,),
        },
        "The loan on one module": {
            "16 quarters at 1.5 %": (annuity(0.015, 16),),
            "by coverage (P0)": (loan.cover,),
            "reserve per $ of loan": (loan.reserve_frac,),
            "kappa": (loan.kappa,),
            "by cost": (loan.by_cost,),
            "loan, the smaller": (loan.loan,),
            "fee": (loan.fee,),
            "service a quarter": (loan.service,),
            "reserve": (loan.reserve,),
            "for spend": (sum(loan.draws),),
        },
        "The loan by quarter": {
            "draw for spend": loan.draws,
            "interest": loan.interest,
            "principal": loan.principal,
            "balance": loan.balance,
            "escrow at the opening": (*loan.escrow, loan.reserve, loan.reserve),
            "escrow income": loan.escrow_income,
            "escrow and reserve at the end": loan.restricted,
        },
        **{
            f"Cash: {c.name}": {
                "opening cash": (OPENING, *c.cash[:3]),
                **{name: line for name, line in c.lines.items() if any(line)},
                "closing cash": c.cash,
            }
            for c in (NOTHING, PER_SHARE, GREATEST)
        },
        "Short at the end of 2027Q2": {
            "one at mill": (short_of_floor("mill", 1, 1),),
            "one at mill, no loan": (short_of_floor("mill", 1, 0),),
            "one at dam": (short_of_floor("dam", 1, 1),),
            "two at mill": (short_of_floor("mill", 2, 2),),
        },
        "What is raised": {c.name: (c.note, c.atm) for c in every[1:]},
        "Cash by candidate": {c.name: c.cash for c in every},
        "Value at the horizon": {
            **{line: tuple(c.value[line] for c in every) for line in NOTHING.value},
            "V": tuple(c.total for c in every),
        },
        **{
            f"Value line by line: {c.name}": {
                **{line: (amount,) for line, amount in c.value.items()},
                "V": (c.total,),
                "v": (RISKLESS,),
                "lambda": (c.per_share,),
                "claim of the note": (c.note_claim,),
                "claim of new shares": (c.share_claim,),
                "left to today's 3M shares": (SHARES * c.per_share,),
            }
            for c in (PER_SHARE, GREATEST)
        },
        "Claims and value per share": {
            "V": tuple(c.total for c in every),
            "F": tuple(c.note for c in every),
            "A": tuple(c.atm for c in every),
            "V - F (1 - v)": tuple(c.total - c.note * (1 - RISKLESS) for c in every),
            "3 + F/10 + A/8": tuple(c.shares for c in every),
            "lambda": tuple(c.per_share for c in every),
            "claim of the note": tuple(c.note_claim for c in every),
            "claim of new shares": tuple(c.share_claim for c in every),
            "left to today's 3M shares": tuple(SHARES * c.per_share for c in every),
            "V - F": tuple(c.as_debt for c in every),
        },
        "What a dollar costs": {
            name: (each, debt)
            for (name, each), debt in zip(
                costs(PER_SHARE.per_share).items(),
                (1.0, costs(0.0)["loan"], (1 + 2 * COUPON) / (NOTE_NET - 2 * COUPON), 0.0),
                strict=True,
            )
        },
        "The two plans": {
            "modules": (1, 2),
            "loan": (loan.loan, 2 * loan.loan),
            "note": (PER_SHARE.note, GREATEST.note),
            "ATM": (PER_SHARE.atm, GREATEST.atm),
            "value, notes as debt": (PER_SHARE.as_debt, GREATEST.as_debt),
            "value per share": (PER_SHARE.per_share, GREATEST.per_share),
            "yearly return on $8": (PER_SHARE.per_share / 8 - 1, GREATEST.per_share / 8 - 1),
        },
    }
