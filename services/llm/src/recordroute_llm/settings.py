"""Settings of the LLM service."""

from __future__ import annotations

from pydantic import DirectoryPath, Field, FilePath, model_validator
from recordroute_runtime.settings import ServerSettings

# What a prompt holds beside the transcript, and what is left for the answer.
RESERVED_TOKENS = 640


class LlmSettings(ServerSettings, section="llm"):
    """What the LLM service reads: variables RECORDROUTE_LLM_*, or section `[llm]` of the file."""

    listen: str = Field("127.0.0.1:7102", description="Address to serve on: `host:port`, or `unix:/path`.")
    model: str = Field(
        "qwen2.5-coder-0.5b-instruct", description="Id of the model for requests that name none."
    )
    parallel: int = Field(2, ge=1, le=64, description="Generations that run at the same time.")
    context_tokens: int = Field(
        4096, ge=1024, description="Tokens that one generation can hold, prompt and answer together."
    )
    chunk_tokens: int = Field(
        1500, ge=200, description="Transcript tokens that are read at a time; less costs more calls."
    )
    threads: int = Field(0, ge=0, description="Threads that compute; 0 takes one for each usable CPU.")
    gpu_layers: int = Field(0, ge=-1, description="Model layers on the GPU; 0 none, -1 all.")
    batch_tokens: int = Field(
        0,
        ge=0,
        le=4096,
        description="Tokens of prompts that are read at a time; short and cancelled requests wait for so many. 0 takes "
        "64, with layers on a GPU 512.",
    )
    max_waiting: int = Field(
        16, ge=0, description="Summaries that may wait for a free slot before more are refused."
    )
    max_interactive: int = Field(
        8,
        ge=1,
        le=256,
        description="Answers and titles that are worked on or wait for the model at once; more are refused as "
        "OVERLOADED, or wait where they stream.",
    )
    models_file: FilePath | None = Field(
        None,
        description="TOML file of servers, GGUF files, routes, prices and budgets, see docs/llm.md; unset: every "
        "task takes the default model.",
    )
    templates_dir: DirectoryPath | None = Field(
        None,
        description="Folder of templates of minutes, `<name>.md` and `<name>.<language>.md`, see docs/llm.md; unset: "
        "the built-in ones only.",
    )
    vector_target: str = Field(
        "",
        description="Address of the vector service, whose encoder compares lines of minutes with their evidence as "
        "well; empty: their words alone are compared.",
    )
    store_url: str = Field(
        "",
        pattern="^(rediss?://.*)?$",
        description="Where cached answers and accounts are kept, `redis://host:port/0`; empty: SQLite in the data "
        "folder.",
    )
    max_cache_bytes: int = Field(
        64 << 20,
        ge=0,
        description="Room for cached answers in SQLite; 0 caches none. Redis has its own bound.",
    )
    max_loaded_models: int = Field(
        2, ge=1, description="Models in memory at the same time, the default one included."
    )

    @model_validator(mode="after")
    def _chunk_fits(self) -> LlmSettings:
        if self.chunk_tokens + RESERVED_TOKENS > self.context_tokens:
            raise ValueError(
                f"chunk_tokens ({self.chunk_tokens}) must be at least {RESERVED_TOKENS} less than "
                f"context_tokens ({self.context_tokens})"
            )
        return self
