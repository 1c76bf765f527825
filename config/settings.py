"""Django's settings, all read from the environment; ``.env.example`` describes each variable."""

from __future__ import annotations

import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.utils.translation import gettext_lazy as _
from psycopg.conninfo import conninfo_to_dict

from config import (
    call_servers,
    channel_providers,
    engines,
    http_security,
    logins,
    monitoring,
    periodic_tasks,
    rate_limits,
)
from config.api import description
from config.environment import (
    address,
    check_key,
    flag,
    given,
    load,
    mail,
    mailbox,
    number,
    prefixed,
    private_servers,
    program,
    refuse,
    scanner,
    storage,
    text,
    words,
)

BASE_DIR = Path(__file__).resolve().parent.parent
load(Path(text("ENV_FILE", str(BASE_DIR / ".env"))))

# Everything that is not code: the engines' data, uploads, mails.
VAR = Path(text("VAR", str(BASE_DIR / "var"))).resolve()

# --- Mode: demo if nothing is set; DEBUG or DEMO for the local machine; otherwise production

DEMO = flag("DEMO", default=not given("DEBUG", "SECRET_KEY", "ALLOWED_HOSTS"))
DEBUG = flag("DEBUG", default=False)
PRODUCTION = not (DEMO or DEBUG)


def own_secret() -> str:
    """Return the demo's secret, created once: sessions survive a restart, and no two demos share
    it."""
    VAR.mkdir(parents=True, exist_ok=True)
    secret, draft = VAR / "secret", VAR / f"secret.{os.getpid()}"
    if not secret.exists():
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        with suppress(FileExistsError):  # another process was faster; its secret counts
            os.link(draft, secret)
        draft.unlink()
    return secret.read_text()


SECRET_KEY = text("SECRET_KEY") or ("" if PRODUCTION else own_secret())
if PRODUCTION and not SECRET_KEY:
    refuse("SECRET_KEY is missing (or set DEMO=on for a trial on this machine)")
# The keys before it: what they signed or encrypted stays valid while they are listed.
SECRET_KEY_FALLBACKS = words("SECRET_KEY_FALLBACKS", [])
if PRODUCTION:
    check_key("SECRET_KEY", SECRET_KEY)
    for key in SECRET_KEY_FALLBACKS:
        check_key("SECRET_KEY_FALLBACKS", key)

HOST = text("HOST", "127.0.0.1")
PORT = number("PORT", 8000, 1, 65535)
WEB_SERVER = program("WEB_SERVER", "daphne", ("daphne", "uvicorn"))
WEB_PROCESSES = number("WEB_PROCESSES", os.cpu_count() or 1, 1, 64)
ALLOWED_HOSTS = words(
    "ALLOWED_HOSTS", [] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]", HOST]
)
if not ALLOWED_HOSTS:
    refuse("ALLOWED_HOSTS is missing: the names under which people reach this server")

HTTPS = flag("HTTPS", default=PRODUCTION)


def public_url() -> str:
    """Return where people reach this server, for links that are not part of a response: mails."""
    named = next((host for host in ALLOWED_HOSTS if host.strip("*.") == host), "localhost")
    local = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(HOST, HOST)
    guess = f"https://{named}" if PRODUCTION else f"http://{local}:{PORT}"
    url = text("PUBLIC_URL", guess).rstrip("/")
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        refuse(f"PUBLIC_URL is https://the.name.of.this.server, not {url!r}")
    return url


PUBLIC_URL = public_url()

# --- Engines: the embedded ones, unless an address is given

OWN_POSTGRES = not text("DATABASE_URL")
OWN_VALKEY = not text("REDIS_URL")
DATABASE_URL = text("DATABASE_URL") or engines.database_url(VAR)
REDIS_URL = text("REDIS_URL") or engines.redis_url(VAR)

STATEMENT_SECONDS = number("STATEMENT_SECONDS", 10, 0, 86400)
DATABASE_POOL_SIZE = number("DATABASE_POOL_SIZE", 10, 1, 1000)
MESSAGE_POOL_SIZE = number("MESSAGE_POOL_SIZE", 8, 1, 1000)
POOL_RECONNECT_SECONDS = 2


def database(url: str) -> dict[str, Any]:
    """Convert a libpq address to Django's settings, with limits on how long anything may wait or
    run."""
    if urlsplit(url).scheme not in {"postgres", "postgresql"}:
        refuse("DATABASE_URL is postgresql://user:password@host:port/name")
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        refuse(f"DATABASE_URL is not understood: {str(error).strip()}")
    limits = {
        # Shorter than the next one: a wait for a lock may be repeated, a slow statement may not.
        "lock_timeout": "2s",
        "statement_timeout": f"{STATEMENT_SECONDS}s",
        # A process that hangs in a transaction would keep its locks for as long as it hangs.
        "idle_in_transaction_session_timeout": "15s",
    }
    named = {part: parts.pop(part, "") for part in ("dbname", "user", "password", "host", "port")}
    return {
        "ENGINE": "core.db.postgresql",
        "NAME": named["dbname"],
        "USER": named["user"],
        "PASSWORD": named["password"],
        "HOST": named["host"],
        "PORT": named["port"],
        "CONN_MAX_AGE": 0,  # under ASGI a connection would outlive its thread; the pool keeps them
        "TEST": {"NAME": "test_causerie"},
        "OPTIONS": {
            "connect_timeout": 5,
            **parts,
            "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
            "pool": {
                "min_size": 1,
                "max_size": DATABASE_POOL_SIZE,
                "timeout": 5,
                # The pool tries again after 1, 2, 4 ... seconds. It gives up before that is long:
                # the next request then tries at once.
                "reconnect_timeout": POOL_RECONNECT_SECONDS,
            },
        },
    }


def redis_url(db: int) -> str:
    """Return the address of one of Valkey's databases: 0 channel layer, 1 cache, 2 broker."""
    url = urlsplit(REDIS_URL)
    if url.scheme == "unix":
        return f"unix://{url.netloc}{url.path}?db={db}"
    if url.scheme not in {"redis", "rediss"} or not url.hostname:
        refuse("REDIS_URL is redis://user:password@host:port")
    return url._replace(path=f"/{db}").geturl()


DATABASES = {"default": database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "core.realtime.channel_layer.Layer",
        "CONFIG": {
            # redis-py would close a socket that is silent for 5 s.
            "hosts": [{"address": redis_url(0), "socket_timeout": None}],
            "prefix": "causerie",
        },
    }
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": redis_url(1),
        "KEY_PREFIX": "causerie",
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}

# --- Background work: a task only triggers work, so losing or repeating one does no harm

CELERY_BROKER_URL = redis_url(2)
if CELERY_BROKER_URL.startswith("unix:"):
    CELERY_BROKER_URL = f"redis+socket://{urlsplit(REDIS_URL).path}?virtual_host=2"
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,  # then another worker takes it: longer than a task may last
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "global_keyprefix": "causerie:",
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SOFT_TIME_LIMIT, CELERY_TASK_TIME_LIMIT = 60, 90
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1  # nothing waits behind a long task of one worker
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Celery would close the pool after each task; config.celery gives the connections back instead.
CELERY_DB_REUSE_MAX = 100_000
# Acknowledged late, they are given to another worker anyway.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "config.beat_scheduler:BeatScheduler"
CELERY_BEAT_SCHEDULE = periodic_tasks.SCHEDULE

# --- Django

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
INSTALLED_APPS = [
    # First, so that runserver speaks WebSocket; only there, because it makes an event loop, which
    # the web processes must not share (config.web_processes).
    *(["daphne"] if "runserver" in sys.argv else []),
    "config.admin_app.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "django_htmx",
    "csp",
    "anymail",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "core",
    "accounts",
    "conversations",
    "routing",
    "reporting",
    "messenger",
    "desk",
    "config",
]
MIDDLEWARE = [
    "config.api.middleware.name_requests",
    "config.outages.retry_reads",
    "config.health.answer_probes",  # before the rest: a probe's address is not an allowed host
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.caching.keep_private",
    "config.permissions_policy.forbid_devices",
    "config.incoming.clean_requests",  # before the session, which is looked up by a cookie
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.logins.enforcement.require_second_factor",
    "accounts.read_only.refuse_writes",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    # Last: it counts requests by their user, and what it answers itself needs all others.
    "config.api.middleware.admit",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["config.api.shape.ByToken", "config.api.shape.Session"],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "config.api.shape.HasScope",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.api.shape.Json"],
    "DEFAULT_PAGINATION_CLASS": "config.api.shape.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.api.shape.handle_exception",
}
SPECTACULAR_SETTINGS = description.SETTINGS

AUTH_USER_MODEL = "accounts.User"
globals().update(logins.settings(https=HTTPS))
BREACHED_PASSWORDS: str  # one of them, named for the type checker
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["config.formats"]
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static" if PRODUCTION else None
STATICFILES_DIRS: list[Any] = [
    folder
    for folder in (BASE_DIR / "static", ("guide", BASE_DIR / "docs/guide/images"))
    if Path(folder[1] if isinstance(folder, tuple) else folder).is_dir()
]
WHITENOISE_USE_FINDERS = not PRODUCTION  # no collectstatic in development
MEDIA_ROOT = Path(text("MEDIA_ROOT", str(VAR / "media")))
# What has arrived and is not stored yet; never /tmp, which may be memory.
FILE_UPLOAD_TEMP_DIR = VAR / "incoming"
FILE_UPLOAD_TEMP_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
# Files are served by views that check permission; no other user of the machine reads them.
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o600, 0o700
STORAGES = {
    "default": storage("STORAGE_URL"),
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- E-mail: sent to visitors, and answered by them

DEFAULT_FROM_EMAIL = "Causerie <causerie@localhost>"
MAIL_FOLDER = VAR / "mail"
globals().update(mail("EMAIL_URL"))
# Without one, a link that lets somebody in is shown to whoever made it, and never put into a file.
HAS_MAIL_SERVER = bool(text("EMAIL_URL"))
# In production, do not ask visitors for an address to which nothing would be sent.
MAIL_IS_SENT = HAS_MAIL_SERVER or not PRODUCTION
MAIL_DELAY_SECONDS = number("MAIL_DELAY_SECONDS", 60, 0, 86400)
MAIL_INTERVAL_SECONDS = number("MAIL_INTERVAL_SECONDS", 900, 0, 604800)
MAIL_REPLY_TO = mailbox("MAIL_REPLY_TO", "" if PRODUCTION else "reply@causerie.localhost")
MAIL_IN = address("MAIL_IN")
# The secret enables the providers' addresses; other Anymail settings may be set beside it.
ANYMAIL = prefixed("ANYMAIL_") if text("ANYMAIL_WEBHOOK_SECRET") else {}
if ANYMAIL and ":" not in ANYMAIL["WEBHOOK_SECRET"]:
    refuse("ANYMAIL_WEBHOOK_SECRET is user:password, as the provider shows them")
MAIL_LINK_DAYS = number("MAIL_LINK_DAYS", 30, 1, 365)

# --- Where visitors write from: only for websites that show it; no outside service is asked

PLACE_HEADER = text("PLACE_HEADER")
PLACE_DATABASE = text("PLACE_DATABASE")
if PLACE_DATABASE and not Path(PLACE_DATABASE).is_file():
    refuse(f"PLACE_DATABASE is a file in MaxMind's format; there is none at {PLACE_DATABASE!r}")

# --- Retention: what has expired is deleted every hour

DRAFT_DAYS = number("DRAFT_DAYS", 30, 1, 3650)
STRAY_MAIL_DAYS = number("STRAY_MAIL_DAYS", 30, 1, 3650)
PAGE_DAYS = number("PAGE_DAYS", 30, 1, 3650)

# --- Security

globals().update(http_security.settings(https=HTTPS))
BROWSER_COOKIE_NAME: str  # one of them, named for the type checker
BEHIND_PROXY = flag("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None

# How often each door admits requests, counted beside the cache.
RATE_LIMITS, CALL_SERVERS = rate_limits.read(), call_servers.read()
RATE_PLACES_PERCENT, CHANNEL_APIS = rate_limits.read_places_percent(), channel_providers.read()
RATE_LIMIT_URL = redis_url(1)
QUEUE_URL = redis_url(2)  # asked how many tasks wait

# The virus scanner that checks uploads, if there is one.
CLAMAV = scanner("CLAMAV")

# The servers in the private network that may be providers of suggestions; the switch allows all.
PRIVATE_SERVERS = private_servers("PRIVATE_SERVERS")
PROVIDERS_MAY_BE_PRIVATE = flag("PROVIDERS_MAY_BE_PRIVATE", default=False)

# How many calls to language models may wait for their server at once, in all workers together.
LANGUAGE_MODEL_CALLS = number("LANGUAGE_MODEL_CALLS", 1, 1, 100)

# --- What the installation says of itself: /metrics, logs

globals().update(monitoring.read())
METRICS_TOKEN: str  # three of them, named for the type checker
SENTRY_DSN: str
TRACING: bool
