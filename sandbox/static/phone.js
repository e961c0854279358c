"use strict";
// The phone: which person is looked at, what they do, and asking again and again what is new.

const POLL_MS = 700;
const byId = (id) => document.getElementById(id);
const conversation = byId("conversation");
const input = byId("text-input");

let people = [];
let current = null; // whose phone is looked at
let shown = []; // the entries drawn for that person
let menuDrawn = "";
let drawnExtras = "";
let prefersKeyboard = false;
let polling = null;
let epoch = "";
const seen = JSON.parse(sessionStorage.getItem("seen") || "{}");

async function ask(path, options = {}) {
  const answer = await fetch(path, { cache: "no-store", ...options });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error || answer.status);
  return body;
}

const SAID = {
  "not following": "先关注，才能说话。",
  "already following": "已经关注了。",
  "this code has run out": "这个二维码已经过期，请换一个。",
};

async function act(action, details = {}) {
  try {
    await ask(`/_sandbox/people/${encodeURIComponent(current.openid)}/${action}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ wait: false, ...details }),
    });
  } catch (error) {
    tell(SAID[error.message] || `没有成功：${error.message}`);
  }
  poll();
}

function tell(words) {
  const toast = byId("toast");
  toast.textContent = words;
  toast.hidden = false;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => (toast.hidden = true), 3500);
}

function poll() {
  if (!polling) {
    polling = look().finally(() => (polling = null));
  }
  return polling;
}

async function look() {
  const openid = current ? current.openid : "";
  const after = shown.length ? shown[shown.length - 1].seq : 0;
  let news;
  try {
    news = await ask(`/_sandbox/phone?openid=${encodeURIComponent(openid)}&after=${after}`);
  } catch {
    document.body.classList.add("offline");
    return;
  }
  document.body.classList.remove("offline");
  if (epoch && epoch !== news.epoch) {
    // The sandbox was reset under this page: what is drawn here never happened.
    sessionStorage.clear();
    location.reload();
    return;
  }
  epoch = news.epoch;
  people = news.people;
  if (!people.length) return;
  if (!current) {
    const last = sessionStorage.getItem("person");
    for (const person of people) seen[person.openid] ??= person.last_in;
    switchTo(people.find((person) => person.openid === last) || people[0]);
    return;
  }
  // An answer to an earlier question may come in after the person was switched.
  if (current.openid !== openid) return;
  const fresh = people.find((person) => person.openid === openid);
  if (!fresh) return;
  current = fresh;
  add(news.entries, news.now);
  drawPeople();
  drawFollowing(news.menu);
  drawExtras(news);
}

function switchTo(person) {
  current = person;
  shown = [];
  drawnExtras = "";
  conversation.replaceChildren();
  sessionStorage.setItem("person", person.openid);
  conversation.dataset.owner = person.name;
  byId("owner").textContent = `${person.name}的手机`;
  drawPeople();
  polling = null;
  poll();
}

function add(entries, now) {
  if (!entries.length) return;
  const follows = isAtEnd() || entries.some((entry) => entry.direction === "out");
  for (const entry of entries) {
    if (shown.length && entry.seq <= shown[shown.length - 1].seq) continue;
    const time = drawTime(entry, shown[shown.length - 1], now);
    if (time) conversation.append(time);
    conversation.append(drawEntry(entry, current.name));
    shown.push(entry);
  }
  if (follows) scrollToEnd();
}

function isAtEnd() {
  return conversation.scrollHeight - conversation.scrollTop - conversation.clientHeight < 120;
}

function isNearEnd(picture) {
  return conversation.scrollHeight - conversation.scrollTop - conversation.clientHeight < 160 + picture.clientHeight;
}

function scrollToEnd() {
  conversation.scrollTop = conversation.scrollHeight;
}

function drawPeople() {
  seen[current.openid] = Math.max(seen[current.openid] || 0, current.last_in);
  sessionStorage.setItem("seen", JSON.stringify(seen));
  const bar = byId("people");
  people.forEach((person, position) => {
    let button = bar.children[position];
    if (!button || button.dataset.openid !== person.openid) {
      const made = make(
        "button",
        { type: "button", "data-person": person.name, "data-openid": person.openid },
        make("span", { class: "face", "aria-hidden": "true" }, person.name.slice(0, 1)),
        make("span", {}, person.name),
        make("span", { class: "unseen" }),
      );
      made.addEventListener("click", () => switchTo(people.find((one) => one.openid === person.openid)));
      if (button) button.replaceWith(made);
      else bar.append(made);
      button = made;
    }
    const unread = person.last_in > (seen[person.openid] ?? 0);
    button.setAttribute("aria-pressed", String(person.openid === current.openid));
    button.toggleAttribute("data-unread", unread);
    button.lastChild.textContent = unread ? "，有新消息" : "";
  });
  while (bar.children.length > people.length) bar.lastChild.remove();
}

function drawFollowing(menu) {
  byId("profile").hidden = current.following;
  byId("bar").hidden = !current.following;
  for (const button of document.querySelectorAll("[data-needs-follow]")) {
    button.disabled = !current.following;
  }
  drawMenu(menu);
  const showsMenu = Boolean(menu) && !prefersKeyboard;
  byId("menu").hidden = !showsMenu;
  byId("writing").hidden = showsMenu;
  byId("to-menu").hidden = !menu;
}

function drawMenu(menu) {
  const drawn = JSON.stringify(menu);
  if (drawn === menuDrawn) return;
  menuDrawn = drawn;
  byId("menu-buttons").replaceChildren(...(menu || []).map(makeTopButton));
}

function makeTopButton(row) {
  if (!row.sub_button.length) return make("div", { class: "top" }, makeMenuButton(row));
  const list = make("div", { class: "sub", hidden: "" }, ...row.sub_button.map(makeMenuButton));
  const top = make(
    "button",
    { type: "button", "aria-expanded": "false", "data-menu-name": row.name, class: "opens" },
    row.name,
  );
  top.addEventListener("click", () => {
    const opens = list.hidden;
    closeMenus();
    list.hidden = !opens;
    top.setAttribute("aria-expanded", String(opens));
  });
  return make("div", { class: "top" }, top, list);
}

function makeMenuButton(row) {
  if (row.type === "view") {
    const link = makeLink(row.url, row.name);
    link.dataset.menuName = row.name;
    link.dataset.menuUrl = row.url;
    link.addEventListener("click", () => {
      act("view", { url: row.url });
      closeMenus();
    });
    return link;
  }
  const button = make(
    "button",
    { type: "button", "data-menu-name": row.name, "data-menu-key": row.key },
    row.name,
  );
  button.addEventListener("click", () => {
    closeMenus();
    if (row.type.startsWith("scancode")) openScan((result) => act("click", { key: row.key, result }));
    else act("click", { key: row.key });
  });
  return button;
}

function closeMenus() {
  for (const list of document.querySelectorAll(".sub")) list.hidden = true;
  for (const top of document.querySelectorAll(".opens")) top.setAttribute("aria-expanded", "false");
}

function makeAnswer(template, words, accept, inSettings = false) {
  const button = make(
    "button",
    { type: "button", class: accept ? "allow primary" : "refuse", "aria-label": `${words}：${template.title}` },
    words,
  );
  const details = { template_id: template.id, accept, in_settings: inSettings };
  button.addEventListener("click", () => act("subscribe_consent", details));
  return button;
}

function drawExtras(news) {
  const drawn = JSON.stringify([news.asked, news.codes, news.subscriptions]);
  if (drawn === drawnExtras) return;
  drawnExtras = drawn;
  const asked = byId("asked");
  asked.hidden = !news.asked.length;
  asked.replaceChildren(
    ...news.asked.map((template) =>
      make(
        "div",
        { class: "question", "data-template": template.id },
        make("p", {}, `想给你发一次「${template.title}」`),
        makeAnswer(template, "拒绝", false),
        makeAnswer(template, "允许", true),
      ),
    ),
  );
  byId("codes").replaceChildren(
    ...(news.codes.length
      ? news.codes.map(makeCode)
      : [make("p", {}, "公众号还没有做过二维码。")]),
  );
  byId("subscriptions").replaceChildren(
    ...news.subscriptions.map((template) =>
      make(
        "div",
        { class: "question", "data-template": template.id },
        make("p", {}, template.title, make("span", { class: "left" }, describeConsent(template))),
        // Whoever has allowed something takes it back here, in the phone's own settings.
        template.left || template.lasting
          ? makeAnswer(template, "不再接收", false, true)
          : makeAnswer(template, "拒绝", false),
        makeAnswer(template, "允许", true),
      ),
    ),
  );
}

function makeCode(code) {
  const button = make("button", { type: "button", "data-scene": code.scene }, code.scene);
  button.addEventListener("click", () => byId("scan-sheet").close(`scene:${code.scene}`));
  return button;
}

function describeConsent(template) {
  if (template.lasting) return "已长期允许";
  if (template.kind === "long_term") return "长期订阅";
  return template.left ? `还可以发 ${template.left} 次` : "一次性订阅";
}

function openScan(use) {
  const sheet = byId("scan-sheet");
  byId("scan-scene").value = "";
  sheet.returnValue = "";
  sheet.showModal();
  sheet.onclose = () => {
    const chosen = sheet.returnValue;
    if (chosen.startsWith("scene:")) use(chosen.slice(6));
    else if (chosen === "send" && byId("scan-scene").value.trim()) use(byId("scan-scene").value.trim());
  };
}

byId("writing").addEventListener("submit", (event) => {
  event.preventDefault();
  const content = input.value;
  if (!content.trim()) return;
  input.value = "";
  act("text", { content });
});
byId("to-menu").addEventListener("click", () => {
  prefersKeyboard = false;
  byId("writing").hidden = true;
  byId("menu").hidden = false;
  byId("to-keyboard").focus();
});
byId("to-keyboard").addEventListener("click", showKeyboard);
function showKeyboard() {
  prefersKeyboard = true;
  closeMenus();
  byId("menu").hidden = true;
  byId("writing").hidden = false;
  input.focus();
}
byId("follow").addEventListener("click", () => act("follow"));
byId("unfollow").addEventListener("click", () => act("unfollow"));
byId("picture").addEventListener("click", () => act("image"));
byId("place").addEventListener("click", () => act("location"));
byId("scan").addEventListener("click", () => openScan((scene) => act("scan", { scene })));
byId("consents").addEventListener("click", () => byId("consents-sheet").showModal());
byId("voice").addEventListener("click", () => {
  const sheet = byId("voice-sheet");
  byId("voice-text").value = "";
  sheet.returnValue = "";
  sheet.showModal();
  sheet.onclose = () => {
    if (sheet.returnValue === "send") act("voice", { recognition: byId("voice-text").value.trim() });
  };
});
// A picture takes its room only once it is there.
conversation.addEventListener("load", (event) => isNearEnd(event.target) && scrollToEnd(), true);
conversation.addEventListener("click", (event) => {
  const choice = event.target.closest(".choice");
  if (choice) act("text", { content: choice.dataset.content, choice: choice.dataset.choice });
});
// Pages opened from here may ask the platform who opened them: it looks at this cookie.
document.addEventListener(
  "click",
  (event) => {
    const link = event.target.closest("a[target=_blank]");
    if (link && current) document.cookie = `sandbox_openid=${current.openid}; path=/connect; SameSite=Lax`;
    if (!event.target.closest(".top")) closeMenus();
  },
  true,
);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeMenus();
});
for (const button of document.querySelectorAll(".closes")) {
  button.addEventListener("click", () => button.closest("dialog").close(""));
}
for (const button of document.querySelectorAll(".try")) {
  button.addEventListener("click", () => {
    if (!current || !current.following) return tell("先点「关注公众号」。");
    showKeyboard();
    input.value = button.textContent;
  });
}

poll();
setInterval(poll, POLL_MS);
