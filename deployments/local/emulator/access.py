"""Who may use which model, and which model answers."""

from starlette.requests import Request

from deployments.local.emulator import faults, models
from deployments.local.emulator.http import key_of
from deployments.local.emulator.service import Service


def model_of(service: Service, request: Request, method: str = "") -> models.Model:
    """Return the model of a call; a method is refused to keys that may not use the model."""
    name = request.path_params["model"]
    model = models.find(name, method)
    if faults.take(service.store, "model", model=name):
        raise models.gone(name)
    # Describing a model proves nothing: the service describes closed ones to everybody.
    if method and not _is_old(service, request) and _is_closed(service, model):
        raise models.closed(name)
    return model


def answering(service: Service, model: models.Model) -> models.Model:
    """Return the model that answers in a model's name now."""
    return models.answering(model, service.store.now())


def _is_old(service: Service, request: Request) -> bool:
    old = service.store.setting("old_keys")
    return old is True or (isinstance(old, list) and key_of(request) in old)


def _is_closed(service: Service, model: models.Model) -> bool:
    struck = faults.take(service.store, "new user", model=model.name)
    return not model.new_keys or bool(struck)
