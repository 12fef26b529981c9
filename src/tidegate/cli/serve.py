"""`tidegate serve`: decisions over HTTP."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.challenger_beside import ChallengerPlace, ShadowPath, challenger_beside, challenger_figures
from tidegate.cli.logs import LogFormat, write_logs
from tidegate.cli.options import DEFAULT_MODELS, DEFAULT_STORE, FlowPlace, ModelsPath, OtherFlowOk, WithoutModels
from tidegate.cli.terminal import aside, ready
from tidegate.cli.traces import TracesShare, TracesTo, traces_to
from tidegate.connectors.store_address import Address

if TYPE_CHECKING:
    from tidegate.runtimes.serve.server import Server
    from tidegate.runtimes.serve.tls import Tls


def serve(
    flow: FlowPlace,
    store: Annotated[
        Address,
        typer.Option(
            "--store",
            "-s",
            envvar="TIDEGATE_STORE",
            parser=Address,
            metavar="STORE",
            help="Where decisions are kept; made if it is not there.",
        ),
    ] = DEFAULT_STORE,
    other_flow_ok: OtherFlowOk = False,
    models: ModelsPath = DEFAULT_MODELS,
    without_models: WithoutModels = False,
    host: Annotated[str, typer.Option(help="Address to listen on; any but loopback needs --keys.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    keys: Annotated[Path | None, typer.Option(help="File of API keys; see `tidegate keys add`.")] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", help="Serve HTTPS: the certificate and its issuers', in PEM.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", help="The certificate's private key, in PEM, without a passphrase.")
    ] = None,
    queue: Annotated[int, typer.Option(min=1, help="Events that may wait; beyond it the answer is 429.")] = 4096,
    ahead: Annotated[
        float, typer.Option(min=0, help="Seconds that an event's time may be ahead of the clock.")
    ] = 300.0,
    register: Annotated[
        Path | None,
        typer.Option("--register", "-r", help="Serve what this register releases of the flow, as it is released."),
    ] = None,
    challenger: ChallengerPlace = "",
    shadow: ShadowPath = None,
    alerts: Annotated[
        list[str], typer.Option("--alerts", help="Tell these of every decision too; see `tidegate alerts deliver`.")
    ] = [],
    explain: Annotated[
        bool, typer.Option("--explain", help="Put every feature's value, and reasons, into every decision.")
    ] = False,
    access_log: Annotated[
        bool, typer.Option("--access-log", help="Write a line of JSON for each request to stderr.")
    ] = False,
    traces: TracesTo = "",
    traces_share: TracesShare = 1.0,
    log_format: LogFormat = "text",
    verbose: Annotated[bool, typer.Option("--verbose", help="Tell more of what goes on.")] = False,
) -> None:
    """Serve decisions over HTTP; each is on the disk before it is answered.

    SIGTERM and Ctrl-C stop it: what was taken is answered, and a snapshot written. Keys are read again when their file
    changes, and everything on SIGHUP.
    """
    write_logs(log_format, verbose=verbose)
    ready()
    import logging

    from tidegate.cli.alerts_beside import delivery_beside, telling_figures
    from tidegate.decisions.cautions import cautions
    from tidegate.runtimes.load import load_flow
    from tidegate.runtimes.models import require_models
    from tidegate.runtimes.serve.limits import Limits
    from tidegate.runtimes.serve.listening import is_loopback
    from tidegate.runtimes.serve.server import Server
    from tidegate.runtimes.serve.settings import Settings
    from tidegate.runtimes.sinks import receivers

    logging.getLogger("tidegate.access").setLevel("INFO" if access_log else "WARNING")
    served = load_flow(flow)
    settings = Settings(
        flow=served,
        store=store,
        models=models,
        host=host,
        port=port,
        keys=keys,
        tls_cert=tls_cert,
        tls_key=tls_key,
        access_log=access_log,
        traces=traces_to(traces, traces_share, served.definition.name),
        explain=explain,
        register=register,
        other_flow_ok=other_flow_ok,
        limits=Limits(queue=queue, ahead=ahead),
    )
    if not without_models:
        require_models(settings.flow.definition, models)
    beside = challenger_beside(challenger, store, shadow, models, log_format)
    told = receivers(alerts)
    telling = delivery_beside(alerts, store, settings.flow.definition, log_format)
    server = Server(settings)
    console = aside()
    for caution in cautions(settings.flow.definition):
        console.print(f"[yellow]{caution.title}[/]  {caution.what}", soft_wrap=True)
    if server.tls is not None:
        _tell_certificate(server.tls)
    elif not is_loopback(host):
        console.print(
            f"[yellow]No TLS[/] on {host}: keys, events and decisions can be read and changed on their way. Give "
            "--tls-cert and --tls-key, unless something in front of this server speaks TLS for it.",
            soft_wrap=True,
        )
    console.print(f"{settings.flow.definition.name} gets ready on {server.url} …", style="dim", soft_wrap=True)

    def begin(server: "Server") -> None:
        _tell(server)
        if beside is not None:
            server.application.metrics.gauges |= challenger_figures(beside)
            beside.start()
        if telling is not None:
            server.application.metrics.gauges |= telling_figures(telling, store, told)
            telling.start()

    try:
        server.run(begin)
    finally:
        for companion in (beside, telling):
            if companion is not None:
                companion.stop()
    console.print("Stopped; everything that was taken is answered and kept.", style="dim")


def _tell_certificate(tls: "Tls") -> None:
    from datetime import UTC, datetime, timedelta

    colour = "yellow" if tls.until - datetime.now(UTC) < timedelta(days=14) else "dim"
    said = f"The certificate is for {', '.join(tls.names) or 'no host by name'}, until {tls.until:%Y-%m-%d %H:%M} UTC."
    aside().print(said, style=colour, soft_wrap=True)


def _tell(server: "Server") -> None:
    from rich.text import Text

    from tidegate.runtimes.serve.page import curl

    console = aside()
    console.print(
        Text.assemble(("Ready on ", "bold"), (server.url, "cyan"), (f", docs at {server.url}/docs", "")), soft_wrap=True
    )
    console.print(Text(curl(server.url, server.sample, keys=server.keyed)), soft_wrap=True)
