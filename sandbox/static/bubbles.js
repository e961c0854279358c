"use strict";
// Draws conversations. Everything a service sends becomes text nodes and checked links, never HTML.

const LINK = /<a\s[^>]*?href\s*=\s*(["'])(.*?)\1[^>]*>([\s\S]*?)<\/a>|(https?:\/\/[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+)/gi;
const SOON_SECONDS = 300; // a new time line after five minutes, as on the real phone

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function isWebAddress(url) {
  return /^https?:\/\//i.test(url);
}

function makeLink(url, ...children) {
  return make("a", { href: url, target: "_blank", rel: "noopener" }, ...children);
}

/* The pieces of a text: words, links, and lines that answer for the person when tapped. */
function readText(text) {
  const pieces = [];
  let from = 0;
  for (const found of text.matchAll(LINK)) {
    pieces.push(text.slice(from, found.index));
    from = found.index + found[0].length;
    if (found[4]) {
      const url = found[4].replace(/[.,;:!?)'\]]+$/, "");
      pieces.push(makeLink(url, url), found[4].slice(url.length));
    } else {
      pieces.push(readAnchor(found[2].replaceAll("&amp;", "&"), found[3]));
    }
  }
  pieces.push(text.slice(from));
  return pieces;
}

function readAnchor(url, words) {
  if (isWebAddress(url)) return makeLink(url, words);
  if (url.startsWith("weixin://bizmsgmenu?")) {
    const query = new URLSearchParams(url.slice(url.indexOf("?") + 1));
    const content = query.get("msgmenucontent") || words;
    return makeChoice(query.get("msgmenuid") || "0", content, words);
  }
  return document.createTextNode(words);
}

function makeChoice(id, content, words) {
  return make(
    "button",
    { type: "button", class: "choice", "data-choice": id, "data-content": content },
    words,
  );
}

function makeCard(url, ...children) {
  return isWebAddress(url)
    ? make("a", { class: "card", href: url, target: "_blank", rel: "noopener" }, ...children)
    : make("div", { class: "card" }, ...children);
}

const DRAW = {
  text: (entry) => [make("div", { class: "bubble" }, ...readText(entry.text))],
  voice: (entry) => [
    make(
      "div",
      { class: "bubble voice" },
      make("span", { class: "waves", "aria-hidden": "true" }),
      make("span", {}, entry.direction === "in" ? entry.text : "语音消息"),
    ),
    ...(entry.direction === "out"
      ? [make("p", { class: "heard" }, entry.text ? `听写：${entry.text}` : "没有听写出来")]
      : []),
  ],
  image: (entry) => [
    entry.picture
      ? make("img", { class: "photo", src: entry.picture, alt: "发出的图片" })
      : make("div", { class: "bubble" }, "［图片］"),
  ],
  video: (entry) => [make("div", { class: "bubble" }, `［视频］${entry.text}`)],
  music: (entry) => [
    makeCard(entry.url, make("p", { class: "card-title" }, entry.text), make("p", {}, "音乐")),
  ],
  location: (entry) => [
    make("div", { class: "card" }, make("p", { class: "card-title" }, entry.text), make("p", {}, "位置")),
  ],
  link: (entry) => [
    makeCard(entry.url, make("p", { class: "card-title" }, entry.title), make("p", {}, entry.text)),
  ],
  file: (entry) => [
    make("div", { class: "card" }, make("p", { class: "card-title" }, entry.title), make("p", {}, "文件")),
  ],
  news: (entry) =>
    entry.articles.map((article) =>
      makeCard(
        article.url,
        ...(isWebAddress(article.picture) ? [make("img", { src: article.picture, alt: "" })] : []),
        make("p", { class: "card-title" }, article.title),
        make("p", {}, article.description),
      ),
    ),
  msgmenu: (entry) => [
    make(
      "div",
      { class: "bubble" },
      ...readText(entry.text),
      ...entry.choices.map((choice) => makeChoice(choice.id, choice.content, choice.content)),
      ...readText(entry.tail),
    ),
  ],
  template: (entry) => [
    makeCard(
      entry.url,
      make("p", { class: "card-title" }, entry.title),
      make(
        "dl",
        {},
        ...entry.fields.map((field) =>
          make("div", {}, make("dt", {}, field.label), make("dd", {}, field.value)),
        ),
      ),
      ...(isWebAddress(entry.url) ? [make("p", { class: "card-more" }, "查看详情")] : []),
    ),
  ],
};

function drawEntry(entry, name) {
  if (entry.direction === "system") {
    return make("p", { class: `note ${entry.kind}`, "data-testid": "message-system" }, entry.text);
  }
  const draw = DRAW[entry.kind] || ((unknown) => [make("div", { class: "bubble" }, `［${unknown.kind}］`)]);
  const message = make(
    "article",
    {
      class: "message",
      "data-testid": entry.direction === "in" ? "message-in" : "message-out",
      "data-kind": entry.kind,
    },
    ...draw(entry),
  );
  const who = make("span", { class: "unseen" }, entry.direction === "in" ? "公众号说：" : `${name}说：`);
  const face =
    entry.direction === "in"
      ? make("img", { class: "face", src: "/static/icon.svg", alt: "" })
      : make("span", { class: "face", "aria-hidden": "true" }, name.slice(0, 1));
  return make("div", { class: `row ${entry.direction}` }, who, face, message);
}

const CLOCK = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai",
  hour: "2-digit",
  minute: "2-digit",
  hour12: false,
});
const DAY = new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", month: "long", day: "numeric" });

function describeTime(at, now) {
  const day = DAY.format(at * 1000);
  const clock = CLOCK.format(at * 1000);
  if (day === DAY.format(now * 1000)) return clock;
  if (day === DAY.format((now - 86400) * 1000)) return `昨天 ${clock}`;
  return `${day} ${clock}`;
}

function drawTime(entry, before, now) {
  if (before && entry.at - before.at < SOON_SECONDS) return null;
  return make("p", { class: "time" }, describeTime(entry.at, now));
}
