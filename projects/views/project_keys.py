"""What a project holds in confidence, by its settings page: secrets, git tokens and the deploy key. No value is ever shown."""

from django.http import HttpRequest

from projects.models import Project
from projects.services import deploy_keys, git_credentials, project_secrets
from projects.services.errors import BadInput
from projects.services.record import Actor
from projects.views.changing import Question, changing, is_confirmed


@changing("secrets")
def secrets(request: HttpRequest, project: Project, actor: Actor) -> str | Question:
    name = request.POST.get("name", "")
    if request.POST.get("do") != "remove":
        row = project_secrets.set_secret(project=project, name=name, value=request.POST.get("value", ""), actor=actor)
        return f"The secret {row.name} is set: the next command and the next terminal have it."
    if not is_confirmed(request):
        loses = ("Its value, which nobody can read back.", "Commands and terminals that begin from now on have it no more.")
        keeps = ("What runs already keeps it until it ends.",)
        return Question(f"Remove the secret {name} of {project.name}?", "Remove secret", loses, keeps)
    project_secrets.remove_secret(project=project, name=name, actor=actor)
    return f"The secret {name} is removed."


@changing("git-tokens")
def git_tokens(request: HttpRequest, project: Project, actor: Actor) -> str | Question:
    host = request.POST.get("host", "")
    if request.POST.get("do") != "remove":
        row = git_credentials.set_git_credential(
            project=project,
            host=host,
            token=request.POST.get("token", ""),
            username=request.POST.get("username") or git_credentials.DEFAULT_USERNAME,
            actor=actor,
        )
        return f"The git token for {row.host} is set: git in the container has it at once."
    if not is_confirmed(request):
        loses = ("The token, which nobody can read back.", f"Git in the container can no longer sign in to {host}.")
        return Question(f"Remove the git token for {host} of {project.name}?", "Remove token", loses)
    git_credentials.remove_git_credential(project=project, host=host, actor=actor)
    return f"The git token for {host} is removed, from a running container too. Revoke it at the git server as well."


@changing("deploy-key")
def deploy_key(request: HttpRequest, project: Project, actor: Actor) -> str | Question:
    wish = request.POST.get("do")
    if wish == "make":
        deploy_keys.make_deploy_key(project=project, actor=actor)
        return "The deploy key is made: give its public half to the git server."
    if wish not in ("rotate", "remove"):
        raise BadInput("Choose whether to make, rotate or remove the deploy key.")
    if not is_confirmed(request):
        return _about_the_key(project, wish)
    if wish == "rotate":
        deploy_keys.rotate_deploy_key(project=project, actor=actor)
        return "The deploy key is another one now: give its public half to the git server, and take the old one off it."
    deploy_keys.remove_deploy_key(project=project, actor=actor)
    return "The deploy key is removed; take its public half off the git server too."


def _about_the_key(project: Project, wish: str) -> Question:
    lost = f"The key {deploy_keys.get_deploy_key(project=project).fingerprint}: it is forgotten at once, from a running container too."
    if wish == "rotate":
        then = "Git servers refuse the container until they are given the new public half."
        return Question(f"Rotate the deploy key of {project.name}?", "Rotate key", (lost, then))
    return Question(
        f"Remove the deploy key of {project.name}?", "Remove key", (lost, "Git servers that know only it refuse the container.")
    )
