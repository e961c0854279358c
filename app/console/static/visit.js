// Keeps a visit's record in the telephone until the service has said that it has it, and sends
// it once: the key that was made with the page stays the same over every try.
"use strict";

(() => {
  const PREFIX = "yuban-visit:";
  const AGAIN_MILLISECONDS = 20000;
  const form = document.getElementById("record");
  const unsent = document.getElementById("unsent");
  const kept = document.getElementById("kept");
  const refused = document.getElementById("refused");

  const read = (name) => {
    try {
      return JSON.parse(localStorage.getItem(name));
    } catch {
      return null;
    }
  };
  const write = (name, value) => {
    try {
      localStorage.setItem(name, JSON.stringify(value));
      return true;
    } catch {
      return false; // A private window keeps nothing: the form is sent as any other.
    }
  };
  const names = () => Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));

  const fields = () => [...new FormData(form)].filter(([name]) => name !== "csrf_token");

  const restore = (entries) => {
    const wanted = new Map();
    for (const [name, value] of entries) {
      wanted.set(name, [...(wanted.get(name) || []), value]);
    }
    for (const input of form.elements) {
      const values = wanted.get(input.name);
      if (!input.name || input.name === "csrf_token" || input.name === "child") continue;
      if (input.type === "radio" || input.type === "checkbox") {
        input.checked = Boolean(values && values.includes(input.value));
      } else if (values) {
        input.value = values[0];
      }
    }
  };

  const send = async (name) => {
    const record = read(name);
    if (!record || !record.ready) return "nothing";
    const body = new URLSearchParams(record.fields);
    body.set("csrf_token", document.querySelector("input[name=csrf_token]").value);
    let answer;
    try {
      answer = await fetch(record.url, {
        method: "POST",
        body,
        headers: { "X-Requested-With": "visit.js" },
        redirect: "manual",
      });
    } catch {
      return "later";
    }
    if (answer.ok) {
      localStorage.removeItem(name);
      return "taken";
    }
    if (answer.status === 409) {
      const said = await answer.json();
      record.ready = false;
      record.sentence = said.sentence;
      write(name, record);
      return "refused";
    }
    return "later"; // Logged out, or the service is down: kept, and tried again.
  };

  const show = () => {
    if (!unsent) return;
    const waiting = names().map(read).filter((record) => record && record.ready);
    const stopped = names().map(read).filter((record) => record && record.sentence);
    const lines = [];
    if (waiting.length) {
      lines.push(`${waiting.map((record) => record.who).join("、")}的记录还没送出去，存在这部手机里，有网就自动送。`);
    }
    for (const record of stopped) {
      lines.push(`${record.who}的记录没收下：${record.sentence}`);
    }
    unsent.textContent = lines.join(" ");
    unsent.hidden = lines.length === 0;
  };

  const sendAll = async () => {
    for (const name of names()) await send(name);
    show();
  };

  if (form) {
    const name = PREFIX + form.dataset.visit;
    const keep = (ready) =>
      write(name, {
        url: form.action,
        who: form.dataset.who,
        back: form.dataset.back,
        fields: fields(),
        ready,
      });
    const before = read(name);
    if (before) {
      restore(before.fields);
      kept.hidden = false;
      if (before.sentence) {
        refused.textContent = before.sentence;
        refused.hidden = false;
      }
    }
    form.addEventListener("input", () => {
      if (keep(false)) kept.hidden = false;
    });
    form.addEventListener("submit", async (event) => {
      form.elements.written_at.value = new Date().toISOString();
      if (!keep(true)) return;
      event.preventDefault();
      const button = form.querySelector("button[type=submit]");
      button.disabled = true;
      const outcome = await send(name);
      button.disabled = false;
      if (outcome === "refused") {
        refused.textContent = read(name).sentence;
        refused.hidden = false;
        refused.scrollIntoView();
        return;
      }
      if (outcome === "taken" || navigator.onLine) {
        window.location.assign(form.dataset.back);
        return;
      }
      kept.textContent = "没有网：记录存在这部手机里，有网就自动送出去，不用再写。";
      kept.hidden = false;
      kept.scrollIntoView();
    });
  }

  window.addEventListener("online", sendAll);
  window.setInterval(sendAll, AGAIN_MILLISECONDS);
  sendAll();
})();
