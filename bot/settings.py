"""The host's settings: environment and ``.env``, every field with its sentence; read by cli and client alone."""

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.backends.address import BackendAddress, parse
from bot.domain.adult import House
from bot.domain.limits import MAX_COST, MAX_PROMPT, MIN_COST, MIN_SIDE, Limits
from bot.domain.options import Options
from bot.domain.privacy import Terms
from bot.domain.quotas import Period, Quota, Scope
from bot.settings_values import bucket, database, dsn, http, link, listed, listening, password, switch, upper
from bot.storage.bucket import Bucket

DISCORD_API = "https://discord.com/api/v10"


def _setting(name: str, group: str, sentence: str, default: Any, **constraints: Any) -> Any:
    return Field(default, alias=name, title=group, description=sentence, **constraints)


class Settings(BaseSettings):
    """All that a host may set; ``load`` makes one. Secrets are never shown by ``repr``."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    discord_token: SecretStr = _setting(
        "DISCORD_TOKEN",
        "Discord",
        "The bot's token, from the Discord developer portal: your application, page Bot, Reset Token.",
        SecretStr(""),
    )
    discord_api: Annotated[str, AfterValidator(http)] = _setting(
        "EASEL_DISCORD_API",
        "Discord",
        "Address of Discord's REST API; only for a proxy of your own.",
        DISCORD_API,
    )
    discord_rate: int = _setting(
        "EASEL_DISCORD_RATE", "Discord", "Calls a second that Discord lets the bot make.", 50, ge=5, le=10_000
    )
    sync_guild: int | None = _setting(
        "EASEL_SYNC_GUILD",
        "Discord",
        "Id of a server that gets the commands too, at once, while developing; empty takes them back.",
        None,
        gt=0,
    )
    support_url: Annotated[str, AfterValidator(link)] = _setting(
        "EASEL_SUPPORT_URL", "Discord", "Where people get help with your bot; shown by /about.", ""
    )
    privacy_url: Annotated[str, AfterValidator(link)] = _setting(
        "EASEL_PRIVACY_URL", "Discord", "Your bot's privacy policy; shown by /about.", ""
    )
    links: Annotated[bool, BeforeValidator(switch)] = _setting(
        "EASEL_LINKS",
        "Discord",
        "on or off: whether pictures are fetched from links to public https sites, which then see this machine's "
        "address; links to Discord's own files always are.",
        True,
    )
    backends: SecretStr = _setting(
        "EASEL_BACKENDS",
        "Backends",
        "What paints: kind=address, comma separated; kinds are webui, comfyui, diffusers and sketch (built in, no "
        "model). Options follow the address: name=gpu1, slots=2, ca=file (for servers), device=cuda and "
        "cache_gb=12 (for diffusers). none: nothing here, workers paint (PostgreSQL).",
        SecretStr("webui=http://127.0.0.1:7860"),
    )
    backend_auth: Mapping[int, SecretStr] = _setting(
        "EASEL_BACKEND_<n>_AUTH",
        "Backends",
        "user:password for the nth backend of EASEL_BACKENDS, counted from 1.",
        {},
    )
    stall_timeout_s: float = _setting(
        "EASEL_STALL_TIMEOUT_S",
        "Backends",
        "Seconds without any progress after which a painting backend is given up.",
        300.0,
        ge=10,
        le=86400,
    )
    affinity_window: float = _setting(
        "EASEL_AFFINITY_WINDOW",
        "Backends",
        "How many standard pictures (30 steps at 1024×1024) a job may be taken early because its model is loaded; "
        "0 never.",
        2.0,
        ge=0,
        le=100,
    )
    workflows_dir: Path = _setting(
        "EASEL_WORKFLOWS_DIR",
        "Backends",
        "Folder of your own ComfyUI workflows, saved in API format.",
        Path("workflows"),
    )
    wildcards_dir: Path = _setting(
        "EASEL_WILDCARDS_DIR",
        "Backends",
        "Folder of your own wildcard lists for everybody: one text file each, with one on each line.",
        Path("wildcards"),
    )
    data_dir: Path = _setting(
        "EASEL_DATA_DIR", "Storage", "Folder for the queue, the settings and the pictures.", Path("data")
    )
    database_url: Annotated[SecretStr, AfterValidator(database)] = _setting(
        "DATABASE_URL",
        "Storage",
        "Database: sqlite:///path, or postgresql://user:password@host/name for several processes; empty: a file "
        "in the data folder.",
        SecretStr(""),
    )
    blobs: Annotated[Bucket | None, BeforeValidator(bucket)] = _setting(
        "EASEL_BLOBS",
        "Storage",
        "Bucket for the pictures, at any server that speaks S3: s3://bucket/prefix?endpoint=https://…&region=…; "
        "empty: in the data folder, or with PostgreSQL in the database.",
        None,
    )
    aws_access_key_id: SecretStr = _setting(
        "AWS_ACCESS_KEY_ID", "Storage", "Key for that bucket; empty where the machine has a role.", SecretStr("")
    )
    aws_secret_access_key: SecretStr = _setting("AWS_SECRET_ACCESS_KEY", "Storage", "Its secret.", SecretStr(""))
    keep_images_days: int = _setting(
        "EASEL_KEEP_IMAGES_DAYS",
        "Storage",
        "Days that the original pictures are kept for rerolls and remixes.",
        7,
        ge=1,
        le=365,
    )
    keep_jobs_days: int = _setting(
        "EASEL_KEEP_JOBS_DAYS",
        "Storage",
        "Days that finished jobs are kept with their prompts, for buttons and /history; favourites stay.",
        30,
        ge=1,
        le=365,
    )
    keep_left_days: int = _setting(
        "EASEL_KEEP_LEFT_DAYS",
        "Storage",
        "Days that the data of a server is kept which the bot is no longer in, in case it comes back.",
        7,
        ge=1,
        le=365,
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(upper)] = _setting(
        "EASEL_LOG_LEVEL", "Logging", "How much is logged: DEBUG, INFO, WARNING or ERROR.", "INFO"
    )
    log_format: Literal["console", "json"] = _setting(
        "EASEL_LOG_FORMAT", "Logging", "console for people, json for log collectors.", "console"
    )
    metrics: Annotated[tuple[str, int] | None, BeforeValidator(listening)] = _setting(
        "EASEL_METRICS",
        "Operations",
        "Address and port for /metrics, /healthz and /readyz, such as 127.0.0.1:9464; empty: none.",
        None,
    )
    sentry_dsn: Annotated[SecretStr, AfterValidator(dsn)] = _setting(
        "EASEL_SENTRY_DSN",
        "Operations",
        "DSN of a Sentry project that is told of Easel's own failures, without prompts or persons; empty: none.",
        SecretStr(""),
    )
    drain_s: float = _setting(
        "EASEL_DRAIN_S",
        "Operations",
        "Seconds that running paintings may go on once the bot is told to stop; what is not done by then waits "
        "for the next start.",
        5.0,
        ge=0,
        le=3600,
    )
    default_steps: int = _setting("EASEL_DEFAULT_STEPS", "Defaults", "Steps of a picture.", 25, ge=1)
    default_width: int = _setting("EASEL_DEFAULT_WIDTH", "Defaults", "Width in px.", 512, ge=MIN_SIDE)
    default_height: int = _setting("EASEL_DEFAULT_HEIGHT", "Defaults", "Height in px.", 512, ge=MIN_SIDE)
    default_count: int = _setting("EASEL_DEFAULT_COUNT", "Defaults", "Pictures per command.", 1, ge=1)
    default_cfg_scale: float = _setting(
        "EASEL_DEFAULT_CFG_SCALE", "Defaults", "How closely the prompt is followed.", 7.0, ge=0, le=30
    )
    default_sampler: str = _setting(
        "EASEL_DEFAULT_SAMPLER", "Defaults", "Sampler by its name in the backend; empty: the backend's own.", ""
    )
    default_scheduler: str = _setting(
        "EASEL_DEFAULT_SCHEDULER", "Defaults", "Scheduler by its name; empty: the backend's own.", ""
    )
    default_model: str = _setting(
        "EASEL_DEFAULT_MODEL", "Defaults", "Model (checkpoint) by its name; empty: the one that is loaded.", ""
    )
    default_negative_prompt: str = _setting(
        "EASEL_DEFAULT_NEGATIVE_PROMPT",
        "Defaults",
        "What pictures should not show.",
        "",
        max_length=MAX_PROMPT,
    )
    max_steps: int = _setting("EASEL_MAX_STEPS", "Limits", "Most steps of a picture.", 60, ge=1, le=150)
    max_side: int = _setting(
        "EASEL_MAX_SIDE", "Limits", "Largest width or height in px.", 2048, ge=MIN_SIDE, le=8192
    )
    max_pixels: int = _setting(
        "EASEL_MAX_PIXELS",
        "Limits",
        "Most pixels of one picture (width times height).",
        2048 * 1536,
        ge=MIN_SIDE * MIN_SIDE,
    )
    max_count: int = _setting("EASEL_MAX_COUNT", "Limits", "Most pictures per command.", 4, ge=1, le=4)
    max_queued_guild: int = _setting(
        "EASEL_MAX_QUEUED_GUILD", "Limits", "Most jobs that wait in one server.", 200, ge=1, le=10_000
    )
    max_queued_user: int = _setting(
        "EASEL_MAX_QUEUED_USER", "Limits", "Most jobs of one person that wait in one server.", 20, ge=1, le=10_000
    )
    max_wait_h: float = _setting(
        "EASEL_MAX_WAIT_H", "Limits", "Hours after which a waiting job is given up.", 24.0, gt=0, le=720
    )
    max_cost: float = _setting(
        "EASEL_MAX_COST",
        "Limits",
        "Most that one command may cost, all its pictures together, in standard pictures (30 steps at 1024×1024); "
        "0 no cap, else 0.2 or more.",
        0.0,
        ge=0,
        le=MAX_COST,
    )
    quota_person_day_s: int = _setting(
        "EASEL_QUOTA_PERSON_DAY_S", "Limits", "Seconds of painting a person has a day (UTC); 0 any.", 0, ge=0
    )
    quota_person_month_s: int = _setting(
        "EASEL_QUOTA_PERSON_MONTH_S", "Limits", "Seconds of painting a person has a month (UTC); 0 any.", 0, ge=0
    )
    quota_server_day_s: int = _setting(
        "EASEL_QUOTA_SERVER_DAY_S", "Limits", "Seconds of painting a server has a day (UTC); 0 any.", 0, ge=0
    )
    quota_server_month_s: int = _setting(
        "EASEL_QUOTA_SERVER_MONTH_S", "Limits", "Seconds of painting a server has a month (UTC); 0 any.", 0, ge=0
    )
    premium_guild_ids: Annotated[frozenset[int], BeforeValidator(listed)] = _setting(
        "EASEL_PREMIUM_GUILDS",
        "Limits",
        "Ids of servers with three times the share of the painters, comma separated.",
        frozenset(),
    )
    user_max_queued: int = _setting(
        "EASEL_USER_MAX_QUEUED",
        "Guests",
        "Most jobs of one person that wait where only they brought the bot: in servers and groups that it is no "
        "member of.",
        3,
        ge=1,
        le=10_000,
    )
    user_max_side: int = _setting(
        "EASEL_USER_MAX_SIDE", "Guests", "Largest width or height in px there.", 1536, ge=MIN_SIDE, le=8192
    )
    user_max_cost: float = _setting(
        "EASEL_USER_MAX_COST",
        "Guests",
        "Most that one command may cost there, in standard pictures; 0 no cap of its own, else 0.2 or more.",
        4.0,
        ge=0,
        le=MAX_COST,
    )
    adult_dms: Annotated[bool, BeforeValidator(switch)] = _setting(
        "EASEL_ADULT_DMS",
        "Adult pictures",
        "on or off: whether adult pictures may be asked for in direct messages and sent there.",
        False,
    )
    adult_models: Annotated[tuple[str, ...], BeforeValidator(listed)] = _setting(
        "EASEL_ADULT_MODELS",
        "Adult pictures",
        "Models and LoRAs that paint adult pictures, comma separated; * and ? stand for other letters. They "
        "are for age-restricted channels.",
        (),
    )

    classifier: str = _setting(
        "EASEL_CLASSIFIER",
        "Classifier",
        "A model on the Hugging Face hub, or a folder, that looks at every picture before it is shown; empty: "
        "none does.",
        "",
    )
    classifier_labels: Annotated[tuple[str, ...], BeforeValidator(listed)] = _setting(
        "EASEL_CLASSIFIER_LABELS",
        "Classifier",
        "Which of its labels are of adult pictures, comma separated.",
        ("nsfw", "porn", "hentai", "sexy", "explicit", "unsafe"),
    )
    classifier_threshold: float = _setting(
        "EASEL_CLASSIFIER_THRESHOLD",
        "Classifier",
        "How sure it has to be, all these labels together, from 0 to 1.",
        0.8,
        gt=0,
        le=1,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the name is pydantic's
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read only what ``load`` passes in: the environment is an argument, like the time."""
        return (init_settings,)

    @property
    def limits(self) -> Limits:
        """The host's limits, which no server can widen."""
        return Limits(
            max_steps=self.max_steps,
            max_side=self.max_side,
            max_pixels=self.max_pixels,
            max_count=self.max_count,
            max_queued_guild=self.max_queued_guild,
            max_queued_user=self.max_queued_user,
            max_cost=max(self.max_cost, MIN_COST) if self.max_cost else inf,
        )

    @property
    def house(self) -> House:
        """What holds for adult pictures, and for guests within the host's limits."""
        guests = replace(
            self.limits,
            max_queued_user=self.user_max_queued,
            max_side=self.user_max_side,
            max_cost=max(self.user_max_cost, MIN_COST) if self.user_max_cost else inf,
        )
        return House(self.adult_models, self.adult_dms, guests.within(self.limits))

    @property
    def quotas(self) -> tuple[Quota, ...]:
        """The host's quotas; none where the setting is 0."""
        seconds = {
            (Scope.PERSON, Period.DAY): self.quota_person_day_s,
            (Scope.PERSON, Period.MONTH): self.quota_person_month_s,
            (Scope.SERVER, Period.DAY): self.quota_server_day_s,
            (Scope.SERVER, Period.MONTH): self.quota_server_month_s,
        }
        return tuple(Quota(*what, value) for what, value in seconds.items() if value)

    @property
    def terms(self) -> Terms:
        """How long things are kept."""
        return Terms(jobs=self.keep_jobs_days, images=self.keep_images_days, left=self.keep_left_days)

    @property
    def defaults(self) -> Options:
        """The host's choices, under every server's and person's own."""
        return Options(
            negative_prompt=self.default_negative_prompt or None,
            model=self.default_model or None,
            width=self.default_width,
            height=self.default_height,
            count=self.default_count,
            steps=self.default_steps,
            cfg_scale=self.default_cfg_scale,
            sampler=self.default_sampler or None,
            scheduler=self.default_scheduler or None,
        )

    @property
    def backend_addresses(self) -> tuple[BackendAddress, ...]:
        """The backends in the order of ``EASEL_BACKENDS``; raises ``AddressError`` with a line without secrets."""
        return self.backends_of("")

    def backends_of(self, node: str) -> tuple[BackendAddress, ...]:
        """Return the same, with the name of their process before names that the host did not choose."""
        auth = {number: secret.get_secret_value() for number, secret in self.backend_auth.items()}
        return parse(self.backends.get_secret_value(), auth, node=node)

    @property
    def blobs_keys(self) -> tuple[str, str] | None:
        """The id and the secret of the key for the bucket, if one is set."""
        keys = (self.aws_access_key_id.get_secret_value(), self.aws_secret_access_key.get_secret_value())
        return keys if any(keys) else None

    @property
    def secrets(self) -> tuple[str, ...]:
        """Everything that must never be shown, for the log's redaction."""
        passwords = [address.auth[1] for address in self.backend_addresses if address.auth]
        own = (self.discord_token, self.sentry_dsn, self.aws_access_key_id, self.aws_secret_access_key)
        values = [*(each.get_secret_value() for each in own), password(self.database_url.get_secret_value())]
        return tuple(secret for secret in (*values, *passwords) if secret)
