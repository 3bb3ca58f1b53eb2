"""Which models exist, what they can do, and how much may wait for each."""

from dataclasses import dataclass

from deployments.local.emulator.replies import ApiError

M = 1_000_000
GENERATE = ("generateContent", "countTokens", "batchGenerateContent")
EMBED = ("embedContent", "countTokens", "asyncBatchEmbedContent")


@dataclass(frozen=True)
class Model:
    """A model: its limits in tokens and the enqueued tokens of tiers 1, 2 and 3."""

    name: str
    tiers: tuple[int, int, int]
    methods: tuple[str, ...] = GENERATE
    input_limit: int = 1_048_576
    output_limit: int = 65_536
    thinks: bool = True
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
        return body | ({"thinking": True} if self.thinks else {})


def _embedding(name: str, *, unit_length: bool) -> Model:
    tiers = (500_000, 5 * M, 10 * M)
    return Model(name, tiers, EMBED, 2_048, 1, thinks=False, unit_length=unit_length)


KNOWN = {
    model.name: model
    for model in (
        Model("gemini-2.5-flash-lite", (10 * M, 500 * M, 1000 * M)),
        Model("gemini-2.5-flash", (3 * M, 400 * M, 1000 * M)),
        Model("gemini-2.5-pro", (5 * M, 500 * M, 1000 * M)),
        Model("gemini-3.1-flash-lite", (10 * M, 500 * M, 1000 * M)),
        Model("gemini-3.5-flash-lite", (10 * M, 500 * M, 1000 * M)),
        Model("gemini-3.8-flash", (3 * M, 400 * M, 1000 * M)),
        Model("gemini-3-flash-preview", (3 * M, 400 * M, 500 * M)),
        _embedding("gemini-embedding-001", unit_length=False),
        _embedding("gemini-embedding-2", unit_length=True),
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


def gone(name: str) -> ApiError:
    """Return what a model that was shut down answers."""
    return ApiError(
        404,
        f"This model models/{name} is no longer available. "
        "Please update your code to use a newer model for the latest features and improvements.",
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
