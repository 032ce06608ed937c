"""One's own account: password and second factor, API tokens, theme, and where one is signed in."""

from datetime import timedelta
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from projects.models import ApiToken, Membership
from projects.services.sessions import end_other_sessions, end_session, own_sessions
from projects.services.tokens import NAME_LENGTH, make_token, revoke_token
from projects.views.answering import actor_of, told
from projects.views.shown_once import keep, taken

NEW_KEY = "new_token"
DAYS = {"7": "a week", "30": "30 days", "90": "90 days", "365": "a year", "": "no end"}


class TokenForm(forms.Form):
    name = forms.CharField(max_length=NAME_LENGTH, error_messages={"required": "Give the token a name, to tell it by."})
    days = forms.ChoiceField(choices=list(DAYS.items()), required=False)


@never_cache
@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    tokens = list(ApiToken.objects.filter(user=user).order_by("-id"))
    context = {
        "second_factor": is_mfa_enabled(user),
        "second_factor_required": settings.CONTAINERHUB.require_second_factor,
        "tokens": [token for token in tokens if token.usable],
        "past_tokens": [token for token in tokens if not token.usable],
        "new": _shown_once(request),
        "days": DAYS,
        "memberships": Membership.objects.filter(user=user).select_related("project").order_by("project__slug"),
        "sessions": own_sessions(user=user, current_key=request.session.session_key or ""),
    }
    return render(request, "account/account.html", context)


@login_required
@require_POST
def make(request: HttpRequest) -> HttpResponse:
    form = TokenForm(request.POST)
    user: Any = request.user

    def work() -> str:
        days = form.cleaned_data["days"]
        expires_at = timezone.now() + timedelta(days=int(days)) if days else None
        token, key = make_token(user=user, name=form.cleaned_data["name"], expires_at=expires_at, actor=actor_of(request))
        keep(request, NEW_KEY, pk=token.pk, secret=key)
        return ""

    back = f"{reverse('account')}#tokens"
    if form.is_valid():
        return told(request, work, back=back)
    return told(request, lambda: _complain(request, form), back=back)


@login_required
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    token = ApiToken.objects.select_related("user").filter(pk=pk, user=user).first()
    if token is None:
        raise Http404("You have no such token.")

    def work() -> str:
        revoke_token(token=token, actor=actor_of(request))
        return f"The token {token.name} opens nothing any more."

    return told(request, work, back=f"{reverse('account')}#tokens")


@login_required
@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """The one that is named, or all but this one."""

    def work() -> str:
        if name := request.POST.get("session", ""):
            end_session(user=request.user, name=name, actor=actor_of(request))
            return "That browser is signed out."
        count = end_other_sessions(user=request.user, current_key=request.session.session_key or "", actor=actor_of(request))
        return f"Signed out of {count} other sessions." if count != 1 else "Signed out of 1 other session."

    return told(request, work, back=f"{reverse('account')}#sessions")


def _complain(request: HttpRequest, form: forms.Form) -> str:
    messages.error(request, str(next(iter(form.errors.values()))[0]))
    return ""


def _shown_once(request: HttpRequest) -> dict[str, Any] | None:
    """The token that was made a moment ago, with its key."""
    user: Any = request.user
    made = taken(request, NEW_KEY)
    token = ApiToken.objects.filter(pk=made.pk, user=user).first() if made else None
    return {"token": token, "key": made.secret} if made and token else None
