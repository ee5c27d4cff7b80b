"""`inventory-sync`: the command line. One module per group of commands; exit codes 0 done, 1 failed, 2 wrong use,
3 refused by a safety rule."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory_sync import __version__
from inventory_sync.cli import (
    alerts,
    apply,
    brake,
    connection,
    connection_care,
    demo,
    explain,
    guide,
    jobs,
    ledger,
    migrate,
    orders,
    publish,
    quarantine,
    route,
    route_decide,
    route_push,
    route_stop,
    route_unmap,
    route_watch,
    runs,
    sandbox,
    serve,
    setup,
    status,
    stocktake,
    systems,
)
from inventory_sync.cli.spoken import Spoken

app = typer.Typer(
    name="inventory-sync",
    cls=Spoken,
    help="Keeps one stock ledger and several sales channels equal, in seconds, exactly once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"inventory-sync {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Set up by environment variables (INVENTORY_SYNC_…) and one configuration file (`apply`)."""


app.command("serve")(serve.serve)
app.command("migrate")(migrate.migrate)
app.command("apply")(apply.apply)
app.command("status")(status.status)
app.command("explain")(explain.show)
app.command("setup")(setup.setup)
app.command("guide")(guide.guide_command)
app.command("systems")(systems.systems)
app.command("demo")(demo.demo)
connection_care.register(connection.app)
app.add_typer(connection.app, name="connection")
route_decide.register(route.app)
route_push.register(route.app)
route_stop.register(route.app)
route_unmap.register(route.app)
route_watch.register(route.app)
stocktake.register(route.app)
app.add_typer(brake.app, name="brake")
app.add_typer(ledger.app, name="ledger")
app.add_typer(route.app, name="route")
app.add_typer(publish.app, name="publish")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(orders.app, name="orders")
app.add_typer(alerts.app, name="alerts")
app.add_typer(runs.app, name="run")
app.add_typer(jobs.app, name="job")
app.add_typer(sandbox.app, name="sandbox")


if __name__ == "__main__":
    app()
