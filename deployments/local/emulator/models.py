"""Which models exist, who may use them, what they can do, and how much may wait for each."""

from dataclasses import dataclass
from datetime import UTC, datetime

from deployments.local.emulator.replies import ApiError

M = 1_000_000
GENERATE = ("generateContent", "countTokens", "batchGenerateContent")
EMBED = ("embedContent", "countTokens", "asyncBatchEmbedContent")
LEVELS = frozenset({"MINIMAL", "LOW", "MEDIUM", "HIGH"})
NOT_MINIMAL = LEVELS - {"MINIMAL"}
SUCCESSOR = "gemini-3.5-flash-lite"


@dataclass(frozen=True)
class Thinking:
    """What a model takes for a form of thinking, and how much it thinks unasked."""

    zero: str = "off"  # a budget of 0 turns it off, is refused, or is ignored
    budgets: bool = True
    levels: frozenset[str] = LEVELS
    usual: str = "MINIMAL"  # the level when nothing is said


@dataclass(frozen=True)
class Model:
    """A model: its limits in tokens, the enqueued tokens of tiers 1, 2 and 3, its rules."""

    name: str
    tiers: tuple[int, int, int]
    methods: tuple[str, ...] = GENERATE
    input_limit: int = 1_048_576
    output_limit: int = 65_536
    thinking: Thinking | None = None
    sampling: str = "ok"  # from 3.6 on it is ignored; the fourth family refuses it
    variants: bool = True  # penalties, and more than one candidate
    search_with_schema: bool = True
    lists_of_objects: bool = True  # may have maxItems
    new_keys: bool = True  # else keys of new users are refused
    unit_length: bool = True  # else only the full 3,072 dimensions come normalised

    @property
    def resource(self) -> dict[str, object]:
        """Return the Model resource."""
        body: dict[str, object] = {
            "name": f"models/{self.name}",
            "version": "001",
            "displayName": self.name.replace("-", " ").title(),
            "inputTokenLimit": self.input_limit,
            "outputTokenLimit": self.output_limit,
            "supportedGenerationMethods": list(self.methods),
        }
        return body | ({"thinking": True} if self.thinking else {})


# Published for the second family and the preview; the others have their nearest relative's.
LITE = (10 * M, 500 * M, 1000 * M)
FLASH = (3 * M, 400 * M, 1000 * M)
PRO = (5 * M, 500 * M, 1000 * M)
PREVIEW = (3 * M, 400 * M, 500 * M)


def _second(name: str, tiers: tuple[int, int, int], usual: str, *, new_keys: bool = True) -> Model:
    thinking = Thinking(levels=frozenset(), usual=usual)
    return Model(name, tiers, thinking=thinking, search_with_schema=False, new_keys=new_keys)


def _third(name: str, thinking: Thinking, *, lists_of_objects: bool = True) -> Model:
    return Model(
        name, FLASH, thinking=thinking, sampling="ignored", lists_of_objects=lists_of_objects
    )


def _fourth(name: str, tiers: tuple[int, int, int]) -> Model:
    thinking = Thinking(budgets=False, levels=NOT_MINIMAL, usual="MEDIUM")
    return Model(name, tiers, thinking=thinking, sampling="refused", variants=False)


def _embedding(name: str, input_limit: int, *, unit_length: bool) -> Model:
    tiers = (500_000, 5 * M, 10 * M)
    return Model(name, tiers, EMBED, input_limit, 1, thinking=None, unit_length=unit_length)


KNOWN = {
    model.name: model
    for model in (
        _second("gemini-2.5-flash-lite", LITE, "MINIMAL", new_keys=False),
        _second("gemini-2.5-flash", FLASH, "LOW"),
        _second("gemini-2.5-pro", PRO, "LOW"),
        Model("gemini-3-flash-preview", PREVIEW, thinking=Thinking(usual="HIGH")),
        Model("gemini-3.1-flash-lite", LITE, thinking=Thinking()),
        Model("gemini-3.5-flash-lite", LITE, thinking=Thinking("refused")),
        Model("gemini-3.5-flash", FLASH, thinking=Thinking(usual="MEDIUM")),
        _third("gemini-3.6-flash", Thinking(usual="MEDIUM")),
        _third("gemini-3.7-flash", Thinking("ignored", usual="MEDIUM")),
        _third(
            "gemini-3.8-flash",
            Thinking("ignored", levels=NOT_MINIMAL, usual="MEDIUM"),
            lists_of_objects=False,
        ),
        _fourth("gemini-4-hydrogen", FLASH),
        _fourth("gemini-4-argon", PRO),
        _fourth("gemini-4-neon", PRO),
        _fourth("gemini-4-carbon", PRO),
        _embedding("gemini-embedding-001", 2_048, unit_length=False),
        _embedding("gemini-embedding-2", 8_192, unit_length=True),
    )
}
SHUT_DOWN = frozenset(
    {
        "gemini-1.5-flash",
        "gemini-1.5-flash-8b",
        "gemini-2.0-flash",
        "gemini-2.0-flash-lite",
        "text-embedding-004",
    }
)
# From a day on another model answers, at its own rates.
ROUTED = {
    "gemini-2.5-flash": ("2026-12-01", "gemini-3.5-flash-lite"),
    "gemini-2.5-pro": ("2026-12-01", "gemini-3.8-flash"),
    "gemini-3.5-flash": ("2026-10-08", "gemini-3.6-flash"),
}


def answering(model: Model, now: float) -> Model:
    """Return the model that answers in a model's name at a time."""
    day, successor = ROUTED.get(model.name, ("", ""))
    if not day or now < datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp():
        return model
    return KNOWN[successor]


def gone(name: str) -> ApiError:
    """Return what a model that was shut down answers."""
    return ApiError(
        404,
        f"This model models/{name} is no longer available. "
        "Please update your code to use a newer model for the latest features and improvements.",
    )


def closed(name: str) -> ApiError:
    """Return what a model that takes no new users answers to one."""
    return ApiError(
        404,
        f"This model models/{name} is no longer available to new users. Please update your code "
        f"to use models/{SUCCESSOR} for the latest features and improvements.",
    )


def find(name: str, method: str = "") -> Model:
    """Return a model that supports a method; refuse an unknown one with 404."""
    if name in SHUT_DOWN:
        raise gone(name)
    model = KNOWN.get(name)
    if model is None or (method and method not in model.methods):
        raise ApiError(
            404,
            f"models/{name} is not found for API version v1beta, or is not supported for "
            f"{method or 'this method'}. Call ListModels to see the list of available models "
            "and their supported methods.",
        )
    return model
