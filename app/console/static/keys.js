// The list of requests by keyboard: j and k go down and up, c confirms. The page works without it.
"use strict";
(() => {
  const cards = () => [...document.querySelectorAll("[data-keys] > li")];
  const isTyping = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;
  let isOn = window.localStorage.getItem("keys") !== "off";

  const toggle = document.querySelector("[data-keys-toggle]");
  const show = () => {
    toggle.hidden = false;
    toggle.textContent = isOn ? "关掉键盘快捷键" : "打开键盘快捷键";
  };
  if (toggle) {
    show();
    toggle.addEventListener("click", () => {
      isOn = !isOn;
      window.localStorage.setItem("keys", isOn ? "on" : "off");
      show();
    });
  }

  const step = (by) => {
    const all = cards();
    const here = all.findIndex((card) => card.contains(document.activeElement));
    const next = all[here < 0 ? 0 : Math.min(Math.max(here + by, 0), all.length - 1)];
    if (!next) return;
    const target = next.querySelector(".btn-decide") ?? next;
    target.focus();
    next.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("keydown", (event) => {
    if (!isOn || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "c") {
      const card = cards().find((one) => one.contains(document.activeElement));
      card?.querySelector("form.decide .btn-decide")?.click();
    } else return;
    event.preventDefault();
  });
})();
