"""`hub secret deploy-key git-token`: what a project's commands may use. No value is ever on a command line, or shown again."""

from typing import Annotated, Any

import typer

from projects.cli.frame import JsonOption, ProjectArgument, YesOption, actor, noun, print_json, print_table, project_named
from projects.cli.names import complete_git_host, complete_secret
from projects.cli.secret_input import read_secret
from projects.cli.times import span
from projects.models import DeployKey
from projects.services import deploy_keys
from projects.services.git_credentials import DEFAULT_USERNAME, list_git_credentials, remove_git_credential, set_git_credential
from projects.services.project_secrets import checked_secret_name, list_secrets, remove_secret, set_secret

secret = noun("secret", "A project's secrets: variables of each of its commands, masked in what is stored.")
deploy_key = noun("deploy-key", "A project's own SSH key for git servers; the private half is never shown.")
git_token = noun("git-token", "A project's tokens for git over https, each for one host only.")
SecretArgument = Annotated[str, typer.Argument(metavar="NAME", help="As a variable, for example API_KEY.", autocompletion=complete_secret)]
HostArgument = Annotated[
    str, typer.Argument(metavar="HOST", help="For example github.com or git.example.com:8443.", autocompletion=complete_git_host)
]


# -- secrets --------------------------------------------------------------------------------


@secret.command("ls")
def secret_ls(project: ProjectArgument, as_json: JsonOption = False) -> None:
    """List the names of a project's secrets.

    For example: hub secret ls site
    """
    rows = list_secrets(project=project_named(project))
    if as_json:
        print_json([{"name": row.name, "set_by": row.set_by_name, "updated_at": row.updated_at} for row in rows])
    else:
        print_table(["NAME", "SET BY", "SET"], [(row.name, row.set_by_name, f"{span(row.updated_at)} ago") for row in rows])


@secret.command("set")
def secret_set(project: ProjectArgument, name: SecretArgument) -> None:
    """Make or replace a secret: the value is asked for, or read from stdin.

    For example: hub secret set site API_KEY < key.txt
    """
    found, checked = project_named(project), checked_secret_name(name)  # before anything is typed
    set_secret(project=found, name=checked, value=read_secret("Value"), actor=actor())
    typer.echo(f"{found.slug}: {checked} is set; the next command has it")


@secret.command("rm")
def secret_rm(project: ProjectArgument, name: SecretArgument) -> None:
    """Remove a secret; the next command has it no more.

    For example: hub secret rm site API_KEY
    """
    found = project_named(project)
    remove_secret(project=found, name=name, actor=actor())
    typer.echo(f"{found.slug}: {name} is removed")


# -- the deploy key -------------------------------------------------------------------------


@deploy_key.command("show")
def deploy_key_show(project: ProjectArgument, as_json: JsonOption = False) -> None:
    """Print the public half, to give to the git server.

    For example: hub deploy-key show site
    """
    _show_key(deploy_keys.get_deploy_key(project=project_named(project)), as_json)


@deploy_key.command("create")
def deploy_key_create(project: ProjectArgument, as_json: JsonOption = False) -> None:
    """Make the project's deploy key and print its public half.

    For example: hub deploy-key create site
    """
    _show_key(deploy_keys.make_deploy_key(project=project_named(project), actor=actor()), as_json)


@deploy_key.command("rotate")
def deploy_key_rotate(project: ProjectArgument, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Replace the deploy key by another; the old one is forgotten at once.

    For example: hub deploy-key rotate site --yes
    """
    found = project_named(project)
    old = deploy_keys.get_deploy_key(project=found)
    if not yes:
        typer.confirm(f"Replace {old.fingerprint}? Git servers refuse {found.slug} until they have the new one", abort=True, err=True)
    _show_key(deploy_keys.rotate_deploy_key(project=found, actor=actor()), as_json)


@deploy_key.command("rm")
def deploy_key_rm(project: ProjectArgument, yes: YesOption = False) -> None:
    """Remove the deploy key, from a running container too.

    For example: hub deploy-key rm site --yes
    """
    found = project_named(project)
    old = deploy_keys.get_deploy_key(project=found)
    if not yes:
        typer.confirm(f"Remove {old.fingerprint}? It cannot be had back", abort=True, err=True)
    deploy_keys.remove_deploy_key(project=found, actor=actor())
    typer.echo(f"{found.slug}: {old.fingerprint} is removed; take its public half off the git server too")


def _show_key(row: DeployKey, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "public_key": row.public_key,
                "fingerprint": row.fingerprint,
                "created_by": row.created_by_name,
                "created_at": row.created_at,
            }
        )
    else:
        typer.echo(f"{row.fingerprint}, made {span(row.created_at)} ago by {row.created_by_name}:", err=True)
        typer.echo(row.public_key)


# -- git tokens -----------------------------------------------------------------------------


@git_token.command("ls")
def git_token_ls(project: ProjectArgument, as_json: JsonOption = False) -> None:
    """List the hosts that a project has tokens for.

    For example: hub git-token ls site
    """
    rows = list_git_credentials(project=project_named(project))
    if as_json:
        shown: list[dict[str, Any]] = [{"host": row.host, "username": row.username, "created_at": row.created_at} for row in rows]
        print_json(shown)
    else:
        print_table(["HOST", "USERNAME", "CREATED"], [(row.host, row.username, f"{span(row.created_at)} ago") for row in rows])


@git_token.command("set")
def git_token_set(
    project: ProjectArgument,
    host: HostArgument,
    username: Annotated[str, typer.Option(help="What the server wants beside the token.")] = DEFAULT_USERNAME,
) -> None:
    """Make or replace a token: it is asked for, or read from stdin.

    For example: hub git-token set site github.com < token.txt
    """
    found = project_named(project)
    row = set_git_credential(project=found, host=host, token=read_secret("Git token"), username=username, actor=actor())
    typer.echo(f"{found.slug}: the token for {row.host} is set")


@git_token.command("rm")
def git_token_rm(project: ProjectArgument, host: HostArgument) -> None:
    """Take a token away, from a running container too.

    For example: hub git-token rm site github.com
    """
    found = project_named(project)
    remove_git_credential(project=found, host=host, actor=actor())
    typer.echo(f"{found.slug}: the token for {host} is removed")
