"""Products and machines: profiles that add up, resale that falls, GPUs paid for."""

from collections import defaultdict
from collections.abc import Iterator

from models.domain.portfolio import Portfolio
from models.domain.product import ProfilePoint
from models.findings import Finding
from optimizer.inputs.checks.register import doubt, error, reads

GPU_TERMS = ("gpu_payment_lag_q", "refresh_q", "refresh_cost_frac")


def _profiles(portfolio: Portfolio) -> dict[str, list[ProfilePoint]]:
    """Steps of each profile in order."""
    profiles: dict[str, list[ProfilePoint]] = defaultdict(list)
    for point in sorted(portfolio.profiles, key=lambda p: (p.profile, p.step)):
        profiles[point.profile].append(point)
    return profiles


@reads("profiles")
def profiles_contiguous(portfolio: Portfolio) -> Iterator[Finding]:
    """Steps run 0, 1, 2, ... without a gap."""
    for points in _profiles(portfolio).values():
        for n, point in enumerate(points):
            if point.step != n:
                yield error(
                    "profile-gap", point, "step", f"step {n} is missing", "number the steps 0, 1, 2, ..."
                )
                break


@reads("profiles", "products")
def spend_sums_to_one(portfolio: Portfolio) -> Iterator[Finding]:
    """Spend profiles pay for the whole."""
    profiles = _profiles(portfolio)
    used = {p.spend_profile for p in portfolio.products} | {p.gpu_spend_profile for p in portfolio.products}
    for name in sorted(used - {None}, key=str):
        points = profiles.get(name or "", [])
        total = sum(p.frac for p in points)
        if points and abs(total - 1.0) > 1e-6:
            remedy = "a spend profile sums to 1: correct its steps"
            yield error(
                "profile-sum", points[-1], "frac", f"the steps of '{name}' sum to {total:.6g}", remedy
            )


@reads("profiles", "products")
def ramps_below_one(portfolio: Portfolio) -> Iterator[Finding]:
    """No ramp goes beyond full use."""
    ramps = {p.ramp_profile for p in portfolio.products}
    for point in portfolio.profiles:
        if point.profile in ramps and point.frac > 1:
            yield error(
                "ramp-over-one", point, "frac", f"{point.frac:g} is more than full use", "write 1 or less"
            )


@reads("profiles", "machines")
def resale_falls(portfolio: Portfolio) -> Iterator[Finding]:
    """A machine sells below its new price, and never for more as it ages."""
    profiles = _profiles(portfolio)
    for name in sorted({m.resale_profile for m in portfolio.machines}):
        before = 1.0
        for point in profiles.get(name, []):
            if point.frac >= 1:
                message = f"a used machine would sell at {point.frac:g} of the new price"
                yield error("resale-over-new", point, "frac", message, "write a fraction below 1")
            elif point.frac > before:
                message = f"{point.frac:g} is above the {before:g} of a younger machine"
                yield error("resale-rises", point, "frac", message, f"write {before:g} or less")
            before = min(before, point.frac)


@reads("products")
def gpus_paid(portfolio: Portfolio) -> Iterator[Finding]:
    """GPUs have a spend profile, and only they."""
    for product in portfolio.products:
        gpus = product.gpu_capex_usd_m_per_mw > 0
        if gpus and product.gpu_spend_profile is None:
            message = "GPUs cost money, and no profile says when"
            yield error("gpu-profile", product, "gpu_spend_profile", message, "name a profile")
        if not gpus and product.gpu_spend_profile is not None:
            message = "there is no GPU capex to spend"
            yield error("gpu-profile", product, "gpu_spend_profile", message, "leave it empty")
        if not gpus and product.workload == "gpu_cloud":
            message = "a GPU cloud without GPUs"
            yield doubt(
                "gpu-profile", product, "gpu_capex_usd_m_per_mw", message, "write the cost of the GPUs"
            )


@reads("products")
def gpu_terms_whole(portfolio: Portfolio) -> Iterator[Finding]:
    """What is said of GPUs is said whole, and of products that have some."""
    for product in portfolio.products:
        terms = {name: getattr(product, name) for name in GPU_TERMS}
        said = [name for name, value in terms.items() if value is not None]
        if said and product.gpu_capex_usd_m_per_mw == 0:
            yield error("gpu-terms", product, said[0], "there are no GPUs", "leave it empty")
        elif (product.refresh_q is None) != (product.refresh_cost_frac is None):
            missing = "refresh_q" if product.refresh_q is None else "refresh_cost_frac"
            message = "GPUs are replaced at a cost, after so many quarters: one of the two is missing"
            yield error("gpu-terms", product, missing, message, "write both, or neither")


CHECKS = (
    profiles_contiguous,
    spend_sums_to_one,
    ramps_below_one,
    resale_falls,
    gpus_paid,
    gpu_terms_whole,
)
