"""Django's settings, all derived from `containerhub.config`."""

import secrets as random_secrets
from urllib.parse import urlsplit

import dj_database_url
from cryptography.fernet import Fernet

from containerhub import config as hub_config
from containerhub.logs import logging_config
from containerhub.mail import mail_settings
from containerhub.secrets import kept_secret

CONTAINERHUB = hub_config.load()
"""The hub's own settings: `settings.CONTAINERHUB.name_prefix` and so on."""

BASE_DIR = hub_config.BASE_DIR
DATA_DIR = CONTAINERHUB.data_dir
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

DEBUG = CONTAINERHUB.debug
SECRET_KEY = CONTAINERHUB.secret_key or kept_secret(DATA_DIR / "secret-key", lambda: random_secrets.token_urlsafe(50))
ENCRYPTION_KEYS = CONTAINERHUB.encryption_keys or [kept_secret(DATA_DIR / "encryption-key", lambda: Fernet.generate_key().decode())]

_public = urlsplit(CONTAINERHUB.url)
_secure = _public.scheme == "https"
ALLOWED_HOSTS = sorted({_public.hostname or "", "127.0.0.1", "localhost", "[::1]", *CONTAINERHUB.allowed_hosts} - {""})
CSRF_TRUSTED_ORIGINS = [CONTAINERHUB.url]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _secure
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_HSTS_SECONDS = 31_536_000 if _secure else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _secure and CONTAINERHUB.trusted_proxies else None

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "channels",
    "csp",
    "django_q",
    "django_structlog",
    "ninja",
    "projects",
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
    "allauth.account.middleware.AccountMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "projects.views.second_factor.SecondFactorMiddleware",
]

ROOT_URLCONF = "containerhub.urls"
ASGI_APPLICATION = "containerhub.asgi.application"

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
                "projects.views.context.page",
            ],
        },
    },
]

# -- database: SQLite in WAL with immediate transactions (measured: 0 "locked" errors), or by URL
if CONTAINERHUB.database_url:
    DATABASES = {"default": dj_database_url.parse(CONTAINERHUB.database_url, conn_max_age=0)}
else:
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(DATA_DIR / "hub.sqlite3")}}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
    }
elif DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    DATABASES["default"]["OPTIONS"] = {"pool": {"min_size": 1, "max_size": 20}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- sign-in
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "projects.accounts.ClosedAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_RATE_LIMITS = {"invitation": "30/m/ip"}
MFA_ADAPTER = "projects.accounts.EncryptingAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "ContainerHub"

# -- content security policy: everything from ourselves
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "object-src": ["'none'"],
    }
}

# -- background work: one tick schedule, every timing in our own tables; no retry can duplicate a run
Q_CLUSTER = {
    "name": "containerhub",
    "orm": "default",
    "workers": 4,  # a command of a batch holds one of them as long as it runs
    "timeout": 240,
    "retry": 900,
    "queue_limit": 4,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "bulk": 1,
    "poll": 1,
    "recycle": 200,
    "save_limit": 1000,
    "label": "Background work",
    # Its statistics, written twice a second, which nobody here reads: in the database each of them would be a commit.
    "cache": "own",
}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "hub_cache"},
    "own": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "own"},
}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

# -- files, words, logs
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "containerhub.assets.NodeModules",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "containerhub.assets.Collected"},
}
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_FROM_EMAIL = SERVER_EMAIL = CONTAINERHUB.email_from
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
if CONTAINERHUB.email_url:
    globals().update(mail_settings(CONTAINERHUB.email_url))
LOGGING = logging_config(CONTAINERHUB.log_format)
