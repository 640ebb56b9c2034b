"""Settings, all from the environment; what is missing or malformed stops the start with its name.

Every variable NAME may also be given as NAME_FILE, the path of a file that holds it (secrets in containers).
Without DATABASE_URL the embedded services of this checkout are used, if they run.
"""

import sys
from pathlib import Path
from typing import Any

import environ
import pghistory
import structlog
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from pgtrigger import Statement

from eduaid.celery import app as celery_app  # whoever has settings can send a task by name
from eduaid.core import logs, services

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.FileAwareEnv()

STATE_DIR = services.state_dir(BASE_DIR)
_local = None if env.str("DATABASE_URL", default="") else services.running(BASE_DIR)


def _required(name: str, local: str | None) -> str:
    """The variable, else what the running embedded services say, else a stop that says what to do."""
    value = env.str(name, default="") or (local or "")
    if not value and not _without_services():
        raise ImproperlyConfigured(
            f"{name} is not set and no embedded services run for this checkout: start them with `manage.py up`, "
            f"or set {name}."
        )
    return value


def _without_services() -> bool:
    """Commands that must work before any service runs."""
    return (
        len(sys.argv) < 2
        or sys.argv[1]
        in {
            "up",
            "provision",
            "upgrade",
            "help",
            "--help",
            "--version",
            "makemigrations",
            "collectstatic",
            "check",
            "match",
            "check_table",
            "secrets",
            "version",
        }
        or "pytest" in sys.modules
        or "mypy" in sys.modules
        or "mypy_django_plugin" in sys.modules
    )


DEBUG = env.bool("EDUAID_DEBUG", default=False)
SECRET_KEY = env.str("EDUAID_SECRET_KEY", default="") or services.secret_key(STATE_DIR)
ALLOWED_HOSTS: list[str] = env.list("EDUAID_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("EDUAID_TRUSTED_ORIGINS", default=[])

# The application role is subject to row-level security; the owner role migrates. One database, two doors.
_database_url = _required("DATABASE_URL", _local.database_url if _local else None)
_owner_url = env.str("DATABASE_OWNER_URL", default="") or (_local.database_owner_url if _local else _database_url)


def _database(url: str) -> dict[str, Any]:
    if not url:
        return {"ENGINE": "django.db.backends.postgresql", "NAME": ""}
    return environ.FileAwareEnv.db_url_config(url) | {"CONN_MAX_AGE": 300, "CONN_HEALTH_CHECKS": True}


DATABASES: dict[str, dict[str, Any]] = {
    "default": _database(_database_url),
    "owner": _database(_owner_url) | {"CONN_MAX_AGE": 0},
}
REDIS_URL = _required("REDIS_URL", _local.redis_url if _local else None)

FILES_DIR = Path(env.str("EDUAID_FILES", default=str(STATE_DIR / "files")))
# The ring of key-encrypting keys: the JSON text itself, or the path of its file (mode 0600).
KEYRING = env.str("EDUAID_KEYRING", default="")
KEYRING_PATH = STATE_DIR / "keyring"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "axes",
    "csp",
    "django_celery_beat",
    "django_htmx",
    "import_export",
    "pgtrigger",
    "pghistory",
    "eduaid.core",
    "students",
    "subsidies",
    "dropout",
    "reports",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "eduaid.core.middleware.RequestLogMiddleware",
    "eduaid.core.middleware.SessionLimitsMiddleware",
    "eduaid.core.middleware.ScopeMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "eduaid.urls"
WSGI_APPLICATION = "eduaid.wsgi.application"

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
                "eduaid.core.context.frame",
            ],
            "builtins": ["eduaid.core.templatetags.ui"],
        },
    }
]

# --- accounts -------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "core.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "eduaid.core.roles.PostBackend"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# Five failures in 15 minutes lock the account at that address for 30 (docs/architecture.md).
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.5
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False
SESSION_IDLE_SECONDS = env.int("EDUAID_SESSION_IDLE_SECONDS", default=30 * 60)
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "eduaid.core.views.errors.csrf_failure"

# --- transport ------------------------------------------------------------------------------------------------
# The embedded default serves plain HTTP on this machine; a bureau sets EDUAID_HTTPS=1 behind its TLS proxy.
HTTPS = env.bool("EDUAID_HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- language, time, files ------------------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True  # Django's own Chinese for the admin; the product writes Chinese directly
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = STATE_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(FILES_DIR)}},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or "pytest" in sys.modules
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_USE_FINDERS = DEBUG or "pytest" in sys.modules
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- intake limits (docs/architecture.md) ----------------------------------------------------------------------------
UPLOAD_MAX_BYTES = env.int("EDUAID_UPLOAD_MAX_BYTES", default=50 * 1024 * 1024)
UPLOAD_MAX_ROWS = env.int("EDUAID_UPLOAD_MAX_ROWS", default=200_000)
CLAMD_ADDRESS = env("EDUAID_CLAMD", default="")  # host:port of a virus scanner; without one, pages say so
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
FILE_UPLOAD_MAX_MEMORY_SIZE = UPLOAD_MAX_BYTES  # an uploaded list never touches a temporary file in the clear
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

# --- history --------------------------------------------------------------------------------------------------
# History is asked by object and by context only; an index on every copied foreign key would cost more than the row.
PGHISTORY_FOREIGN_KEY_FIELD = pghistory.ForeignKey(db_index=False)
PGHISTORY_OBJ_FIELD = pghistory.ObjForeignKey(db_index=True)
PGHISTORY_CONTEXT_FIELD = pghistory.ContextForeignKey(db_index=True)
PGHISTORY_LEVEL = Statement  # one trigger per statement: 10,000 rows of a roster are one insert into history
PGTRIGGER_SCHEMA_EDITOR = True

# --- tasks ----------------------------------------------------------------------------------------------------
celery_app.set_current()
CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = None  # progress and outcome stand on the row that the user looks at
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 6 * 3600,
    "socket_connect_timeout": 2,
    "socket_timeout": 30,
    # Publishing to a broker that is away gives up at once: the request goes on, the sweeper finds the row.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_PUBLISH_RETRY = False  # an unreachable broker must not hold up a request: the sweeper finds the row
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "eduaid.core.tasks.sweep", "schedule": 5.0, "options": {"expires": 5}},
    "learn-names": {"task": "students.tasks.learn_names", "schedule": 5.0, "options": {"expires": 5}},
    "crosscheck": {"task": "students.tasks.compare_changed", "schedule": 5.0, "options": {"expires": 5}},
    "census": {"task": "dropout.tasks.follow_lists", "schedule": 5.0, "options": {"expires": 5}},
    "aid": {"task": "subsidies.tasks.follow_lists", "schedule": 5.0, "options": {"expires": 5}},
}

# --- logs -----------------------------------------------------------------------------------------------------
LOGGING = logs.configuration(debug=DEBUG)
structlog.configure(**logs.structlog_configuration())

SILENCED_SYSTEM_CHECKS: list[str] = []
