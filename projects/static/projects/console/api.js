/* The hub's API, as the signed-in user. Every failure is an Error whose message is one sentence. */

export async function call(method, path, body) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRFToken"] = cookie("csrftoken");
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await asked(`/api/${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await answer.text();
  return text ? JSON.parse(text) : null;
}

export async function bytes(address) {
  const answer = await asked(address, {});
  return { data: new Uint8Array(await answer.arrayBuffer()), headers: answer.headers };
}

async function asked(address, options) {
  const answer = await answered(address, options);
  if (!answer.ok) throw new Error(await sentence(answer));
  return answer;
}

/* What only reads is asked for again; what changes something may have been done. */
async function answered(address, options) {
  const attempts = (options.method ?? "GET") === "GET" ? 3 : 1;
  for (let attempt = 1; ; attempt++) {
    try {
      return await fetch(address, { credentials: "same-origin", cache: "no-store", redirect: "error", ...options });
    } catch {
      if (attempt === attempts) throw new Error("The hub does not answer; check that it runs and that this computer is online, then try again.");
      await new Promise((resolve) => setTimeout(resolve, attempt * 300));
    }
  }
}

async function sentence(answer) {
  if (answer.status === 401) return "You are signed out; sign in again, then reload this page.";
  try {
    const { detail } = await answer.json();
    if (typeof detail === "string") return detail;
    if (Array.isArray(detail) && detail.length) return `${detail[0].loc?.at(-1)}: ${detail[0].msg}; correct it and try again.`;
  } catch { /* no JSON: the status must do */ }
  return `The hub answered ${answer.status}; reload this page and try again.`;
}

function cookie(name) {
  const found = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}
