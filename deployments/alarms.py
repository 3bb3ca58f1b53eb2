"""`python -m deployments.alarms BLOCK`: have Prefect tell somebody of what automations.yaml names.

BLOCK is the type and the name of a block that is saved in Prefect: one that notifies
(custom-webhook/alerts, slack-webhook/team), or a plain webhook/alerts, which gets {"text": ...}.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import httpx
import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import BlockDocument
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound

from tasks.core.errors import BackfillError, SettingsError

FILE = Path(__file__).resolve().parents[1] / "automations.yaml"
PLAIN = "webhook"


def main() -> int:
    """Apply the alarms, name them, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deployments.alarms", description=__doc__)
    parser.add_argument("block", help="who is told: the type and the name of a block, with a slash")
    try:
        for name in apply(parser.parse_args().block):
            print(f"{name}: applied.")
    except BackfillError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def apply(block: str, file: Path = FILE) -> list[str]:
    """Create or update every automation of the file, to go to the block; return their names."""
    wanted = yaml.safe_load(file.read_text(encoding="utf-8"))["automations"]
    with get_client(sync_client=True) as client:
        try:
            document = _document(client, block)
            for each in wanted:
                _put(client, _automation(each, document))
        except httpx.HTTPError as error:
            raise SettingsError(
                f"Prefect at {client.api_url} did not take the alarms ({type(error).__name__}):"
                " check PREFECT_API_URL."
            ) from error
    return [each["name"] for each in wanted]


def _document(client: SyncPrefectClient, block: str) -> BlockDocument:
    kind, _, name = block.strip().partition("/")
    try:
        found = client.read_block_document_by_name(name, kind, include_secrets=False)
    except ObjectNotFound:
        raise SettingsError(
            f"Prefect has no block '{block}': save one that notifies, and write its type and name,"
            " as in custom-webhook/alerts."
        ) from None
    if kind != PLAIN and not _notifies(found):
        raise SettingsError(f"The block '{block}' cannot notify anybody: name one that can.")
    return found


def _notifies(found: BlockDocument) -> bool:
    return found.block_schema is not None and "notify" in found.block_schema.capabilities


def _automation(each: dict[str, Any], document: BlockDocument) -> AutomationCore:
    """Return an automation in Prefect's form: with an action that fits the block."""
    said = {name: each[name] for name in ("name", "description", "trigger")}
    subject, body = each["subject"], each["body"]
    action: dict[str, Any] = {"block_document_id": document.id}
    if _notifies(document):
        action |= {"type": "send-notification", "subject": subject, "body": body}
    else:
        text = f"{{% filter tojson %}}{subject}\n{body}{{% endfilter %}}"
        action |= {"type": "call-webhook", "payload": f'{{"text": {text}}}'}
    return AutomationCore.model_validate({**said, "actions": [action]})


def _put(client: SyncPrefectClient, automation: AutomationCore) -> None:
    """Create an automation, or update the one of its name; one that was paused stays so."""
    found = client.read_automations_by_name(automation.name)
    for known in found:
        client.update_automation(known.id, automation.model_copy(update={"enabled": known.enabled}))
    if not found:
        client.create_automation(automation)


if __name__ == "__main__":
    sys.exit(main())
