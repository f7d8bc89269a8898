"""The site profiles that ship."""

from __future__ import annotations

import datetime as dt

import pydantic
import pytest

from configs import errors
from configs.factories import profile as profiles

SITES = {
    "lumi", "leonardo", "marenostrum5", "meluxina", "karolina", "vega", "deucalion", "discoverer-plus", "jupiter",
    "arrhenius", "local", "slurm-generic",
}  # fmt: skip


def test_every_site_has_a_profile():
    """The systems of the table, this machine and any Slurm cluster have a profile, and nothing else has."""
    assert set(profiles.names()) == SITES


@pytest.mark.parametrize("site", sorted(SITES))
def test_every_value_names_a_dated_source(site):
    """A fact with a value has a source that the profile lists with the day of reading."""
    found = profiles.load(site)
    for name, fact in found.facts.items():
        if fact.value is not None:
            assert fact.source in found.sources, name
    for source in found.sources.values():
        assert dt.date.fromisoformat(source.checked) <= dt.datetime.now(dt.UTC).date()


@pytest.mark.parametrize("site", sorted(SITES - {"local", "slurm-generic"}))
def test_every_site_tells_what_a_job_needs(site):
    """How GPUs are asked for, how many a node has, account and QoS are facts at every site."""
    found = profiles.load(site)
    for name in ("gpu_flag", "gpus_per_node", "account", "qos_rule", "stack", "architecture"):
        assert getattr(found, name).value is not None, name


def test_a_value_without_a_source_is_refused():
    """Nobody can add a fact without saying where it comes from."""
    with pytest.raises(pydantic.ValidationError, match="expected a source"):
        profiles.Fact[int](value=4)


def test_sites_are_found_by_name_and_unknown_ones_refused():
    """The name of a machine is as good as its identifier; an unknown one is answered with the list."""
    assert profiles.load("MareNostrum 5 ACC").id == "marenostrum5"
    assert profiles.load("LUMI").id == "lumi"
    with pytest.raises(errors.PlanError, match=r"expected one of arrhenius.*got another"):
        profiles.load("Frontier")
