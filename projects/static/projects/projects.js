// The list of projects: found as one types, several chosen at once.

const SEARCH_MS = 250;
const form = document.getElementById("search");
let timer = 0;

async function search() {
  const address = new URL(form.action);
  for (const [name, value] of new FormData(form)) if (value) address.searchParams.set(name, value);
  let next;
  try {
    const answer = await fetch(address, { credentials: "same-origin", headers: { Accept: "text/html" } });
    if (answer.redirected) return location.reload(); // signed out meanwhile
    if (!answer.ok) return;
    next = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return form.submit(); // the browser itself says what is wrong
  }
  history.replaceState(null, "", address);
  const [old, found] = [document, next].map((page) => [...page.getElementById("list").children].slice(1));
  old.forEach((part) => part.remove());
  document.getElementById("list").append(...found);
  const [socket, fresh] = [document, next].map((page) => page.getElementById("live"));
  if (socket && fresh && window.htmx) {
    socket.replaceWith(fresh);
    window.htmx.process(fresh);
  }
  tell();
}

function tell() {
  const boxes = [...document.querySelectorAll("#rows input[type=checkbox]")];
  const chosen = boxes.filter((box) => box.checked).length;
  const all = document.getElementById("all");
  if (!all) return;
  all.checked = chosen > 0 && chosen === boxes.length;
  all.indeterminate = chosen > 0 && chosen < boxes.length;
  document.getElementById("selected").textContent = `${chosen} selected`;
}

form?.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(search, SEARCH_MS);
});
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(timer);
  search();
});
document.addEventListener("change", (event) => {
  if (event.target.id === "all") for (const box of document.querySelectorAll("#rows input[type=checkbox]")) box.checked = event.target.checked;
  if (event.target.matches("#all, #rows input")) tell();
});
