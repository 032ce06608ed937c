/* The same command for a shell on another machine: by the command line, or by the API. */

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

export function hubExec(slug, { command, workdir, timeout_seconds: timeout }) {
  const place = workdir && workdir !== "/workspace" ? ` --workdir ${quoted(workdir)}` : "";
  const span = timeout ? ` --timeout ${timeout}` : "";
  return `hub exec ${slug}${place}${span} -- bash -c ${quoted(command)}`;
}

/* The token stays a variable: what is copied ends up in chats and tickets. */
export function curl(slug, { command, workdir, timeout_seconds: timeout }) {
  const body = JSON.stringify({ command, ...(workdir ? { workdir } : {}), ...(timeout ? { timeout } : {}) });
  const address = `${location.origin}/api/projects/${slug}/commands`;
  return `curl -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d ${quoted(body)} ${quoted(address)}`;
}
