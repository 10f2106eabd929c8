"""The command line with tiny services in place of the real ones, which need models and seconds."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import recordroute_cli.embedded
import recordroute_cli.supervisor
from recordroute_cli.main import main

real_services = recordroute_cli.supervisor.embedded_services
faults = json.loads(os.environ["TINY_FAULTS"])
names = os.environ["TINY_NAMES"].split()


def tiny_services(*arguments):
    return tuple(
        dataclasses.replace(
            spec,
            module="tiny_service",
            environment={
                **spec.environment,
                "PYTHONPATH": str(Path(__file__).parent),
                "TINY_NAME": spec.name,
                "TINY_FAULT": faults.get(spec.name, ""),
            },
        )
        for spec in real_services(*arguments)
        if spec.name in names
    )


recordroute_cli.supervisor.embedded_services = tiny_services
recordroute_cli.supervisor.BACKOFF_SECONDS = (0.05,)
recordroute_cli.supervisor.STOP_SECONDS = 600.0
recordroute_cli.embedded.ensure_models = lambda stops: None
main()
