/* One question at a time, in the page's dialog; Cancel has the focus, or the field where there is one. */

const dialog = document.getElementById("question");
const part = (name) => document.getElementById(`question-${name}`);

/* Resolves to false when it is cancelled, else to true, or to the field's text. */
export function ask({ title, text, yes, detail = "", field = "", value = "" }) {
  if (dialog.open) return Promise.resolve(false);
  const before = document.activeElement;
  part("title").textContent = title;
  part("text").textContent = text;
  part("yes").textContent = yes;
  part("detail").textContent = detail;
  part("detail").hidden = !detail;
  part("field").hidden = !field;
  part("field").querySelector("label").textContent = field;
  part("answer").value = value;
  dialog.returnValue = "";
  dialog.showModal();
  (field ? part("answer") : part("no")).focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      before?.focus();
      const agreed = dialog.returnValue === "yes";
      resolve(agreed && field ? part("answer").value.trim() : agreed);
    }, { once: true });
  });
}

/* Enter in the field means yes, although Cancel is the form's first button. */
part("answer").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  dialog.close("yes");
});
