"""How each kind of step is carried out. A new kind is one class and one line in :data:`ACTS`."""

from __future__ import annotations

from typing import Any

from fulldress.engine.acts.act import TOKEN, Act, Context, Done
from fulldress.engine.acts.commands import RunCommand, RunScript
from fulldress.engine.acts.files import PutFile, SetSetting
from fulldress.engine.acts.flags import SetFlag
from fulldress.engine.acts.migrate import RunMigration
from fulldress.engine.acts.people import AskPerson, AskProbes, SendNotice, WaitFor
from fulldress.engine.acts.roles import CreateRole
from fulldress.engine.acts.services import ControlService, DisableSchedule
from fulldress.engine.acts.snapshot import KeepSnapshot
from fulldress.engine.acts.webhooks import RegisterWebhook
from fulldress.runbook import steps

ACTS: dict[type[steps.Step], Act[Any]] = {
    steps.Command: RunCommand(),
    steps.Script: RunScript(),
    steps.Migrate: RunMigration(),
    steps.Setting: SetSetting(),
    steps.File: PutFile(),
    steps.Snapshot: KeepSnapshot(),
    steps.Service: ControlService(),
    steps.Schedule: DisableSchedule(),
    steps.FlagStep: SetFlag(),
    steps.Webhook: RegisterWebhook(),
    steps.Credential: CreateRole(),
    steps.ProbeStep: AskProbes(),
    steps.Wait: WaitFor(),
    steps.Notice: SendNotice(),
    steps.Person: AskPerson(),
}

__all__ = ["ACTS", "TOKEN", "Act", "Context", "Done"]
