"""The hub's settings. Everything that differs between machines comes from the environment: see .env.example."""

import os
import secrets
from datetime import timedelta
from pathlib import Path

import environ
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.templatetags.static import static

from hub.environment import (
    Environment,
    WrongSetting,
    count,
    database,
    keys,
    log_level,
    names,
    origins,
    positive,
    time_zone,
    truth,
)

BASE_DIR = Path(__file__).resolve().parent.parent
environ.Env.read_env(BASE_DIR / ".env")
_environment = Environment(environ.Env())
WRONG_SETTINGS: list[WrongSetting] = _environment.wrong

DEBUG = _environment.read("001", "DEBUG", "false", truth, "Set DEBUG=true for trying out, DEBUG=false in production.")
_secret_key = _environment.env("SECRET_KEY", default="")
if len(_secret_key) < 50:
    _what = "is missing" if not _secret_key else f"has {len(_secret_key)} characters"
    _hint = "Set SECRET_KEY to at least 50 random characters; `make setup` writes such a one into .env."
    WRONG_SETTINGS.append(WrongSetting("002", "SECRET_KEY", _what, _hint))
# A key of this process alone where none is set: nothing it signs is valid elsewhere, and the check says so.
SECRET_KEY = _secret_key or secrets.token_urlsafe(50)

ENCRYPTION_KEYS = _environment.read(
    "009", "ENCRYPTION_KEYS", "", keys, "Set ENCRYPTION_KEYS to keys as `make setup` writes them into .env."
)
if not ENCRYPTION_KEYS:
    _hint = (
        "Set ENCRYPTION_KEYS; `make setup` writes a key into a new .env. Without the right key no secret can be read."
    )
    WRONG_SETTINGS.append(WrongSetting("009", "ENCRYPTION_KEYS", "is empty, so no secret can be stored", _hint))

DATABASES = {
    "default": _environment.read(
        "003",
        "DATABASE_URL",
        f"sqlite:///{BASE_DIR / 'var' / 'tillbridge.sqlite3'}",
        database,
        "Set DATABASE_URL to sqlite:///path or postgres://user:password@host:5432/name.",
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Writers queue from the start of their transaction, readers go on meanwhile.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # In a file, so that several threads of a test meet the same locks as in a running hub.
    DATABASES["default"]["TEST"] = {"NAME": BASE_DIR / "var" / f"test-{os.getpid()}.sqlite3"}
else:
    # Prepared by the server, so that a statement which comes again is neither parsed nor planned again.
    DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    DATABASES["default"]["OPTIONS"] = {"server_side_binding": True, "prepare_threshold": 5}
ALLOWED_HOSTS = _environment.read(
    "004", "ALLOWED_HOSTS", "", names, "Set ALLOWED_HOSTS to the host names of the hub, separated by commas."
)
CSRF_TRUSTED_ORIGINS = _environment.read(
    "005", "CSRF_TRUSTED_ORIGINS", "", origins, "Set CSRF_TRUSTED_ORIGINS to addresses such as https://hub.example.com."
)
TIME_ZONE = _environment.read(
    "006", "TIME_ZONE", "UTC", time_zone, "Set TIME_ZONE to a name of the zone database, such as Europe/Paris."
)
_level = _environment.read("007", "LOG_LEVEL", "INFO", log_level, "Set LOG_LEVEL to DEBUG, INFO, WARNING or ERROR.")
if not DEBUG and not ALLOWED_HOSTS:
    _hint = "Set ALLOWED_HOSTS to the host names of the hub, separated by commas."
    WRONG_SETTINGS.append(WrongSetting("004", "ALLOWED_HOSTS", "is empty, so no request is answered", _hint))

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "axes",
    "csp",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "hub",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "hub.second_factor_wall.SecondFactorWall",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "hub.people.RoleBackend"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "hub.urls"
WSGI_APPLICATION = "hub.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
LANGUAGE_CODE = "en-gb"
STATIC_URL = "static/"
LOGIN_URL = LOGIN_REDIRECT_URL = "admin:index"
DATA_UPLOAD_MAX_NUMBER_FIELDS = 50_000  # a lookup table is edited as one form
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
# Five wrong passwords for a name from one address lock that name out there for a quarter of an hour.
AXES_FAILURE_LIMIT, AXES_COOLOFF_TIME = 5, timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS, AXES_LOCKOUT_TEMPLATE, AXES_VERBOSE = True, "console/locked_out.html", False
AXES_ENABLE_ADMIN, AXES_CLIENT_IP_CALLABLE = False, "hub.addresses.client_address"
OTP_TOTP_ISSUER = "Tillbridge"
PROXIES = _environment.read("014", "PROXIES", "0", count, "Set PROXIES to the number of proxies in front of the hub.")
REQUIRE_SECOND_FACTOR = _environment.read(
    "013", "REQUIRE_SECOND_FACTOR", "", names, "Set REQUIRE_SECOND_FACTOR to names of roles, separated by commas."
)
# The console's scripts are files of its own; Alpine, which unfold is made with, evaluates what stands in attributes.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "base-uri": [SELF],
    }
}
SESSION_COOKIE_HTTPONLY, SESSION_COOKIE_SAMESITE, SESSION_COOKIE_AGE = True, "Lax", 12 * 3600
if not DEBUG:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS, SECURE_HSTS_INCLUDE_SUBDOMAINS = 31_536_000, True
WORKERS = (
    1
    if DATABASES["default"]["ENGINE"].endswith("sqlite3")
    else _environment.read(
        "010", "WORKERS", "2", positive, "Set WORKERS to a number of processes; SQLite always has one."
    )
)
THREADS = _environment.read(
    "011", "THREADS", "32", positive, "Set THREADS to the messages that one worker walks at once."
)
# After this long without a claim, though lanes are due, the workers are replaced.
STALLED = timedelta(
    seconds=_environment.read("012", "STALLED_SECONDS", "20", positive, "Set STALLED_SECONDS to a number of seconds.")
)
# Measured: django-q2 runs a task again that its worker did not live to finish, and a prefetched one twice when `retry`
# is short. So a task is only a wake-up, tried once; what there is to do stands in our own rows.
_TIMEOUT = 600  # seconds: a drain claims for 30, and the longest walk ends long before
Q_CLUSTER = {
    "name": "tillbridge",
    "orm": "default",
    "workers": 1,  # the supervisor runs as many clusters: see there
    "queue_limit": 1,
    "bulk": 1,
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": -1,
    "timeout": _TIMEOUT,
    "retry": 4 * _TIMEOUT,  # more than (ceil((queue_limit + bulk) / workers) + 1) times the timeout
    "poll": 0.2,
    "catch_up": False,
    "scheduler": False,
}
DEMO_FOLDER = Path(_environment.env("DEMO_FOLDER", default=str(BASE_DIR / "var" / "demo")))
UNFOLD = {
    "SITE_TITLE": "Tillbridge",
    "SITE_HEADER": "Tillbridge",
    "SITE_SUBHEADER": "Shops and ERPs",
    "SITE_SYMBOL": "sync_alt",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("console/icon.svg")}],
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "SHOW_BACK_BUTTON": True,
    "DASHBOARD_CALLBACK": "hub.admin.site.front_page",
    "ACCOUNT": {"navigation": "hub.admin.site.account_links"},
    "STYLES": [lambda request: static("console/console.css")],
    "SCRIPTS": [lambda request: static("console/console.js")],
    "SIDEBAR": {"navigation": "hub.admin.site.navigation"},
    "COLORS": {
        "primary": {
            "50": "oklch(97.7% .013 236.62)",
            "100": "oklch(95.1% .026 236.824)",
            "200": "oklch(90.1% .058 230.902)",
            "300": "oklch(82.8% .111 230.318)",
            "400": "oklch(74.6% .16 232.661)",
            "500": "oklch(60.9% .126 221.723)",
            "600": "oklch(50% .134 242.749)",
            "700": "oklch(44.3% .11 240.79)",
            "800": "oklch(39.1% .09 240.876)",
            "900": "oklch(32% .066 243.157)",
            "950": "oklch(24.3% .06 242.5)",
        }
    },
}
API_CALLS_A_MINUTE = _environment.read(
    "015", "API_CALLS_A_MINUTE", "600", positive, "Set API_CALLS_A_MINUTE to the calls that one token may make."
)
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": ["hub.api.access.TokenAuthentication", "hub.api.access.Session"],
    "DEFAULT_PERMISSION_CLASSES": ["hub.api.access.HasRight"],
    "DEFAULT_THROTTLE_CLASSES": ["hub.api.access.PerMinute"],
    "DEFAULT_PAGINATION_CLASS": "hub.api.paging.Below",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "hub.api.errors.handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tillbridge",
    "DESCRIPTION": "The rows of the console: messages, problems, lookup tables and what else the hub knows.",
    "VERSION": "1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["hub.api.access.HasRight"],
    "PREPROCESSING_HOOKS": ["hub.api.schema.of_the_api"],
    "ENUM_NAME_OVERRIDES": {
        "BatchAction": "hub.models.batch.Batch.Action",
        "MessageState": "hub.models.message.Message.State",
        "ProblemState": "hub.models.problem.Problem.State",
    },
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "filters": {"secret paths": {"()": "hub.logs.WithoutSecretPaths"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": _level},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
        "django.request": {"filters": ["secret paths"]},
        "django.server": {"filters": ["secret paths"], "propagate": True},
    },
}
