"use strict";
// Sends the forms as JSON and shows the page anew.

const said = document.getElementById("said");
said.textContent = sessionStorage.getItem("said") || "";
sessionStorage.removeItem("said");

function readForm(form) {
  const values = {};
  for (const field of form.elements) {
    if (!field.name) continue;
    if (field.value === "") {
      if ("emptyNull" in field.dataset) values[field.name] = null;
      continue;
    }
    values[field.name] = "number" in field.dataset ? Number(field.value) : field.value;
  }
  return values;
}

for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.dataset.ask && !confirm(form.dataset.ask)) return;
    const answer = form.dataset.delete
      ? await fetch(form.dataset.delete, { method: "DELETE" })
      : await fetch(form.dataset.post, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(readForm(form)),
        });
    const body = await answer.json();
    const trouble = body.error || body.trouble;
    if (!answer.ok) {
      said.textContent = `没有成功：${trouble}`;
      return;
    }
    sessionStorage.setItem("said", trouble ? `有问题：${trouble}` : "好了。");
    location.reload();
  });
}
