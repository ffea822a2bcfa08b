"""What the HTTP face is handed: the works behind it, and who may come in."""

import asyncio
import time

from demurrage.app.assembly import VERSION, Works
from demurrage.app.settings import Settings
from demurrage.provider.budget import BudgetSnapshot
from demurrage.web.doors import Doors, host_names
from demurrage.web.service import Service


def service_of(works: Works) -> Service:
    """The daemon as its doors see it; to be made inside the event loop."""
    settings = works.settings

    def budget(target: str) -> BudgetSnapshot:
        return works.budgets[settings.budget_group(target)].snapshot()

    return Service(
        engine=works.engine,
        store=works.state.store,
        log=works.state.log,
        rules={name: settings.rules(name) for name in settings.targets},
        mode=settings.mode,
        version=VERSION,
        started_at=asyncio.get_running_loop().time(),
        clock=time.time,
        budget=budget,
        exposition=works.metrics.exposition,
        on_webhook=works.metrics.webhook,
        webhook_secrets=settings.secrets.webhook_secrets,
        runbooks_url=settings.alerts.runbooks_url,
    )


def doors_of(settings: Settings) -> Doors:
    """Tokens and names for the main address."""
    return Doors(
        events_token=settings.secrets.events_token,
        admin_token=settings.secrets.admin_token,
        allowed_hosts=host_names(settings.http.address.host),
    )


def ops_doors_of(settings: Settings) -> Doors:
    """Names for the second address, which shows probes and metrics to anyone who reaches it."""
    address = settings.http.ops_address or settings.http.address
    return Doors(allowed_hosts=host_names(address.host))
