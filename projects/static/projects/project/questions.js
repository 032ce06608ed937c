/* What asks first: its question page is shown in a dialog. Without scripts it is a page of its own, with the same form. */

function dialog() {
  let found = document.getElementById("question-dialog");
  if (!found) {
    found = document.createElement("dialog");
    found.id = "question-dialog";
    found.setAttribute("aria-labelledby", "question-title");
    found.addEventListener("click", (event) => {
      if (!event.target.closest("a[autofocus]")) return;
      event.preventDefault();
      found.close();
    });
    document.body.append(found);
  }
  return found;
}

/* The same form, one heading lower than on a page of its own. */
function show(form) {
  const box = dialog();
  const own = document.importNode(form, true);
  own.className = "";
  for (const [tag, lower] of [["h2", "h3"], ["h1", "h2"]]) {
    for (const heading of own.querySelectorAll(tag)) {
      const other = document.createElement(lower);
      other.append(...heading.childNodes);
      if (tag === "h1") other.id = "question-title";
      heading.replaceWith(other);
    }
  }
  box.replaceChildren(own);
  box.showModal();
  own.querySelector("[autofocus]")?.focus();
}

document.addEventListener("submit", async (event) => {
  const { target: form, submitter } = event;
  if (!(form.hasAttribute("data-asks") || submitter?.hasAttribute("data-asks")) || form.closest("dialog")) return;
  event.preventDefault();
  const data = new URLSearchParams(new FormData(form, submitter));
  try {
    const answer = await fetch(form.action, { method: "POST", body: data, credentials: "same-origin" });
    const question = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("question-page");
    if (question) show(question);
    else location.assign(answer.url); // it was refused, or the sign-in ended: that page says so
  } catch {
    location.reload(); // the hub is away: the browser says so
  }
});
