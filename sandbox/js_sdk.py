"""The JS-SDK's part of the platform: its ticket, and a script that checks what a page signed.

The stand-in script does what the real one's callers see of it: it takes the configuration, checks
the signature against the page's address, and keeps the card on the document for whoever looks
(`document.documentElement.dataset.card`; a bad signature stands in `dataset.jsError`).

With `openTagList` it draws the tag wx-open-subscribe in a tree of its own. A tap on it opens the
phone's question, /connect/subscribe, in a window; what the person said comes back to the page as
the tag's event `success`, and to the callback as subscribe_msg_popup_event.
"""

import hashlib
import json

from sandbox.world import World

LIFE_SECONDS = 7200

_SCRIPT = """\
// The sandbox's stand-in for the platform's JS-SDK.
(function () {
  "use strict";
  var APP_ID = %(app_id)s, TICKET = %(ticket)s;
  var HERE = new URL(document.currentScript.src).origin, asking = null;
  var root = document.documentElement, ready = [], state = "new";
  function hex(bytes) {
    return Array.from(new Uint8Array(bytes), function (one) {
      return one.toString(16).padStart(2, "0");
    }).join("");
  }
  function settle(is_good) {
    state = is_good ? "good" : "bad";
    if (is_good) ready.splice(0).forEach(function (act) { act(); });
    else root.dataset.jsError = "config:fail, invalid signature";
  }
  function keep(card) {
    if (state === "good") root.dataset.card = JSON.stringify(card);
  }
  function draw(tag) {
    var tree = tag.attachShadow({ mode: "open" });
    tag.querySelectorAll("template, script[type='text/wxtag-template']").forEach(function (part) {
      tree.innerHTML += part.innerHTML;
    });
    tree.addEventListener("click", function () {
      asking = tag;
      var template = tag.getAttribute("template");
      var asked = new URLSearchParams({ template: template, back: location.origin });
      window.open(HERE + "/connect/subscribe?" + asked, "subscribe", "width=375,height=480");
    });
  }
  function define(tags) {
    if (tags.indexOf("wx-open-subscribe") < 0 || customElements.get("wx-open-subscribe")) return;
    customElements.define("wx-open-subscribe", class extends HTMLElement {
      connectedCallback() { if (!this.shadowRoot) draw(this); }
    });
  }
  window.addEventListener("message", function (said) {
    if (said.origin !== HERE || !asking) return;
    var name = said.data.subscribeDetails ? "success" : "error";
    asking.dispatchEvent(new CustomEvent(name, { detail: said.data }));
    asking = null;
  });
  window.wx = {
    config: function (given) {
      var said = "jsapi_ticket=" + TICKET + "&noncestr=" + given.nonceStr +
        "&timestamp=" + given.timestamp + "&url=" + location.href.split("#")[0];
      crypto.subtle.digest("SHA-1", new TextEncoder().encode(said)).then(function (digest) {
        var is_good = given.appId === APP_ID && hex(digest) === given.signature;
        if (is_good) define(given.openTagList || []);
        settle(is_good);
      });
    },
    ready: function (act) { if (state === "good") act(); else ready.push(act); },
    error: function () {},
    updateAppMessageShareData: keep,
    updateTimelineShareData: function () {}
  };
})();
"""


def ticket(world: World) -> str:
    """The account's ticket; the same for as long as the sandbox is set up with this secret."""
    kept = f"{world.settings.app_id} {world.settings.app_secret} js"
    return "sbx_" + hashlib.sha256(kept.encode()).hexdigest()


def script(world: World) -> str:
    """jweixin.js, as this sandbox has it."""
    return _SCRIPT % {
        "app_id": json.dumps(world.settings.app_id),
        "ticket": json.dumps(ticket(world)),
    }
