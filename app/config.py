"""Settings: read once from the environment, frozen, checked at start."""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.rules.asking import Ask, Purpose, find_asks, find_lasting

WECHAT_PLATFORM_URL = "https://api.weixin.qq.com"
WECHAT_PAGES_URL = "https://open.weixin.qq.com"
AES_KEY_LENGTH = 43  # characters of base64 without its "=", per the platform's 消息加解密说明
DATA_KEY_BYTES = 32


class SettingsError(Exception):
    """A variable is missing or wrong; the text names it and says what to put there."""


class Settings(BaseSettings):
    """Every setting of the service, one field an environment variable of the same name."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: str
    redis_url: str
    secret_key: SecretStr
    data_key: SecretStr
    public_url: str = "http://127.0.0.1:8000"

    wechat_app_id: str
    wechat_app_secret: SecretStr
    wechat_token: SecretStr
    wechat_aes_key: SecretStr
    wechat_aes_key_previous: SecretStr | None = None
    wechat_mode: Literal["plain", "safe"] = "safe"
    wechat_api_url: str = WECHAT_PLATFORM_URL
    wechat_open_url: str = ""
    """Where pages ask who opened them; empty: the platform's, or WECHAT_API_URL's where that is
    not the platform."""
    wechat_js_sdk_url: str = ""
    """The platform's script that gives forwarded pages their card; empty: pages do without."""
    wechat_mini_app_id: str = ""
    """The mini program's AppID; empty where there is none."""
    wechat_mini_app_secret: SecretStr = SecretStr("")
    wechat_max_skew_seconds: int = 600
    wechat_templates: dict[str, str] = {}
    """Template ids by notice kind, as JSON: {"sign_up_confirmed": "…"}."""
    wechat_subscriptions: dict[str, str] = {}
    """Subscription templates: {"pack": "one-time id", "pack_long_term": "lasting id"}."""
    wechat_verify_dir: Path | None = None
    """Folder of MP_verify_*.txt files."""

    service_phone: str = ""
    """Telephone given to families where no station is known; empty where there is none."""
    other_hosts: str = ""
    """Names, parted by commas, under which the service is reached besides that of public_url."""
    trusted_proxies: int = 0
    """How many reverse proxies in front set X-Forwarded-*."""
    turn_deadline_seconds: float = 4.0
    """A turn still running then is answered at once and finished by a message."""
    console_second_factor: Literal["required", "optional"] = "required"
    """Whether accounts that reach the whole district must log in with a second factor."""
    web_threads: int = 8
    """Turns that one web worker has under way at most, where some are held up."""
    web_quick_turns: int = 2
    """Of them those that it works at together while they go quickly."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("public_url", "wechat_api_url", "wechat_open_url", "wechat_js_sdk_url")
    @classmethod
    def _is_http_url(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return url.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _is_known_database(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("must be sqlite:////absolute/path.db or postgresql+psycopg://…")
        return url

    @field_validator("secret_key")
    @classmethod
    def _is_long_enough(cls, key: SecretStr) -> SecretStr:
        if len(key.get_secret_value()) < 16:
            raise ValueError("must have at least 16 characters")
        return key

    @field_validator("data_key")
    @classmethod
    def _are_fernet_keys(cls, keys: SecretStr) -> SecretStr:
        for key in keys.get_secret_value().split(","):
            try:
                raw = base64.urlsafe_b64decode(key.strip())
            except (binascii.Error, ValueError):
                raw = b""
            if len(raw) != DATA_KEY_BYTES:
                raise ValueError("each key must be 32 bytes in URL-safe base64, newest first")
        return keys

    @field_validator("wechat_aes_key", "wechat_aes_key_previous")
    @classmethod
    def _is_aes_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) != AES_KEY_LENGTH:
            raise ValueError("must have 43 characters")
        return key

    @field_validator("wechat_max_skew_seconds", "trusted_proxies")
    @classmethod
    def _is_not_negative(cls, number: int) -> int:
        if number < 0:
            raise ValueError("must be 0 or more")
        return number

    @model_validator(mode="after")
    def _deadline_within_platform_limit(self) -> Self:
        # The platform waits 5 s for a reply; half a second is left for the way back.
        if not 0.1 <= self.turn_deadline_seconds <= 4.5:
            raise ValueError("TURN_DEADLINE_SECONDS must be between 0.1 and 4.5")
        return self

    @property
    def has_real_platform(self) -> bool:
        """Whether WeChat itself answers, and not a stand-in for it."""
        return self.wechat_api_url == WECHAT_PLATFORM_URL

    @property
    def authorize_url(self) -> str:
        """The platform's page that tells our pages who opened them."""
        default = WECHAT_PAGES_URL if self.has_real_platform else self.wechat_api_url
        return f"{self.wechat_open_url or default}/connect/oauth2/authorize"

    @property
    def asks(self) -> Mapping[Purpose, Ask]:
        """The consents that we ask for: none where no page has the script to ask with."""
        if not self.wechat_js_sdk_url:
            return {}
        return find_asks(self.wechat_subscriptions, self.wechat_templates)

    @property
    def lasting_templates(self) -> frozenset[str]:
        """Subscription templates of which one yes is for good."""
        return find_lasting(self.wechat_subscriptions)

    @property
    def data_keys(self) -> tuple[str, ...]:
        """Fernet keys, the newest first."""
        return tuple(key.strip() for key in self.data_key.get_secret_value().split(","))

    @property
    def aes_keys(self) -> tuple[str, ...]:
        """The platform's AES keys, the current one first, then the previous one if any."""
        keys = [self.wechat_aes_key.get_secret_value()]
        if self.wechat_aes_key_previous is not None:
            keys.append(self.wechat_aes_key_previous.get_secret_value())
        return tuple(keys)


def load_settings() -> Settings:
    """Settings from the environment.

    Raises SettingsError, in one line that names each variable at fault and never its value.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = []
        for fault in error.errors(include_input=False, include_url=False):
            name = ".".join(str(part) for part in fault["loc"]).upper()
            reason = "is required" if fault["type"] == "missing" else fault["msg"]
            faults.append(f"{name} {reason}".strip())
        raise SettingsError("settings: " + "; ".join(faults)) from None
