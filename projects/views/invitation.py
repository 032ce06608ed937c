"""The page on which a guest makes his account. Its address holds the key: no log, no cache and no Referer shows it."""

from allauth.core import ratelimit
from django import forms
from django.contrib.auth import login
from django.contrib.auth.password_validation import password_validators_help_texts
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from projects.services.errors import HubError, NotFound, Spent
from projects.services.invitations import accept_invitation, open_invitation
from projects.services.people import PASSWORD_LENGTH

BACKEND = "django.contrib.auth.backends.ModelBackend"


class AcceptForm(forms.Form):
    username = forms.CharField(max_length=150, widget=forms.TextInput(attrs={"autocomplete": "username"}))
    password = forms.CharField(
        max_length=PASSWORD_LENGTH,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=" ".join(password_validators_help_texts()),
    )
    password_again = forms.CharField(
        max_length=PASSWORD_LENGTH, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def clean_password_again(self) -> str:
        again = str(self.cleaned_data["password_again"])
        if again != self.cleaned_data.get("password"):
            raise forms.ValidationError("The two passwords differ; type the same one twice.")
        return again


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, key: str) -> HttpResponse:
    # Not "no-referrer": with it, browsers send the form with `Origin: null`, which the CSRF check refuses.
    response = ratelimit.consume_or_429(request, action="invitation") or _answer(request, key)
    response["Referrer-Policy"] = "strict-origin"
    return response


def _answer(request: HttpRequest, key: str) -> HttpResponse:
    try:
        found = open_invitation(key)
    except (NotFound, Spent) as error:
        return _refused(request, error)
    if request.user.is_authenticated:
        name = request.user.get_username()
        return render(request, "account/invitation_closed.html", {"reason": f"You are signed in as {name}; sign out, then open it again."})
    form = AcceptForm(request.POST if request.method == "POST" else None, initial={"username": found.username})
    if request.method == "POST" and form.is_valid():
        try:
            user = accept_invitation(key=key, username=form.cleaned_data["username"], password=form.cleaned_data["password"])
        except (NotFound, Spent) as error:
            return _refused(request, error)
        except HubError as error:
            form.add_error(None, str(error))
        else:
            login(request, user, backend=BACKEND)
            return redirect("home")
    return render(request, "account/invitation.html", {"invitation": found, "form": form})


def _refused(request: HttpRequest, error: HubError) -> HttpResponse:
    status = 404 if isinstance(error, NotFound) else 410
    return render(request, "account/invitation_closed.html", {"reason": str(error)}, status=status)
