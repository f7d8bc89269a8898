"""`proofline factories`: the sites that are known, and what a job has to say at each."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from configs import errors
from configs.factories import profile as profiles

NAMES = {
    "qos_rule": "quality of service",
    "gpu_memory_gb": "GPU memory, GB",
    "gpu_watts": "GPU rated power, W",
    "memory_per_gpu_gb": "memory per GPU, GB",
    "compute_internet": "internet on compute nodes",
    "login_internet": "internet on login nodes",
    "grid_g_per_kwh": "grid, g CO2 eq./kWh",
    "pue": "power usage effectiveness",
    "cpus_per_gpu": "CPUs per GPU",
    "cpus_rule": "CPUs per GPU are",
    "cpus_per_node": "CPUs per node",
    "gpus_per_node": "GPUs per node",
    "job_hours": "longest job, hours",
    "gpu_flag": "GPUs are asked for by",
}
"""Fields whose names are no words."""


@click.command("factories")
@click.argument("words", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="The profiles as JSON.")
def command(words: tuple[str, ...], *, as_json: bool) -> int:
    """List the sites where a training can run, or explain one.

    \b
      proofline factories                what there is
      proofline factories show LUMI      what a job has to say there, with source and day

    A plan names a site under `factory: {site: lumi, account: …}`. Sites change their rules: every fact carries its
    source, the day it was checked, and whether it was confirmed.
    """  # noqa: D301 - click reads \b as the mark of a block
    asked = " ".join(words[1:] if words and words[0] == "show" else words).strip()
    if words and words[0] == "show" and not asked:
        raise errors.PlanError(
            f"factories show: expected the name of a site, got none. Known are {', '.join(profiles.names())}."
        )
    found = [profiles.load(asked)] if asked else [profiles.load(name) for name in profiles.names()]
    if as_json:
        content = [p.model_dump(mode="json", exclude_defaults=True) for p in found]
        click.echo(json.dumps(content[0] if asked else content, indent=2, ensure_ascii=False))
    elif asked:
        _show(found[0], Console(highlight=False))
    else:
        _list(found, Console(highlight=False))
    return errors.EXIT_PASS


def _list(found: list[profiles.Profile], console: Console) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    heads = ("site", "name", "GPUs of a node", "account", "QoS", "job", "net")
    # A narrow terminal takes room from names and models, never from what a job has to say.
    whole = {head: max(len(head), *(len(_said(p)[head]) for p in found)) for head in heads if head in _said(found[0])}
    left = max(20, console.width - sum(whole.values()) - 2 * (len(heads) - 1))
    widths = whole | {"name": left // 2, "GPUs of a node": left - left // 2}
    for head in heads:
        table.add_column(head, no_wrap=True, overflow="ellipsis", max_width=widths[head], min_width=whole.get(head))
    for p in found:
        model = (p.accelerator.value or "").removeprefix("NVIDIA ")
        gpus = f"{p.gpus_per_node.value or '?'} × {model}" if model else "–"
        name = f"{p.name} ({p.country})" if p.country != "–" else p.name
        said = _said(p)
        table.add_row(p.id, escape(name), escape(gpus), *(said[head] for head in ("account", "QoS", "job", "net")))
    console.print(table)
    console.print("\njob: longest time of a job; net: internet on compute nodes.")
    console.print("? or –: nobody has stated it. `proofline factories show SITE` gives every fact with its source.")


def _said(p: profiles.Profile) -> dict[str, str]:
    """The short columns of the list."""
    limits = [q.hours for q in p.partitions.value or () if q.hours]
    hours = max(limits, default=p.job_hours.value)
    return {
        "site": p.id,
        "account": p.account.value or "–",
        "QoS": p.qos_rule.value or "–",
        "job": f"{hours:g} h" if hours else "–",
        "net": p.compute_internet.value or ("–" if p.scheduler == "none" else "?"),
    }


def _show(p: profiles.Profile, console: Console) -> None:
    console.print(f"[bold]{escape(p.name)}[/]   {escape(p.operator)}   site: {p.id}", soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for head in ("fact", "value", "confirmed", "source"):
        table.add_column(head, overflow="fold")
    for name, fact in p.facts.items():
        if fact.value is None and not fact.note:
            continue
        value = "unknown" if fact.value is None else _words(fact.value)
        note = f"\n[dim]{escape(fact.note)}[/]" if fact.note else ""
        sure = "–" if fact.value is None else ("yes" if fact.confirmed else "no")
        table.add_row(NAMES.get(name, name.replace("_", " ")), escape(value) + note, sure, fact.source or "")
    console.print(table)
    for q in p.qos:
        limits = [f"{q.hours:g} h" if q.hours else "", f"{q.nodes} nodes" if q.nodes else "", q.note or ""]
        console.print(f"  QoS {escape(q.name)}: {escape(', '.join(x for x in limits if x) or 'no limit read')}")
    for name, source in p.sources.items():
        console.print(f"[dim]{escape(name)}: {escape(source.what)}, checked on {source.checked}[/]")
    unknown = [NAMES.get(n, n.replace("_", " ")) for n, f in p.facts.items() if f.value is None and not f.note]
    if unknown and p.scheduler != "none":
        console.print(f"Not found in any source: {', '.join(unknown)}.")
    for note in p.notes:
        console.print(f"• {escape(note)}")


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k}={v}" for k, v in value.items())
    if isinstance(value, tuple):
        return "\n".join(_partition(v) if isinstance(v, profiles.Partition) else str(v) for v in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _partition(p: profiles.Partition) -> str:
    limits = [
        f"at most {p.hours:g} h" if p.hours else "",
        f"{p.nodes} nodes" if p.nodes else "",
        "whole nodes" if p.whole_nodes else "",
        p.note or "",
    ]
    told = ", ".join(x for x in limits if x)
    return f"{p.name}: {told}" if told else p.name
