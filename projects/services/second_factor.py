"""Who must have a second factor, by CONTAINERHUB_REQUIRE_SECOND_FACTOR, and does not."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings

from projects.access import is_administrator
from projects.services.people import FACTORS

REMEDY = "This hub asks for a second factor; set one up at /accounts/2fa/totp/activate/, then try again."


def second_factor_missing(user: Any) -> bool:
    """Recovery codes alone are none."""
    required = settings.CONTAINERHUB.require_second_factor
    if required == "none" or not user.is_authenticated or (required == "administrators" and not is_administrator(user)):
        return False
    return not Authenticator.objects.filter(user=user, type__in=FACTORS).exists()
